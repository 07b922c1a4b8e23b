import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, FEATURES, Feature
from loantap.model.leakage import lineage
from loantap.model.leakage.findings import LeakageError, require_no_leak
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.leakage.lineage import check_lineage
from loantap.portfolio.errors import InputError
from tests.model.leakage.limits import OPTIONS

FEW = ["dti_pct", "sub_grade_rank", "credit_history_years", "mortgage_accounts", "pincode"]


def is_train(loans):
	return pd.Series(np.arange(len(loans)) % 10 > 0, index=loans.index)


def gate(loans, features=None, **changes):
	given = build_features(loans, FEW) if features is None else features
	options = OPTIONS.model_copy(update=changes)
	return examine_portfolio(loans, given, is_train(loans), options)


def entry(report, name):
	return next(e for e in report["features"] if e["feature"] == name)


@pytest.fixture(scope="module")
def report(real_loans):
	return gate(real_loans, build_features(real_loans), impact_loans=10_000)


def test_the_real_sample_passes_with_every_feature_that_is_lent_on(report):
	caught = {e["feature"] for e in report["features"] if e["caught"]}

	assert caught == {"pincode", "listing_status", "income_verification"}
	assert all(check["passed"] for check in report["checks"].values())
	audited = {e["feature"]: e["caught"] for e in report["checks"]["audited_columns"]["columns"]}
	assert (audited["profession"], audited["sub_grade"]) == (True, False)
	for feature_set in FEATURE_SETS.values():
		require_no_leak(feature_set, report)


def test_what_its_own_columns_do_not_give_is_caught(simulated_loans):
	leaky = build_features(simulated_loans, FEW)
	leaky = leaky.assign(dti_pct=leaky["dti_pct"] + 0.2 * simulated_loans["is_charged_off"])

	report = gate(simulated_loans, leaky)

	found = entry(report, "dti_pct")
	assert found["auc"] < OPTIONS.max_auc
	assert found["reasons"][0].startswith("not what its own loan's dti_pct give: other values")
	lineage_check = report["checks"]["lineage"]
	assert (lineage_check["passed"], lineage_check["statement"][:18]) == (False, "4 of 5 features ca")
	with pytest.raises(LeakageError, match=r"dti_pct \(not what .* Build it in features/build"):
		require_no_leak(FEATURE_SETS["lending"], report)


def test_what_reads_a_column_it_does_not_declare_is_caught(simulated_loans, monkeypatch):
	values = build_features(simulated_loans, ["dti_pct"])["dti_pct"]
	understated = Feature("dti_pct", "DTI", ("loan_amount",))
	monkeypatch.setattr(lineage, "FEATURES", {**FEATURES, "dti_pct": understated})

	evidence = check_lineage(values, simulated_loans)

	assert evidence.verdict == "caught"
	assert evidence.statement == "reads column 'dti_pct', which it does not declare"


def travel(loans, count):
	"""Loans of which the first few opened their oldest credit line after they were issued."""
	line = loans["earliest_credit_line"].copy()
	line.iloc[:count] = loans["issue_month"].iloc[:count] + pd.DateOffset(months=3)
	return loans.assign(earliest_credit_line=line)


def test_many_dates_after_the_decision_are_caught_with_their_loans(simulated_loans):
	report = gate(travel(simulated_loans, 40).assign(updated_at=pd.Timestamp("2026-11-23")))

	assert not report["checks"]["time_travel"]["passed"]
	assert report["checks"]["time_travel"]["statement"].endswith("; updated_at does, and no feature uses it")
	found = entry(report, "credit_history_years")
	assert found["caught"]
	assert "earliest_credit_line in 40 of 4,000 loans (such as 00000, " in found["reasons"][0]
	assert "quarantine these loans" in found["remedies"][0]


def repeat(loans, count, **changes):
	"""Loans with training loans repeated among the held-out ones, some columns changed."""
	known = loans.dropna(subset="profession")
	train, test = known[is_train(loans)[known.index]], known[~is_train(loans)[known.index]]
	copies = train.head(count).assign(**changes).set_index(test.head(count).index)
	return pd.concat([loans.drop(copies.index), copies]).sort_index()


def test_too_many_duplicates_stop_a_set_for_lending_and_no_other(simulated_loans):
	report = gate(repeat(simulated_loans, 40))

	assert report["checks"]["borrowers"]["test_duplicates"] == 40
	with pytest.raises(LeakageError, match=r"40 of 400 held-out loans .*one side of the split"):
		require_no_leak(FEATURE_SETS["lending"], report)
	require_no_leak(FEATURE_SETS["benchmark"], report)


def test_outcomes_of_held_out_loans_are_not_looked_at(simulated_loans):
	outcome = simulated_loans["is_charged_off"]
	other = simulated_loans.assign(is_charged_off=outcome.where(is_train(simulated_loans), 1))

	assert gate(other) == gate(simulated_loans)


@pytest.mark.parametrize("outcome", [0, 1])
def test_training_loans_of_one_outcome_are_refused(simulated_loans, outcome):
	loans = simulated_loans.assign(is_charged_off=np.int8(outcome))

	with pytest.raises(InputError, match=r"of 3,600 were charged off: .* needs 5 of each"):
		gate(loans)
