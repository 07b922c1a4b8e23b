import numpy as np
import pandas as pd
import pytest

from loantap.measures.intervals import wilson_bounds
from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import DECISIONS, Decided, Decider
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import impute_flows
from loantap.policy.schemas import TARGET_CHECKS
from loantap.policy.targets import check_targets, decide_loans, tabulate_approvals, tabulate_targets, try_policy
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.errors import InputError
from tests.policy.shipped import ECONOMICS, make_policy, make_test_decider

# A loan that is surely approved, one above the highest amount, and two that are surely declined,
# the second of them paid back.
PDS = [0.01, 0.01, 0.9, 0.9]
LOANS = pd.DataFrame(
	{
		"loan_id": ["a", "b", "c", "d"],
		"loan_amount": [10_000.0, 40_000.0, 5_000.0, 8_000.0],
		"interest_rate_pct": [15.0, 15.0, 12.0, 12.0],
		"term_months": [36.0] * 4,
		"issue_month": pd.to_datetime(["2013-01-01"] * 4),
		"is_charged_off": [0, 0, 1, 0],
		"state": ["CA", "NY", "CA", "TX"],
	}
)
PREDICTIONS = pd.DataFrame({"loan_id": LOANS["loan_id"], "probability_of_default": PDS})


def try_shipped(loans=LOANS, predictions=PREDICTIONS):
	return try_policy(make_test_decider(), predictions, loans, ECONOMICS)


def test_shares_are_those_of_the_decisions():
	trial = try_shipped()

	assert trial.loans == 4
	assert trial.shares == {"approve": 0.25, "refer": 0.25, "decline": 0.5}


def test_the_gain_is_what_the_declined_loans_would_have_lost():
	earned = impute_flows(LOANS, ECONOMICS.main_scenario, ECONOMICS, PaidLife.CONTRACTUAL).npv

	trial = try_shipped()

	# Declined are c and d; a and b count as approved, b although a person decides.
	assert trial.gain.value == pytest.approx(-(earned[2] + earned[3]) / 4)
	assert trial.gain.low < trial.gain.value < trial.gain.high


def test_loans_are_found_by_their_name_in_whatever_order():
	assert try_shipped(LOANS.iloc[::-1].reset_index(drop=True)) == try_shipped()


def test_targets_are_checked_on_the_same_loans():
	checks = {check.target: check for check in try_shipped().targets}

	expected = {"review_capacity": 0.25, "min_approval_rate": 0.5, "max_default_rate": 0}
	assert {name: checks[name].reached for name in expected} == expected


def test_a_policy_need_not_be_approved():
	draft = make_policy(min_margin=0.5).model_copy(update={"digest": "another"})
	decider = Decider(draft, draft.find_scenario(ECONOMICS))

	assert try_policy(decider, PREDICTIONS, LOANS, ECONOMICS).shares["decline"] == 1


def test_without_loans_nothing_is_said():
	with pytest.raises(InputError, match="no loans to try it on"):
		try_shipped(predictions=PREDICTIONS.head(0))


TARGETS = Targets(review_capacity=0.05, min_approval_rate=0.5, max_default_rate=0.25, max_concentration=0.2)
NAMES = list(Targets.model_fields)


def check(*, approve=0, refer=0, decline=0, bad=0, in_one_state=0, targets=TARGETS):
	"""So many of the approved, who come first, are charged off, so many of one state; the others are of ten more."""
	n = approve + refer + decline
	codes = np.repeat([0, 1, 2], [approve, refer, decline])
	states = [f"S{place % 10}" for place in range(n)]
	states[:in_one_state] = ["A"] * in_one_state
	loans = pd.DataFrame(
		{
			"is_charged_off": (np.arange(n) < bad).astype(int),
			"loan_amount": np.full(n, 1_000.0),
			"state": pd.Series(states, dtype="str"),
		}
	)
	decided = Decided(Texts(codes, DECISIONS), np.zeros(n, int), np.zeros(n))
	return check_targets(decided, loans, targets)


# All of the loans that were charged off, and of state A, are among the approved.
COUNTS = {"approve": 500, "refer": 60, "decline": 440, "bad": 200, "in_one_state": 150}


def test_targets_are_checked_with_their_intervals():
	checks = check(**COUNTS)

	assert [of.target for of in checks] == NAMES
	review, floor, default, concentration = checks
	assert (review.reached, review.limit, review.n) == (0.06, 0.05, 1_000)
	assert review.reached_low < 0.06 < review.reached_high
	assert review.holds  # .06 of 1,000 cannot be told from .05
	assert (floor.reached, floor.n, floor.holds) == (0.56, 1_000, True)
	assert (default.reached, default.n, default.holds) == (0.4, 500, False)
	assert (concentration.reached, concentration.limit, concentration.n) == (0.3, 0.2, 500)
	assert 0.2 < concentration.reached_low < 0.3 < concentration.reached_high
	assert not concentration.holds
	assert [of.verdict for of in checks] == ["not told apart", "holds", "MISSED", "MISSED"]


@pytest.mark.parametrize(
	("counts", "missed"),
	[
		({"approve": 500, "refer": 100, "decline": 400}, {"review_capacity"}),
		({"approve": 300, "refer": 50, "decline": 650}, {"min_approval_rate"}),
		({"approve": 500, "decline": 500, "bad": 150}, {"max_default_rate"}),
		({"approve": 500, "decline": 500, "in_one_state": 140}, {"max_concentration"}),
		# Beyond the limit, but not for sure.
		({"approve": 500, "decline": 500, "bad": 135, "in_one_state": 110}, set()),
		({"decline": 500, "bad": 500, "in_one_state": 500}, {"min_approval_rate"}),
	],
	ids=str,
)
def test_a_target_that_is_missed_for_sure_does_not_hold(counts, missed):
	assert {of.target for of in check(**counts) if not of.holds} == missed


def test_where_nobody_is_approved_nothing_is_said_of_what_is_approved():
	assert [of.target for of in check(refer=50, decline=950)] == NAMES[:2]
	assert not check()


def test_a_target_at_the_end_of_the_interval_still_holds():
	review, floor, default, concentration = check(**COUNTS)
	targets = Targets(
		review_capacity=review.reached_low,
		min_approval_rate=floor.reached_high,
		max_default_rate=default.reached_low,
		max_concentration=concentration.reached_low,
	)

	assert all(of.holds for of in check(**COUNTS, targets=targets))


def test_the_table_has_a_row_for_each_target():
	table = TARGET_CHECKS.validate(tabulate_targets(check(approve=500, refer=60, decline=440)))

	assert table["target"].tolist() == NAMES
	assert table["n"].tolist() == [1_000, 1_000, 500, 500]
	assert table["reached"].tolist() == [0.06, 0.56, 0, 0.1]
	assert TARGET_CHECKS.validate(tabulate_targets([])).empty


JUDGED = pd.DataFrame(
	{
		"sample": ["test"] * 4 + ["cv"] * 2,
		"probability_of_default": [0.1, 0.2, 0.25, 0.3, 0.5, 0.6],
		"is_charged_off": [0, 1, 0, 1, 1, 0],
	}
)
APPROVED = JUDGED["probability_of_default"].lt(0.3).to_numpy()

PROFIT = np.array([10.0, -20, 30, 500, 500, 500])


@pytest.fixture(scope="module")
def approvals():
	return tabulate_approvals(JUDGED, APPROVED, PROFIT).set_index("sample")


def test_each_sample_counts_its_own_loans_in_the_order_given(approvals):
	assert approvals["n"].to_dict() == {"test": 4, "cv": 2}
	assert list(approvals.index) == ["test", "cv"]
	assert approvals.loc["test", ["approved", "approval_rate"]].tolist() == [3, 0.75]
	assert tuple(approvals.loc["test", ["approval_rate_low", "approval_rate_high"]]) == pytest.approx(wilson_bounds(3, 4))


def test_the_default_rate_is_that_of_the_approved_alone(approvals):
	row = approvals.loc["test"]

	assert row["default_rate_approved"] == pytest.approx(1 / 3)
	bounds = tuple(row[["default_rate_approved_low", "default_rate_approved_high"]])
	assert bounds == pytest.approx(wilson_bounds(1, 3))


def test_what_is_declined_earns_nothing_per_application(approvals):
	assert approvals["profit"].to_dict() == {"test": 5, "cv": 0}
	row = approvals.loc["test"]
	assert row["profit_high"] - row["profit"] == pytest.approx(1.96 * np.std([10, -20, 30, 0], ddof=1) / 2, rel=1e-4)


def test_where_nobody_is_approved_there_is_no_default_rate(approvals):
	assert approvals.loc["cv", "approval_rate"] == 0
	assert approvals.filter(like="default").loc["cv"].isna().all()


def test_a_loan_is_decided_at_the_pd_of_each_sample_and_its_own_terms():
	predictions = pd.DataFrame({"loan_id": ["b", "a", "a"], "probability_of_default": [0.2, 0.2, 0.05]})
	loans = LOANS.head(2).assign(loan_amount=10_000.0, interest_rate_pct=[12.0, 24])

	decided = decide_loans(predictions, loans, make_test_decider())

	assert decided.approves.tolist() == [True, False, True]
