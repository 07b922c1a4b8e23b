from itertools import product

import numpy as np
import pytest

from loantap.policy.fairness.frontier import Queue, equalise, price_fairness
from loantap.policy.fairness.policy_audit import join_approvals
from loantap.policy.fairness.proxies import POLICY_PROXIES
from loantap.policy.money.cash_flows import VALUED_BY, PaidLife, expected_npv
from loantap.policy.money.returns import tabulate_profits
from loantap.policy.schemas import FAIRNESS_FRONTIER
from tests.policy.fairness.approvals import OPTIONS, decide, predict
from tests.policy.shipped import ECONOMICS


def make_queue(seed, loans, shift):
	"""Groups whose expected NPVs differ in level; loans that are expected to earn are approved."""
	rng = np.random.default_rng(seed)
	codes = rng.permutation(np.repeat(np.arange(len(loans)), loans))
	expected = rng.normal(np.asarray(shift)[codes], 100)
	return Queue.line_up(codes, expected > 0, expected)


def measure_value(queue, counts):
	return sum(float(value[count]) for value, count in zip(queue.value, counts, strict=True))


def test_the_approved_come_first_and_then_the_most_valuable():
	codes = np.array([0, 1, 0, 0, 1])
	approved = np.array([False, True, True, False, False])
	expected = np.array([5.0, 1.0, 2.0, 7.0, 3.0])

	queue = Queue.line_up(codes, approved, expected)

	assert queue.order.tolist() == [2, 3, 0, 1, 4]
	assert queue.loans.tolist() == [3, 2]
	assert queue.approved.tolist() == [1, 1]
	assert [value.tolist() for value in queue.value] == [[0, 2, 9, 14], [0, 1, 4]]


@pytest.mark.parametrize(("seed", "ratio"), [(0, 0.7), (1, 0.85), (2, 1.0)])
def test_no_other_hurdles_reach_the_ratio_for_less(seed, ratio):
	queue = make_queue(seed, (60, 40), (60, -60))
	loans = queue.loans
	cheapest = max(
		measure_value(queue, counts)
		for counts in product(range(61), range(41))
		if min(counts / loans) >= ratio * max(counts / loans) - 1e-9 and max(counts) > 0
	)

	counts = equalise(queue, np.array([True, True]), ratio)

	rates = counts / loans
	# With few loans it is reached a little short, or for a little more.
	assert rates.min() / rates.max() >= ratio - 1 / (loans.min() * rates.max())
	assert measure_value(queue, tuple(counts)) >= cheapest - 0.01 * abs(cheapest)


def test_a_ratio_that_is_reached_already_costs_nothing():
	queue = make_queue(3, (500, 400, 300), (10, 0, -10))
	rates = queue.approved / queue.loans

	counts = equalise(queue, np.full(3, True), rates.min() / rates.max())

	assert counts.tolist() == queue.approved.tolist()


def test_a_group_that_is_too_small_stays_as_it_is():
	queue = make_queue(4, (500, 400, 50), (60, -60, -200))

	counts = equalise(queue, np.array([True, True, False]), 1.0)

	assert counts[2] == queue.approved[2]
	assert counts[0] / 500 == pytest.approx(counts[1] / 400, abs=0.003)


@pytest.fixture(scope="module")
def rows(simulated_loans):
	predictions = predict(simulated_loans)
	approvals = decide(predictions, simulated_loans)
	rows = join_approvals(predictions, approvals, simulated_loans)
	# A policy that turns tenants away more often.
	rng = np.random.default_rng(1)
	kept = (rows["home_ownership"] != "RENT") | (rng.random(len(rows)) < 0.6)
	return rows.assign(npv=rows["npv"] & kept)


@pytest.fixture(scope="module")
def profits(simulated_loans):
	return tabulate_profits(simulated_loans, ECONOMICS).sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def frontier(rows, profits):
	return FAIRNESS_FRONTIER.validate(price_fairness(rows, profits, ECONOMICS, OPTIONS))


def test_the_frontier_has_each_target_in_each_scenario_but_not_the_pincode(frontier):
	proxies = [name for name, proxy in POLICY_PROXIES.items() if not proxy.audit_only]

	assert "pincode" not in proxies
	assert frontier["proxy"].unique().tolist() == proxies
	assert len(frontier) == len(proxies) * 4 * len(ECONOMICS.scenarios) * len(PaidLife)


def test_the_policy_as_it_is_loses_nothing(frontier, rows):
	as_it_is = frontier[frontier["target_ratio"].isna()]

	assert as_it_is.filter(like="lost_per_application").eq(0).all(axis=None)
	assert as_it_is["approved"].eq(rows["npv"].sum()).all()
	assert as_it_is[["approved_besides", "declined_besides"]].eq(0).all(axis=None)
	default_rate = rows.loc[rows["npv"], "is_charged_off"].mean()
	assert as_it_is["default_rate_approved"].to_numpy() == pytest.approx(default_rate)


def test_the_loss_is_the_mean_of_what_each_changed_loan_earned(frontier, rows, profits):
	proxy = POLICY_PROXIES["home_ownership"]
	codes = proxy.group(rows).cat.codes.to_numpy("int64")
	expected = expected_npv(*(rows[name] for name in VALUED_BY), ECONOMICS.main_scenario)
	queue = Queue.line_up(codes, rows["npv"].to_numpy(), expected)
	fair = queue.approve(equalise(queue, queue.loans >= 100, 0.9))
	npv = profits.set_index("loan_id").loc[rows["loan_id"], "npv_hard_capped"].to_numpy()
	lost = npv * rows["npv"] - npv * fair

	got = frontier.set_index(["proxy", "target_ratio", "scenario", "paid_life"]).loc[
		("home_ownership", 0.9, "hard", "capped")
	]

	assert got["approved_besides"] == (fair & ~rows["npv"]).sum() > 0
	assert got["declined_besides"] == (~fair & rows["npv"]).sum()
	assert got["lost_per_application"] == pytest.approx(lost.mean())
	half = 1.959964 * lost.std() / np.sqrt(len(lost))
	assert got["lost_per_application_low"] == pytest.approx(lost.mean() - half)
	assert got["lost_per_application_high"] == pytest.approx(lost.mean() + half)
	assert got["approval_rate"] == pytest.approx(fair.mean())


@pytest.mark.parametrize("verdict", [True, False])
def test_everybody_or_nobody_approved_changes_nothing(verdict, rows, profits):
	frontier = price_fairness(rows.assign(npv=verdict), profits, ECONOMICS, OPTIONS)

	FAIRNESS_FRONTIER.validate(frontier)
	assert frontier["lost_per_application"].eq(0).all()
	assert frontier["approval_rate"].eq(float(verdict)).all()
	# One group of professions is large enough there, so there is none to compare it with.
	ratios = frontier["worst_ratio"]
	assert ratios.eq(1).all() if verdict else ratios.isna().all()


def test_too_few_loans_have_no_ratio_and_no_price(rows, profits):
	frontier = price_fairness(rows.head(60), profits, ECONOMICS, OPTIONS)

	FAIRNESS_FRONTIER.validate(frontier)
	assert frontier["worst_ratio"].isna().all()
	assert frontier["lost_per_application"].eq(0).all()
