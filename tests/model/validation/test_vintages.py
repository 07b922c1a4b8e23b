import json
from dataclasses import fields
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.measures.auc import MIN_FOR_AUC
from loantap.model.training.options import OutOfTimeOptions
from loantap.model.training.splits import date_loans
from loantap.model.validation.vintage_report import ExternalResult, report_vintages
from loantap.model.validation.vintages import (
	FIGURES,
	Judgement,
	VintageAnalysis,
	analyse_vintages,
	judge,
	tabulate_origins,
	tabulate_vintages,
)
from tests.conftest import OUT_OF_TIME
from tests.model.validation.test_evaluation import OPTIONS

WINDOW = OutOfTimeOptions.model_validate(OUT_OF_TIME)
LEVELS = [name for name in FIGURES if name.startswith(("observed_to_expected", "ece"))]


@pytest.fixture(scope="module")
def loans(simulated_loans):
	columns = ["loan_id", "is_charged_off", "issue_month", "term_months"]
	dated = date_loans(simulated_loans, WINDOW)["judged_at"]
	return simulated_loans[columns].astype({"loan_id": "str"}).assign(judged_at=dated)


@pytest.fixture(scope="module")
def predictions(loans):
	"""PDs that know a little, for loans in cross-validation, in the test and out of time."""
	noise = np.random.default_rng(3).uniform(0.02, 0.3, len(loans))
	rows = loans[["loan_id", "is_charged_off"]].assign(probability_of_default=noise + 0.1 * loans["is_charged_off"])
	in_test = np.arange(len(loans)) % 10 == 0
	samples = {"cv": ~in_test, "test": in_test, "out_of_time": loans["judged_at"].notna()}
	return pd.concat([rows[is_in].assign(sample=name) for name, is_in in samples.items()])


@pytest.fixture(scope="module")
def origins(predictions, loans):
	return tabulate_origins(predictions, loans, WINDOW, OPTIONS)


@pytest.fixture(scope="module")
def vintages(predictions, loans):
	return tabulate_vintages(predictions, loans, WINDOW, OPTIONS)


@pytest.mark.parametrize(("bad", "is_shown"), [(MIN_FOR_AUC, True), (9, False), (0, False)])
def test_an_auc_needs_ten_loans_of_each_outcome(bad, *, is_shown):
	target = np.array([1] * bad + [0] * 50)
	judged = judge(target, np.linspace(0.1, 0.5, len(target)), OPTIONS)

	assert np.isfinite([judged.roc_auc, judged.roc_auc_low, judged.roc_auc_high]).all() == (is_shown)
	assert judged.default_rate == bad / len(target)


def test_each_origin_is_judged_on_its_loans(origins, predictions, loans):
	out_of_time = predictions[predictions["sample"] == "out_of_time"].merge(loans[["loan_id", "judged_at"]], on="loan_id")
	judged = origins.dropna(subset="n").set_index("origin")

	assert len(judged)
	for origin, rows in out_of_time.groupby("judged_at"):
		assert judged.loc[origin, "n"] == len(rows)
		assert judged.loc[origin, "roc_auc"] == pytest.approx(
			roc_auc_score(rows["is_charged_off"], rows["probability_of_default"])
		)


def test_a_skipped_origin_keeps_its_row_and_its_reason(predictions, loans):
	window = WINDOW.model_copy(update={"min_outcomes": 150})
	dated = loans.assign(judged_at=date_loans(loans, window)["judged_at"])
	kept = predictions["sample"].ne("out_of_time") | predictions["loan_id"].isin(dated.dropna()["loan_id"])

	origins = tabulate_origins(predictions[kept], dated, window, OPTIONS)

	skipped = origins["skipped"].ne("")
	assert skipped.any()
	assert not skipped.all()
	assert origins.loc[skipped, list(FIGURES)].isna().all(axis=None)
	assert origins.loc[~skipped, "n"].notna().all()


def test_all_together_are_the_out_of_time_sample(predictions, loans):
	analysis = analyse_vintages(predictions, loans, WINDOW, OPTIONS)

	assert analysis.pooled is not None
	assert analysis.pooled.n == analysis.origins["n"].sum() == loans["judged_at"].notna().sum()


def test_every_loan_is_in_one_vintage(vintages, loans):
	by = [loans["issue_month"].dt.year, loans["term_months"]]
	expected = loans.groupby(by)["is_charged_off"].agg(["size", "sum"])

	table = vintages.set_index(["issue_year", "term_months"])
	assert table["n"].to_dict() == expected["size"].to_dict()
	assert table["charged_off"].to_dict() == expected["sum"].to_dict()


def test_a_vintage_has_levels_when_all_its_contracts_ended_before_the_snapshot(vintages):
	table = vintages.set_index(["issue_year", "term_months"])["interpretable"]
	later = ~vintages["interpretable"].astype(bool)

	assert table[2013, 36]
	assert not table[2014, 36]  # those of March 2014 ran until the outcomes were known
	assert table[2011, 60]
	assert not table[2012, 60]
	# Without them nothing can be alarmed.
	assert vintages.loc[later, LEVELS].isna().all(axis=None)
	assert vintages.loc[~later, LEVELS].notna().all(axis=None)
	assert vintages[["default_rate", "mean_pd"]].notna().all(axis=None)


JUDGEMENT = Judgement(120, 24, *[1 / 3] * (len(fields(Judgement)) - 2))
ROW = {f.name: getattr(JUDGEMENT, f.name) for f in fields(Judgement)}
VINTAGES = VintageAnalysis(
	pooled=JUDGEMENT,
	origins=pd.DataFrame(
		[
			{"origin": pd.Timestamp("2012-07-01"), "trained_loans": 5, "skipped": "too few"} | dict.fromkeys(ROW, np.nan),
			{"origin": pd.Timestamp("2013-01-01"), "trained_loans": 500, "skipped": ""} | ROW,
		]
	),
	vintages=pd.DataFrame([{"issue_year": 2014, "term_months": 36, "interpretable": False} | ROW]),
)
EXTERNAL = ExternalResult(
	"loantap-lending",
	"3",
	date(2007, 6, 1),
	date(2010, 12, 1),
	JUDGEMENT,
	*[0.01234567] * 9,
	4_715,
	is_overlap_checked=True,
)


def report(external=None, window=WINDOW):
	made = report_vintages({"lending": VINTAGES}, {"lending": external or []}, window, "real")
	return json.loads(json.dumps(made, allow_nan=False))  # plain JSON throughout


def test_figures_have_six_significant_digits_counts_are_whole_and_what_was_not_measured_is_null():
	(skipped, row) = report()["models"]["lending"]["rolling_origin"]["origins"]

	assert row["roc_auc"] == 0.333333
	assert (row["origin"], row["n"], row["trained_loans"]) == ("2013-01", 120, 500)
	assert isinstance(row["n"], int)
	assert (skipped["skipped"], skipped["n"], skipped["roc_auc"]) == ("too few", None, None)


def test_the_external_portfolio_is_there_when_one_was_given():
	made = report([EXTERNAL])

	external = made["models"]["lending"]["external"]
	assert external["first_issue_month"] == "2007-06"
	assert external["auc_gain"] == 0.0123457
	assert (external["n"], external["training_loans"]) == (120, 4_715)
	assert "level" in made["caveats"]["external"]


@pytest.mark.parametrize(("settled_only", "said"), [(False, "taken as known"), (True, "contract had ended")])
def test_the_caveat_is_that_of_the_variant(*, settled_only, said):
	window = WINDOW.model_copy(update={"settled_only": settled_only})

	assert said in report(window=window)["caveats"]["rolling_origin"]
