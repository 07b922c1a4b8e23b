import numpy as np
import pandas as pd
import pytest

from loantap.features.build import MISSING, build_features
from loantap.model.leakage.gate import examine_portfolio
from tests.model.leakage.limits import OPTIONS, examine, examine_among, verdicts

HONEST = ("sub_grade_rank", "interest_rate_pct", "dti_pct", "loan_to_income", "term_months")


@pytest.fixture(params=["simulated", "real"])
def loans(request):
	return request.getfixturevalue(f"{request.param}_loans")


def test_the_pincode_is_found_when_5_percent_are_scrambled_and_no_category_is_pure(loans):
	rng, pincode = np.random.default_rng(1), loans["pincode"]
	others = pd.Series(rng.permutation(pincode.to_numpy()), index=pincode.index)
	scrambled = pincode.mask(rng.random(len(pincode)) < 0.05, others)
	rates = loans["is_charged_off"].groupby(scrambled).mean()
	assert 0 < rates.min() < rates.max() < 1

	finding = examine(scrambled, loans["is_charged_off"])

	assert finding.caught
	assert {c["category"] for c in finding.categories} == {"11650", "86630", "93700"}


# Without the loan itself: tests/model/leakage/test_findings.py.
def test_a_mean_of_outcomes_is_caught_where_its_area_would_let_it_pass(loans):
	mean = loans.groupby("earliest_credit_line")["is_charged_off"].transform("mean")

	finding = examine_among(mean.rename("dti_pct"), loans)

	assert finding.auc < OPTIONS.max_auc
	assert verdicts(finding)["computed_from_outcomes"] == "caught"
	assert "same earliest_credit_line" in finding.reasons[0]


def test_a_value_overwritten_at_settlement_is_caught_and_values_as_of_the_decision_pass(simulated_loans):
	days = np.random.default_rng(7).integers(90, 1_000, len(simulated_loans))
	settled = simulated_loans.assign(updated_at=simulated_loans["issue_month"] + pd.to_timedelta(days, unit="D"))
	features = build_features(settled, HONEST)

	finding = examine_among(features["dti_pct"] + days / 30, settled)

	assert verdicts(finding) == {"outcome_date": "caught"}
	assert "of the variance of updated_at" in finding.reasons[0]
	assert [verdicts(examine_among(features[name], settled)) for name in HONEST] == [{}] * 5


def test_thousands_of_rare_professions_tell_nothing_and_are_caught_for_being_remembered(real_loans):
	finding = examine(real_loans["profession"], real_loans["is_charged_off"])

	assert verdicts(finding) == {"memorised": "caught"}
	assert finding.auc_in_sample == pytest.approx(0.967, abs=0.02)
	assert finding.auc == pytest.approx(0.528, abs=0.03)


def test_a_flag_of_missing_mortgage_accounts_marks_a_vintage(real_loans):
	flag = real_loans["mortgage_accounts"].isna().astype("float64").rename("mortgage_accounts_is_missing")

	finding = examine_among(flag, real_loans)

	assert verdicts(finding) == {"vintage": "caught"}
	assert "its values mark a vintage: 99%" in finding.reasons[0]


def test_the_pincode_makes_the_model_look_good_and_the_listing_status_does_nothing(real_loans):
	is_train = pd.Series(np.arange(len(real_loans)) % 10 > 0, index=real_loans.index)
	options = OPTIONS.model_copy(update={"impact_loans": 20_000})
	features = build_features(real_loans, [*HONEST, "pincode", "listing_status"])
	assert MISSING not in set(features["pincode"])

	report = examine_portfolio(real_loans, features, is_train, options)

	(reasons,) = (entry["reasons"] for entry in report["features"] if entry["feature"] == "pincode")
	assert any("no honest column is known to tell more than about 0.750" in reason for reason in reasons)
	impact = {record["feature"]: record for record in report["impact"]}
	assert impact["pincode"]["n"] == is_train.sum()
	assert impact["pincode"]["difference"]["roc_auc_low"] > 0.17
	assert impact["pincode"]["difference"]["f2_low"] > 0.1
	assert abs(impact["listing_status"]["difference"]["roc_auc"]) < 0.003
