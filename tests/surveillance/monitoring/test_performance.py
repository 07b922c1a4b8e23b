import numpy as np
import pandas as pd
import pytest

from loantap.policy.money.cash_flows import Economics
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.monitoring.performance import check_expected, check_matured, check_money, join_outcomes
from tests.policy.shipped import ECONOMICS
from tests.surveillance.monitoring.options import read_options

OPTIONS = read_options().performance
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
	decisions = decisions.assign(probability_of_default=pd_, decision="approve", expected_npv=100.0)
	loans = pd.DataFrame({"loan_id": names, "is_charged_off": (rng.random(N) < pd_).astype("int64"), "term_months": 36.0})
	terms = {"loan_amount": 10_000.0, "interest_rate_pct": 14.0, "issue_month": pd.Timestamp(issued)}
	return decisions.assign(**changes), loans.assign(**terms)


def judge(decisions, loans):
	matured = join_outcomes(decisions, loans, AS_OF)
	return {check.what: check for check in check_matured(matured, Training, OPTIONS)}


def test_a_model_that_is_right_raises_no_alarm():
	found = judge(*decide())

	assert {what: check.verdict for what, check in found.items()} == {
		"roc_auc": Verdict.QUIET,
		"calibration": Verdict.QUIET,
	}
	assert found["roc_auc"].low < found["roc_auc"].value < found["roc_auc"].high
	assert found["roc_auc"].n == N


def test_one_that_no_longer_ranks_raises_one_of_its_auc():
	decisions, loans = decide()
	shuffled = decisions.assign(
		probability_of_default=decisions["probability_of_default"].sample(frac=1, random_state=1).values
	)

	found = judge(shuffled, loans)

	assert found["roc_auc"].verdict is Verdict.ALARM
	assert found["calibration"].verdict is Verdict.QUIET


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_one_that_counts_wrong_raises_one_of_its_calibration(factor):
	decisions, loans = decide()
	wrong = decisions.assign(probability_of_default=decisions["probability_of_default"] * factor)

	found = judge(wrong, loans)

	assert found["calibration"].verdict is Verdict.ALARM
	assert found["roc_auc"].verdict is Verdict.QUIET
	assert f"expected {wrong['probability_of_default'].mean():.1%}" in found["calibration"].words


@pytest.mark.parametrize(("issued", "n"), [("2014-03", N), ("2014-04", 0)])
def test_a_loan_counts_from_the_end_of_its_contract_on(issued, n):
	assert len(join_outcomes(*decide(issued=issued), AS_OF)) == n


def test_of_an_application_that_was_decided_twice_the_last_decision_counts():
	decisions, loans = decide()
	before = decisions.assign(decided_at=decisions["decided_at"] - pd.Timedelta(days=3), probability_of_default=0.01)

	joined = join_outcomes(pd.concat([decisions, before]), loans, AS_OF)

	assert joined["probability_of_default"].tolist() == decisions["probability_of_default"].tolist()


def test_without_matured_loans_nothing_is_judged():
	decisions, loans = decide(issued="2017-01")
	[found] = check_matured(join_outcomes(decisions, loans, AS_OF), Training, OPTIONS)

	assert (found.verdict, found.n, found.value) == (Verdict.CANNOT_TELL, 0, None)


def test_in_200_quiet_years_of_four_vintages_at_most_5_in_100_raise_an_alarm():
	loud = 0
	for seed in range(200):
		decisions, loans = decide(seed)
		loans["issue_month"] = pd.to_datetime([f"{2010 + number % 4}-01" for number in range(N)])
		matured = join_outcomes(decisions, loans, AS_OF)
		loud += any(check.verdict is Verdict.ALARM for check in check_matured(matured, Training, OPTIONS))

	assert loud <= 10


def test_pds_that_lie_close_together_are_expected_to_rank_worse():
	decisions, _ = decide()
	squeezed = decisions.assign(probability_of_default=0.2 + (decisions["probability_of_default"] - 0.2) * 0.2)

	quiet, _ = check_expected(decisions, Training, OPTIONS)
	found, _ = check_expected(squeezed, Training, OPTIONS)

	assert quiet.verdict is Verdict.QUIET
	assert found.verdict is Verdict.ALARM
	assert found.high < found.limit == pytest.approx(0.67)


def test_too_few_decisions_expect_nothing():
	[found] = check_expected(decide()[0].head(199), Training, OPTIONS)

	assert found.verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize(("charged_off", "verdict"), [(0, Verdict.QUIET), (1, Verdict.ALARM)])
def test_what_the_policy_earned_is_told_beside_what_it_expected(charged_off, verdict):
	decisions, loans = decide()
	half = decisions.assign(decision=np.where(np.arange(N) < N // 2, "approve", "decline"))

	found = check_money(join_outcomes(half, loans.assign(is_charged_off=charged_off), AS_OF), ECONOMICS, OPTIONS)

	assert isinstance(ECONOMICS, Economics)
	assert (found.n, found.verdict) == (N // 2, verdict)
	assert (found.value > 0) == (charged_off == 0)
	assert "the policy had expected 100" in found.words
