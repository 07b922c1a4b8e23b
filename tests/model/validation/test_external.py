from dataclasses import replace

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.model.scoring.scorer import Scorer
from loantap.model.training.splits import digest_loans
from loantap.model.validation.evaluation import JudgedModel
from loantap.model.validation.vintage_report import measure_external
from loantap.portfolio.amortisation import emi
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_portfolio
from tests.conftest import require_data, train, training_options
from tests.model.validation.test_evaluation import OPTIONS

# Of the 27 columns these are what a lending model and its judge need.
NEEDED = {
	"loan_amnt",
	"term",
	"int_rate",
	"installment",
	"grade",
	"sub_grade",
	"emp_length",
	"annual_inc",
	"purpose",
	"issue_d",
	"loan_status",
	"dti",
	"open_acc",
	"pub_rec",
	"revol_bal",
	"revol_util",
	"total_acc",
	"pub_rec_bankruptcies",
}


@pytest.fixture(scope="module")
def scorer(lending_model, simulated_loans):
	return judge(lending_model, simulated_loans)


def judge(trained, loans, name="loantap-lending-demo"):
	training = digest_loans(loans, trained.facts.feature_set)
	return JudgedModel(name, "4", False, "", pd.DataFrame(), {}, Scorer(trained, name, "4"), training)


@pytest.fixture(scope="module")
def external():
	"""1,500 other loans in LoanTap format; no address, nothing in `revol_util`."""
	text = render(simulate_portfolio(1_500, seed=99).portfolio, portfolio_columns())
	return text[[c for c in text if c in NEEDED]].assign(revol_util=float("nan"))


@pytest.fixture(scope="module")
def result(external, simulated_loans, scorer):
	return measure_external(external, simulated_loans, scorer, OPTIONS)


def test_only_the_columns_needed_are_needed(result):
	assert result.is_overlap_checked
	assert result.judgement.n == 1_500
	assert (result.model_name, result.model_version) == ("loantap-lending-demo", "4")


def test_the_model_and_the_rate_are_measured_on_the_same_loans(result, external, scorer):
	target = mark_outcome(external["loan_status"])
	pd_ = scorer.lending_scorer.score(external, OPTIONS.day)["probability_of_default"]

	assert result.judgement.roc_auc == pytest.approx(roc_auc_score(target, pd_))
	assert result.rate_roc_auc == pytest.approx(roc_auc_score(target, external["int_rate"]))
	assert result.auc_gain == pytest.approx(result.judgement.roc_auc - result.rate_roc_auc)
	assert result.auc_gain_low < result.auc_gain < result.auc_gain_high


def test_the_population_is_compared_with_the_loans_trained_on(result, external, simulated_loans, scorer):
	rate, months = external["int_rate"] + 8, external["term"].str.extract(r"(\d+)")[0].astype(int)
	instalment = emi(external["loan_amnt"], rate, months)
	shifted = external.assign(int_rate=rate, installment=instalment, sub_grade="G5", grade="G")

	other = measure_external(shifted, simulated_loans, scorer, OPTIONS)

	assert result.psi < 0.1  # both come from the same simulator
	assert other.psi > 0.25
	assert result.training_loans == len(simulated_loans)


@pytest.fixture
def refuse(simulated_loans, scorer):
	def refuse(external):
		with pytest.raises(InputError) as refused:
			measure_external(external, simulated_loans, scorer, OPTIONS)
		assert refused.value.where == "external sample"
		assert refused.value.remedy
		return refused.value.problem

	return refuse


@pytest.mark.parametrize(
	("change", "said"),
	[
		(lambda file: file.drop(columns="loan_status"), "column loan_status missing"),
		(lambda file: file.drop(columns="annual_inc"), "column annual_inc missing"),
		(lambda file: file.head(0), "no rows"),
		(lambda file: file.assign(loan_status="Fully Paid"), "an AUC needs 10 loans of each outcome"),
	],
)
def test_a_file_that_cannot_be_measured_is_refused_by_what_it_lacks(change, said, external, refuse):
	assert said in refuse(change(external))


@pytest.mark.parametrize(
	("column", "value", "said"),
	[
		("loan_status", "Late", "loan_status 'Late' is not one of Fully Paid"),
		("loan_status", "Current", "its loan still runs"),
		("annual_inc", -5.0, "annual_inc '-5.0' is below 0"),
		("issue_d", "Jan-2031", "issue_d 'Jan-2031' is after the day of the run"),
	],
)
def test_a_bad_value_is_named_with_its_row_and_column(column, value, said, external, refuse):
	bad = external.assign(**{column: external[column].where(external.index != 3, value)})

	problem = refuse(bad)

	assert f"1 of 1,500 rows cannot be used (row 4: {said}" in problem


def test_loans_the_model_was_trained_on_are_not_external(external, simulated_loans, refuse):
	own = render(simulated_loans.head(7), portfolio_columns())

	problem = refuse(pd.concat([external, own]))

	assert "7 of its 1,507 loans are among those that loantap-lending-demo version 4" in problem


def test_the_overlap_with_an_older_version_is_not_checked_and_no_one_claims_it_was(
	external, simulated_loans, scorer, caplog
):
	older = replace(scorer, training=None)

	result = measure_external(external, simulated_loans, older, OPTIONS)

	assert not result.is_overlap_checked
	assert "loantap-lending-demo version 4 has no record of the loans" in caplog.text
	assert "nobody can check" in caplog.text


@pytest.fixture(scope="module")
def older(sample_csv):
	path = sample_csv.parent / "lendingclub_2007_2010.parquet"
	require_data(path)
	return pd.read_parquet(path)


@pytest.fixture(scope="module")
def real_loans(sample_loans):
	return sample_loans.assign(
		loan_id=sample_loans.index.astype("str"), is_charged_off=mark_outcome(sample_loans["loan_status"])
	)


# Lending Club's loans of 2007 to 2010, judged by models of the real sample.
def test_the_lending_model_beats_the_interest_rate(older, real_loans):
	scorer = judge(train(real_loans, training_options("lending"), "real"), real_loans, "lending")

	result = measure_external(older, real_loans, scorer, OPTIONS)

	assert result.judgement.n == len(older) == 17_815
	assert result.rate_roc_auc == pytest.approx(0.635, abs=0.001)
	assert result.auc_gain_low > 0
	assert f"{result.first_issue_month:%Y-%m}" == "2007-06"
