import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.cleaning import mark_outcome
from loantap.simulator import simulate_portfolio
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.performance import (
	check_expected,
	check_matured,
	check_money,
	expect_performance,
	join_outcomes,
)
from tests.policy.shipped import ECONOMICS, make_test_decider
from tests.surveillance.monitoring import options

OPTIONS = options.OPTIONS.performance
AS_OF = pd.Timestamp("2017-03-31")
N = 4_000


class Training:
	"""What is asked of a profile."""

	n, default_rate, roc_auc, roc_auc_low = 18_000, 0.2, 0.70, 0.69


def decide(seed=0, issued="2012-01", **changes):
	"""Decisions with right PDs, and what became of the loans."""
	rng = np.random.default_rng(seed)
	log_odds = rng.normal(-1.6, 0.8, N)
	pd_ = 1 / (1 + np.exp(-log_odds))
	names = [f"L{number}" for number in range(N)]
	decisions = pd.DataFrame({"application_id": names, "decided_at": pd.Timestamp("2011-12-20", tz="UTC")})
	decisions = decisions.assign(probability_of_default=pd_, decision="approve", expected_npv=100.0, model="m 1")
	loans = pd.DataFrame({"loan_id": names, "is_charged_off": (rng.random(N) < pd_).astype("int64"), "term_months": 36.0})
	terms = {"loan_amount": 10_000.0, "interest_rate_pct": 14.0, "issue_month": pd.Timestamp(issued)}
	return decisions.assign(**changes), loans.assign(**terms)


def judge_all(decisions, loans):
	return list(check_matured(join_outcomes(decisions, loans, AS_OF), Training, "m 1", OPTIONS))


def judge(decisions, loans):
	return {check.what: check for check in judge_all(decisions, loans)}


def test_a_model_that_is_right_raises_no_alarm():
	found = judge(*decide())

	assert {check.verdict for check in found.values()} == {Verdict.QUIET}
	assert found["roc_auc"].low < found["roc_auc"].value < found["roc_auc"].high
	assert found["roc_auc"].n == N


def test_one_that_no_longer_ranks_raises_one_of_its_auc():
	decisions, loans = decide()
	pd_ = decisions["probability_of_default"].sample(frac=1, random_state=1)

	found = judge(decisions.assign(probability_of_default=pd_.values), loans)

	assert options.alarms(found.values()) == {("issued 2012", "roc_auc")}


def test_loans_that_a_policy_chose_are_harder_to_rank_and_raise_none():
	for seed in range(20):
		decisions, loans = decide(seed)
		made = decisions["probability_of_default"] < decisions["probability_of_default"].quantile(0.6)

		found = judge(decisions[made], loans)["roc_auc"]

		assert (found.verdict, found.limit < 0.67) == (Verdict.QUIET, True)


def test_what_another_version_got_wrong_says_nothing_of_this_one():
	decisions, loans = decide(model="m 0")

	assert {check.verdict for check in judge(decisions, loans).values()} == {Verdict.CANNOT_TELL}


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_one_that_counts_wrong_raises_one_of_its_calibration(factor):
	decisions, loans = decide()
	pd_ = decisions["probability_of_default"] * factor

	found = judge(decisions.assign(probability_of_default=pd_), loans)

	assert options.alarms(found.values()) == {("issued 2012", "calibration")}
	assert f"expected {pd_.mean():.1%}" in found["calibration"].words


@pytest.mark.parametrize(("issued", "n"), [("2014-03", N), ("2014-04", 0)])
def test_a_loan_counts_from_the_end_of_its_contract_on(issued, n):
	assert len(join_outcomes(*decide(issued=issued), AS_OF)) == n


@pytest.mark.parametrize(("decided", "n"), [("2012-01-31 23:00", N), ("2012-02-01 01:00", 0)])
def test_a_decision_made_after_the_month_of_issue_may_know_the_outcome_and_does_not_count(decided, n):
	assert len(join_outcomes(*decide(decided_at=pd.Timestamp(decided, tz="UTC")), AS_OF)) == n


def test_of_an_application_that_was_decided_twice_the_last_decision_counts():
	decisions, loans = decide()
	before = decisions.assign(decided_at=decisions["decided_at"] - pd.Timedelta(days=3), probability_of_default=0.01)

	joined = join_outcomes(pd.concat([decisions, before]), loans, AS_OF)

	assert joined["probability_of_default"].tolist() == decisions["probability_of_default"].tolist()


def test_without_matured_loans_nothing_is_judged():
	decisions, loans = decide(issued="2017-01")
	[found] = check_matured(join_outcomes(decisions, loans, AS_OF), Training, "m 1", OPTIONS)

	assert (found.verdict, found.n, found.value) == (Verdict.CANNOT_TELL, 0, None)


def test_pds_that_lie_close_together_are_expected_to_rank_worse():
	decisions, _ = decide()
	squeezed = decisions.assign(probability_of_default=0.2 + (decisions["probability_of_default"] - 0.2) * 0.2)

	quiet, _ = check_expected(decisions, Training, "m 1", OPTIONS)
	found, _ = check_expected(squeezed, Training, "m 1", OPTIONS)

	assert quiet.verdict is Verdict.QUIET
	assert found.verdict is Verdict.ALARM
	assert found.high < found.limit == pytest.approx(0.67)


@pytest.mark.parametrize(
	("n", "changes"), [(199, {}), (200, {"probability_of_default": 0.001}), (200, {"model": "m 0"})]
)
def test_too_few_decisions_of_the_model_or_expected_charge_offs_expect_nothing(n, changes):
	[found] = check_expected(decide()[0].head(n).assign(**changes), Training, "m 1", OPTIONS)

	assert (found.verdict, found.value) == (Verdict.CANNOT_TELL, None)


@pytest.mark.parametrize(("charged_off", "verdict"), [(0, Verdict.QUIET), (1, Verdict.ALARM)])
def test_what_the_policy_in_force_would_have_earned_is_told_beside_what_was_to_be_expected(charged_off, verdict):
	decisions, loans = decide()
	matured = join_outcomes(decisions, loans.assign(is_charged_off=charged_off), AS_OF)

	decider = make_test_decider()
	found = check_money(matured, decider, ECONOMICS, OPTIONS)

	assert (0 < found.n < N, found.against_n, found.verdict) == (True, N, verdict)
	assert (found.value > 0) == (charged_off == 0)
	approved = matured[matured["probability_of_default"] < decider.limit(14.0, 36.0).approve_below]
	assert found.n == len(approved)
	assert f"would have approved {found.n:,} of the 4,000 loans that have matured" in found.words


def test_the_auc_of_three_loans_is_that_of_their_pairs():
	low, middle, high = 0.2, 0.5, 0.8
	right = high * (1 - middle) + high * (1 - low) + middle * (1 - low)
	wrong = middle * (1 - high) + low * (1 - high) + low * (1 - middle)

	found = expect_performance(np.array([low, middle, high]))

	assert found.roc_auc == pytest.approx(right / (right + wrong))
	assert found.default_rate == pytest.approx(0.5)


@pytest.mark.parametrize(("a", "b"), [(2, 8), (1, 4), (0.5, 3)])
def test_the_expected_auc_is_within_002_of_the_realised_auc_where_pds_are_right(a, b):
	rng = np.random.default_rng(0)
	pd_ = rng.beta(a, b, 20_000)
	realised = roc_auc_score(rng.random(len(pd_)) < pd_, pd_)

	found = expect_performance(pd_)

	assert abs(found.roc_auc - realised) < 0.02
	assert found.low < realised < found.high


def test_equal_pds_rank_nobody():
	assert expect_performance(np.full(100, 0.3)).roc_auc == pytest.approx(0.5)


def test_the_expected_auc_is_within_002_where_only_applicants_change(lending_model):
	scorer = Scorer(lending_model, "loantap-lending-demo", "1")
	others = simulate_portfolio(40_000, seed=8).portfolio
	riskier = others[others["dti_pct"].gt(18) & others["annual_income"].lt(70_000)]
	pd_ = scorer.assess_columns(riskier, pd.Timestamp("2026-11-30")).probability_of_default

	found = expect_performance(pd_)

	assert len(riskier) > 5_000
	assert abs(found.roc_auc - roc_auc_score(mark_outcome(riskier["loan_status"]), pd_)) < 0.02
