import numpy as np
import pandas as pd
import pytest

from loantap.policy.money.returns import Estimate
from loantap.policy.offers.concentration import (
	ABOVE,
	ALL_REGIONS,
	MAY_EXCEED,
	NOT_STATED,
	WITHIN,
	find_largest,
	measure_concentration,
	measure_portfolio,
)
from loantap.policy.offers.products import TOO_FEW
from loantap.policy.offers.schemas import CONCENTRATION
from tests.policy.shipped import MID, options

LIMITS = options().concentration
MAX_SHARE = 0.2


def measure(regions, principal, **changes):
	limits = LIMITS.model_copy(update={"min_loans": 1} | changes)
	losses = np.array(principal) * 0.1
	table = measure_concentration(pd.Series(regions, dtype="str"), np.array(principal), losses, MAX_SHARE, limits)
	CONCENTRATION.validate(table)
	return table[table["measure"] == "principal"].set_index("region")


def test_shares_are_of_principal_and_add_up_to_one():
	table = measure(["NY", "NY", "CA", None], [100, 200, 500, 200])

	shares = table["share"].drop(ALL_REGIONS)
	assert shares.to_dict() == {"CA": 0.5, "NY": 0.3, NOT_STATED: 0.2}
	assert table["n"].to_dict() == {ALL_REGIONS: 4, "CA": 1, "NY": 2, NOT_STATED: 1}


def test_the_index_and_the_intervals_hold_the_truth_as_often_as_they_say():
	shares = np.array([0.4, 0.3, 0.2, 0.1])
	held = {"share": 0, "index": 0}
	indices = []
	for seed in range(200):
		rng = np.random.default_rng(seed)
		regions = rng.choice(list("ABCD"), 400, p=shares)
		principal = rng.lognormal(9, 0.6, 400)
		measured = measure_concentration(pd.Series(regions), principal, principal, MAX_SHARE, LIMITS)
		table = measured[measured["measure"] == "principal"].set_index("region")
		a, whole = table.loc["A"], table.loc[ALL_REGIONS]
		held["share"] += a["share_low"] <= 0.4 <= a["share_high"]
		held["index"] += whole["share_low"] <= (shares**2).sum() <= whole["share_high"]
		indices.append(whole["share"])

	assert 180 <= held["share"] <= 198
	assert 180 <= held["index"] <= 198
	# Plain sums of squares would come out .0025 too high.
	assert np.mean(indices) == pytest.approx((shares**2).sum(), abs=0.0015)


@pytest.mark.parametrize(("in_one", "finding"), [(400, ABOVE), (215, MAY_EXCEED), (100, WITHIN)])
def test_a_limit_is_exceeded_only_beyond_chance(in_one, finding):
	regions = ["A"] * in_one + [f"R{n % 9}" for n in range(1_000 - in_one)]

	table = measure(list(regions), [1_000.0] * 1_000)

	assert table.loc["A", "finding"] == finding


def test_of_a_region_with_few_loans_nothing_is_said():
	table = measure(["A"] * 99 + ["B"] * 100, [1.0] * 199, min_loans=100)

	assert table.loc["A", "finding"] == TOO_FEW
	assert table.loc["B", "finding"] == ABOVE


@pytest.mark.parametrize("principal", [[], [0.0, 0.0]])
def test_a_portfolio_of_nothing_has_no_shares(principal):
	table = measure(["A"] * len(principal), principal)

	assert table["share"].isna().all()
	assert set(table["finding"]) <= {TOO_FEW}


def test_loans_without_a_pd_are_left_out(simulated_loans):
	loans = simulated_loans.head(500)
	predictions = pd.DataFrame(
		{"loan_id": loans["loan_id"], "sample": ["cv"] * 400 + ["out_of_time"] * 100, "probability_of_default": 0.2}
	)

	table = measure_portfolio(loans, predictions, MID, 0.3, LIMITS)

	whole = table["region"] == ALL_REGIONS
	assert table.loc[whole, "n"].tolist() == [400, 400]
	# One limit of both measures; the index has its own.
	assert set(table.loc[~whole, "limit"]) == {0.3}
	assert set(table.loc[whole, "limit"]) == {LIMITS.max_index}


def test_the_largest_share_is_that_of_a_region_that_is_stated():
	regions = pd.Series(["A", "A", "B", None] * 100, dtype="str")

	largest = find_largest(regions, [200, 200, 100, 500] * 100)

	# Error by hand: (80,000 x .2 + 340,000 x .16) / 1,000^2 / 100 = .0265^2; two regions are tried,
	# so that 2.2414 of them lie to either side.
	assert largest is not None
	assert largest.value == 0.4
	assert (largest.low, largest.high) == pytest.approx((0.34053, 0.45947), abs=1e-5)


@pytest.mark.parametrize(
	("regions", "amounts", "largest"),
	[
		(["A", "A", "B"], [300, 300, 400], Estimate(0.6, 0, 1)),  # few loans say nothing for sure
		([], [], None),
		([None, None], [100, 200], None),
		(["A", "B"], [0, 0], None),
	],
)
def test_few_loans_say_nothing_for_sure_and_nothing_has_no_largest_share(regions, amounts, largest):
	assert find_largest(pd.Series(regions, dtype="str"), amounts) == largest
