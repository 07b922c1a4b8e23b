import numpy as np
import pytest

from loantap.policy.comparison.comparison import Slice
from loantap.policy.comparison.frontier import trace_frontier
from loantap.policy.comparison.measures import Outcomes
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import ImputedFlows
from tests.policy.comparison.loans import make_options, make_values

PDS = [0.1, 0.2, 0.3, 0.4]
# They earn 10, 20, -30 and 40, together 40; the third is charged off.
PROFIT = np.array([10.0, 20, -30, 40])
BAD = np.array([False, False, True, False])


def trace(pds, expected, family, *, profit=PROFIT, bad=BAD):
	nothing = np.zeros(len(pds))
	flows = ImputedFlows(nothing, nothing, nothing, nothing, profit, nothing)
	outcomes = {PaidLife.CONTRACTUAL: Outcomes(flows, bad)}
	part = Slice("test", "mid", make_values(pds, expected), {}, outcomes)
	table = trace_frontier(part, make_options(frontier_points=4))
	return table[table["family"].eq(family)]


def test_a_cut_off_moves_from_the_safest_loan_to_all_of_them():
	curve = trace(PDS, [1.0] * 4, "pd_cutoff")

	assert curve["hurdle"].tolist() == pytest.approx([0.2, 0.3, 0.4, np.nan], nan_ok=True)
	assert curve["n"].tolist() == [4] * 4
	assert curve["approved"].tolist() == [1, 2, 3, 4]
	assert curve["approval_rate"].tolist() == [0.25, 0.5, 0.75, 1]
	assert curve["default_rate_approved"].tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
	assert curve["profit"].tolist() == pytest.approx([2.5, 7.5, 0, 10])
	assert curve["gain_to_approve_all"].tolist() == pytest.approx([-7.5, -2.5, -10, 0])
	# 10 and three times nothing: a standard deviation of 5. Left out are 20, -30 and 40; squares of
	# 0, -20, 30 and -40 add up to 2,900, less 4 x 7.5^2 are 2,675, over 3 and over 4 222.92.
	first = curve.iloc[0]
	assert first["profit_high"] - first["profit"] == pytest.approx(1.959964 * 5 / 2)
	assert first["gain_to_approve_all"] - first["gain_to_approve_all_low"] == pytest.approx(
		1.959964 * np.sqrt(222.9167), rel=1e-6
	)
	# Wilson's interval of none out of one: from 0 to 1.96^2 / (1 + 1.96^2).
	assert first["default_rate_approved_high"] == pytest.approx(0.7935, abs=1e-4)


def test_a_hurdle_on_npv_starts_at_the_best_loan():
	curve = trace(PDS, [0.1, -0.2, 0.3, 0.0], "npv_hurdle")

	assert curve["hurdle"].tolist() == pytest.approx([0.1, 0.0, -0.2, np.nan], nan_ok=True)
	# -30, then 10, 40 and 20 more.
	assert curve["profit"].tolist() == pytest.approx([-7.5, -5, 5, 10])


def test_no_hurdle_divides_loans_of_one_score():
	curve = trace([0.2] * 4, [1.0] * 4, "pd_cutoff")

	assert curve["approved"].tolist() == [4]
	assert curve["hurdle"].isna().all()


# The safest loan defaults at .1, those that earn at (.1 + .3 + .4) / 3. Under .1556 those
# of .3 and .4 both leave; under .2111 the one of .2 that earns nothing makes room for that of .3.
def test_caps_go_from_the_safest_loan_to_what_npv_alone_gives():
	curve = trace(PDS, [2.0, 0.0, 4.0, 0.5], "capped_default_rate")

	assert curve["hurdle"].tolist() == pytest.approx([0.1, 0.15556, 0.21111, 0.26667], abs=1e-5)
	assert curve["approved"].tolist() == [1, 1, 3, 3]
	assert curve["profit"].tolist() == pytest.approx([2.5, 2.5, 0, 5])


# Of forty loans the safest two set the lowest cap, .15; only that of .1 earns, within any such cap.
def test_no_cap_is_lower_than_the_safest_loans():
	pds, expected = [0.1, *[0.2] * 39], [1.0, *[-1.0] * 39]

	curve = trace(pds, expected, "capped_default_rate", profit=np.ones(40), bad=np.zeros(40, bool))

	assert curve["hurdle"].tolist() == pytest.approx([0.15] * 4)
	assert curve["approved"].tolist() == [1] * 4


# 10 and nothing: a standard deviation of 10 / sqrt(2), and a standard error of 5.
def test_two_loans_have_an_interval():
	first = trace([0.1, 0.2], [1.0, 1], "pd_cutoff", profit=np.array([10.0, 5]), bad=np.zeros(2, bool)).iloc[0]

	assert first["profit"] == 5
	assert first["profit_high"] == pytest.approx(5 + 5 * 1.959964)


def test_where_no_loan_earns_there_are_no_caps():
	assert trace(PDS, [0.0, -1.0, -1.0, -1.0], "capped_default_rate").empty
	assert len(trace(PDS, [1.0] * 4, "capped_default_rate")) == 4
