import numpy as np
import pandas as pd
import pytest

from loantap.model.scoring.scorer import REASONS, Scorer
from loantap.policy.lab.rules import RuleTally
from loantap.policy.schemas import SCORES
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import AS_OF, MADE_UP_LOAN, raw_loans
from tests.policy.shipped import make_lab, make_test_decider

DECIDER = make_test_decider()
SAFE = {"int_rate": "14.0", "grade": "C", "sub_grade": "C2", "installment": "410.13"}
CHEAP = {"int_rate": "6.0", "grade": "A", "sub_grade": "A1", "installment": "365.06"}
RISKY = {
	"int_rate": "24.0",
	"grade": "F",
	"sub_grade": "F5",
	"installment": "345.21",
	"term": " 60 months",
	"annual_inc": "30000",
	"dti": "30",
}
POOR = {"annual_inc": "15000"}


def underwrite(applications, scorer):
	return Underwriter(scorer, DECIDER).underwrite(applications, AS_OF)


@pytest.fixture(scope="module")
def scorer(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "3")


def test_a_safe_application_is_approved_a_risky_one_declined_and_a_broken_one_invalid(scorer):
	applications = raw_loans(SAFE, RISKY, {"term": "48 months"})

	scores = underwrite(applications, scorer)

	assert list(scores["decision"]) == ["approve", "decline", "invalid"]
	assert list(scores["probability_of_default"].isna()) == [False, False, True]
	assert scores.loc[2, "reason_1"] == "term '48 months': not 36 or 60"
	assert set(scores["model_name"]) == {"loantap-lending-demo"}
	assert set(scores["model_version"]) == {"3"}
	SCORES.validate(scores)


def test_what_decided_is_said_before_the_features_that_raise_the_risk(scorer):
	applications = raw_loans(SAFE, CHEAP, RISKY, SAFE | POOR)

	scores = underwrite(applications, scorer)

	assert list(scores["decision"]) == ["approve", "decline", "decline", "refer"]
	said = scores["reason_1"].tolist()
	assert scores["probability_of_default"].idxmin() == 1
	assert said[1] == "the interest rate does not cover the expected loss"
	assert said[2] == "the risk is above the highest that the policy accepts"
	assert said[3].startswith("the amount asked for as a share of yearly income is outside the range of the loans that")
	without = scorer.score(applications, AS_OF)
	assert said[0] == without.loc[0, "reason_1"]
	for number in (2, 3, 4):
		told = scores.loc[1:, f"reason_{number}"].tolist()
		assert told == without.loc[1:, f"reason_{number - 1}"].tolist()


def test_applications_without_identifiers_get_their_row_number(scorer):
	scores = underwrite(raw_loans(SAFE, RISKY).set_axis(pd.Index([9, 4], name="dti")), scorer)

	assert scores["application_id"].astype(int).diff().dropna().eq(1).all()
	assert scores["application_id"].is_unique
	SCORES.validate(scores)


@pytest.mark.parametrize(
	("given", "expected"),
	[
		(["a", "  "], ["a", None]),
		([7.0, np.nan], ["7", None]),
		(["row 1", "row 0"], ["row 1", "row 0"]),
		(["A-1   ", "a-1"], ["A-1", "a-1"]),
	],
)
def test_an_identifier_is_given_back_as_it_is_and_one_that_is_missing_stays_so(scorer, given, expected):
	applications = raw_loans(SAFE, RISKY).assign(application_id=given)

	scores = underwrite(applications, scorer)

	named = scores["application_id"].astype("object").where(scores["application_id"].notna(), None)
	assert list(named) == expected
	SCORES.validate(scores)


def test_no_applications_get_no_decisions_but_the_columns(scorer):
	scores = underwrite(raw_loans().head(0), scorer)

	assert scores.empty
	SCORES.validate(scores)


def test_loans_like_those_of_training_are_seldom_unlike_them(scorer, simulated_loans):
	applications = render(simulated_loans, portfolio_columns())

	scores = underwrite(applications, scorer)

	shares = scores["decision"].value_counts(normalize=True)
	assert set(shares.index) == {"approve", "refer", "decline"}
	assert 0.4 < shares["approve"] < 0.8
	assert shares["refer"] < 0.1
	approved = scores["decision"] == "approve"
	assert scores.loc[approved, "expected_npv"].gt(0).all()
	assert scores.loc[~approved, "reason_1"].ne("").all()


def test_underwriting_does_not_touch_the_applications(scorer):
	applications = raw_loans(SAFE, {"dti": "x"})
	before = applications.copy(deep=True)

	underwrite(applications, scorer)

	pd.testing.assert_frame_equal(applications, before)


@pytest.mark.parametrize("ids", [None, ["a", None, None, "b", "c", None, "d"]], ids=["no ids", "some missing"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_file_gets_the_same_decisions_in_whatever_batches_it_is_read(size, ids, scorer):
	applications = raw_loans(SAFE, RISKY, {"dti": "x"}, {"term": "48 months"}, {}, SAFE, RISKY)
	applications = applications if ids is None else applications.assign(application_id=ids)
	underwriter = Underwriter(scorer, DECIDER)

	scores = [
		SCORES.validate(underwriter.underwrite_batch(applications[row : row + size], row, AS_OF))
		for row in range(0, len(applications), size)
	]

	whole = underwriter.underwrite(applications, AS_OF)
	pd.testing.assert_frame_equal(pd.concat([batch.astype(whole.dtypes) for batch in scores], ignore_index=True), whole)
	assert whole["application_id"].isna().tolist() == [ids is not None and one is None for one in ids or range(7)]


@pytest.mark.parametrize(
	"application",
	[
		SAFE,
		RISKY,
		{"dti": None, "sub_grade": "Z9"},
		{"application_id": 7},
		{"application_id": 7.0},
		{"application_id": np.nan},
		{"application_id": " A-7 "},
		{"application_id": "  "},
		{"int_rate": "0.12", "dti": "x"},
		{"installment": 39857.0},
	],
	ids=str,
)
def test_one_application_is_decided_as_in_a_frame(application, scorer):
	given = MADE_UP_LOAN | application
	row = underwrite(pd.DataFrame([given]), scorer).iloc[0]

	one = Underwriter(scorer, DECIDER).underwrite_one(given, AS_OF)

	assert one.application_id == (None if pd.isna(row.application_id) else row.application_id)
	assert one.decision == row["decision"]
	assert list(one.reasons) == row[list(REASONS)].tolist()
	assert one.expected_npv == pytest.approx(None if pd.isna(row["expected_npv"]) else row["expected_npv"], abs=1e-9)
	assert (one.policy_version, one.policy_digest) == (row.policy_version, row.policy_digest)
	assert (one.model_name, one.model_version) == (row["model_name"], row["model_version"])
	if one.decision == "invalid":
		assert one.probability_of_default is None
		assert one.score is None
	else:
		assert one.score == row["score"]
		assert one.probability_of_default == pytest.approx(row["probability_of_default"], abs=1e-9)


class TestRules:
	RULES = tuple(rule for rule in make_lab().rules if rule.id in {"dti_at_most_30", "sixty_months_up_to_grade_c"})
	HIGH_DTI = SAFE | {"dti": "31", "annual_inc": "150000"}
	LONG = SAFE | {"term": " 60 months", "installment": "279.22", "annual_inc": "90000"}
	LONG_D = LONG | {"grade": "D", "sub_grade": "D1"}
	GIVEN = (SAFE, HIGH_DTI, LONG, LONG_D, CHEAP | {"dti": "31"}, HIGH_DTI | POOR, {"dti": "x"})

	@pytest.fixture
	def underwriter(self, scorer):
		return Underwriter(scorer, DECIDER, self.RULES)

	def test_they_decline_what_the_policy_would_not(self, underwriter):
		scores = underwriter.underwrite(raw_loans(*self.GIVEN), AS_OF)
		without = underwrite(raw_loans(*self.GIVEN), underwriter.scorer)

		assert list(without["decision"]) == ["approve", "approve", "approve", "approve", "decline", "refer", "invalid"]
		# What is unlike the loans of the training stays with a person, and a price that is too low stays the reason.
		assert list(scores["decision"]) == ["approve", "decline", "approve", "decline", "decline", "refer", "invalid"]
		broken = "it breaks a rule of the credit policy: "
		assert scores.loc[1, "reason_1"] == f"{broken}DTI at most 30%"
		assert scores.loc[3, "reason_1"] == f"{broken}60 months only up to grade C"
		assert scores.loc[1, "reason_2"] == without.loc[1, "reason_1"]
		for row in (0, 2, 4, 5, 6):
			assert scores.loc[row, "reason_1"] == without.loc[row, "reason_1"]

	def test_one_application_is_decided_as_in_a_frame(self, underwriter):
		scores = underwriter.underwrite(raw_loans(*self.GIVEN), AS_OF)

		for row, given in enumerate(self.GIVEN):
			one = underwriter.underwrite_one(MADE_UP_LOAN | given, AS_OF)
			assert one.decision == scores.loc[row, "decision"]
			assert list(one.reasons) == scores.loc[row, list(REASONS)].tolist()
			assert one.policy_version == scores.loc[row, "policy_version"]

	def test_they_are_on_record_with_every_decision(self, underwriter):
		scores = underwriter.underwrite(raw_loans(SAFE), AS_OF)

		assert scores.loc[0, "policy_version"] == ("npv 2026-11 + dti_at_most_30 + sixty_months_up_to_grade_c")
		assert "grade" in underwriter.columns
		other = Underwriter(underwriter.scorer, DECIDER, self.RULES[:1])
		digests = {u.policy_digest for u in (underwriter, other)}
		assert len(digests | {DECIDER.policy.short_digest}) == 3
		assert {len(digest) for digest in digests} == {12}

	def test_what_others_would_have_done_is_counted(self, scorer):
		tally = RuleTally(self.RULES)
		underwriter = Underwriter(scorer, DECIDER)

		applications = raw_loans(*self.GIVEN)
		for row in range(0, len(applications), 3):
			underwriter.underwrite_batch(applications[row : row + 3], row, AS_OF, rule_tally=tally)

		first, second = tally.describe()
		# Of six that could be scored: HIGH_DTI, and not the one unlike the loans of the training.
		assert "DTI at most 30% would have declined 1 of 6 applications" in first
		assert first.endswith("(scoring.recommendations=[dti_at_most_30])")
		assert "60 months only up to grade C would have declined 1 of 6" in second
		assert RuleTally(self.RULES).describe() == []

	@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
	def test_what_is_counted_is_what_the_rule_does_once_it_is_on(self, rule, scorer):
		applications = raw_loans(*self.GIVEN, self.LONG_D | {"dti": "31"}, self.LONG_D | POOR)
		tally, off = RuleTally([rule]), Underwriter(scorer, DECIDER)
		off.underwrite_batch(applications, 0, AS_OF, rule_tally=tally)

		on = Underwriter(scorer, DECIDER, (rule,)).underwrite(applications, AS_OF)

		is_declined = on["decision"] == "decline"
		is_new = is_declined & (off.underwrite(applications, AS_OF)["decision"] != "decline")
		assert tally.declined == [is_new.sum()] == [2]
