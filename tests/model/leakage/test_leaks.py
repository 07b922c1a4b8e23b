import numpy as np
import pandas as pd
import pytest

from loantap.model.leakage.additive import CrossFitted
from loantap.model.leakage.arithmetic import Exceptions, check_exceptions, find_exceptions
from loantap.model.leakage.expected import Z
from loantap.model.leakage.kinds import name_leak
from loantap.model.leakage.readings import read
from loantap.portfolio.contradictions import TERMS
from tests.model.leakage.limits import OPTIONS

PLACE, BAD, HALF = np.arange(400), np.tile([0, 1], 200), np.repeat([0, 1], 200)


def model(scores, target=BAD):
	"""One that reads `x` as `scores` say, and knows nothing without it."""
	return CrossFitted(target, scores, {"x": np.zeros(400)}, PLACE % 5)


def knows(share):
	"""Scores that know the outcomes of a share of loans, spread over each outcome, and nothing of others."""
	return np.where(share * 10 > PLACE // 2 % 10, 2.0 * BAD - 1, 0.0)


def tell(values, scores, *others, target=BAD, limit=0.01):
	readings = {r.name: r for r in (read(pd.Series(values), "x"), *others)}
	return name_leak(readings["x"], readings, model(scores, target), limit)


def test_a_leak_says_what_it_adds_at_least():
	found, gain = tell(PLACE * 1.0, knows(0.5)), model(knows(0.5)).gain_of("x")

	# Of pairs a quarter each: both known, one known (twice, in order), none known (half).
	assert (found.test, gain.auc) == ("refreshed", pytest.approx(0.375))
	at_least = gain.auc - Z * gain.standard_error
	assert found.figures == {"auc_added": gain.auc, "auc_added_at_least": at_least, "auc_added_allowed": 0.01}


# What is missing adds half its share of those charged off, and the column .32.
@pytest.mark.parametrize(("hidden", "test"), [(0.4, "missing"), (0.3, "refreshed")])
def test_a_number_missing_for_one_outcome_is_that_where_half_of_its_gain_lies_there(hidden, test):
	assert tell(np.where((BAD == 1) & (knows(hidden) != 0), np.nan, PLACE), knows(0.4)).test == test


def test_missing_values_are_named_with_their_shares_of_either_outcome():
	found = tell(np.where(np.where(BAD == 1, PLACE < 160, PLACE < 40), np.nan, PLACE), knows(0.2))

	assert "missing in 40.0% of the loans charged off and 10.0% of those repaid" in found.statement


def test_the_category_that_differs_most_from_what_is_expected_is_named():
	# a as expected, b 70 of 200 below (4.2 errors), c 75 of 100 above (5)
	target = np.concatenate([np.tile([0, 1], 50), np.tile([0] * 13 + [1] * 7, 10), np.tile([1, 1, 1, 0], 25)])
	found = tell(np.repeat(["a", "b", "c"], [100, 200, 100]), np.zeros(400), target=target)

	assert found.test == "category"
	assert "x 'c' holds 100 loans of which 75% were charged off where 50%" in found.statement


@pytest.mark.parametrize(
	("outside", "name", "test"),
	[
		(0.0, "issue year", "slice"),
		(0.0, "term_months", "slice"),
		(0.1, "grade", "slice"),
		(0.2, "grade", "refreshed"),
		(0.5, "grade", "refreshed"),
		(0.0, "dti_pct", "refreshed"),
	],
)
def test_a_leak_in_some_slices_and_not_in_others_is_told_by_them(outside, name, test):
	slices = read(pd.Series(np.where(HALF, "new", "old")), name)
	found = tell(PLACE * 1.0, np.where(HALF == 1, knows(0.5), knows(outside)), slices, limit=0.15)

	assert found.test == test
	told = f"in {name} new x adds 0.375 to the AUC, elsewhere {outside * (1 - outside / 2):.3f}"
	assert (told in found.statement) == (test == "slice")


@pytest.mark.parametrize(("bad", "good", "test"), [(20, 100, "slice"), (19, 100, "refreshed"), (100, 19, "refreshed")])
def test_a_slice_holds_20_loans_of_either_outcome(bad, good, test):
	part = np.where(BAD == 1, bad, good) > PLACE // 2

	assert tell(PLACE * 1.0, np.where(part, knows(1), 0.0), read(pd.Series(part).astype("str"), "grade")).test == test


def test_exceptions_are_off_by_more_than_is_tolerated():
	loans = pd.DataFrame(
		{"loan_amount": 12_000.0, "term_months": 36, "instalment": [398.57, 398.57, 350, 398.57, 398.57]}
	)
	loans["interest_rate_pct"] = [12.0, 12.0, 12.0, 12.5, 12.51]
	loans = loans.assign(sub_grade="B4", issue_month=1)

	def find(loans):
		return {e.column: np.flatnonzero(e.found).tolist() for e in find_exceptions(loans, OPTIONS)}

	assert find(loans) == {"instalment": [2], "interest_rate_pct": [4]}
	assert find(loans[[*TERMS]]) == {"instalment": [2]}
	# Each sub-grade and month has a price of its own.
	only = loans[["interest_rate_pct", "sub_grade", "issue_month"]]
	assert find(only.assign(sub_grade=[*"aaabb"], issue_month=[1, 1, 1, 1, 2])) == {"interest_rate_pct": []}


@pytest.mark.parametrize(("lost", "sign"), [(30, 1), (4, -1)])
def test_exceptions_are_held_against_what_is_expected_of_them(lost, sign):
	# Of even odds, with a half added to either count; the nearer bound of the ratio is at the limit.
	odd, error = PLACE < 40, Z * (1 / (lost + 0.5) + 1 / (40.5 - lost)) ** 0.5
	nearer = sign * np.log((lost + 0.5) / (40.5 - lost)) - error
	fitted = model(np.zeros(400), np.where(odd, lost > PLACE, BAD))

	for by, verdict in ((1e-6, "passed"), (-1e-6, "caught")):
		options = OPTIONS.model_copy(update={"max_odds_ratio": float(np.exp(nearer + by))})
		found = check_exceptions(Exceptions("x", "odd", odd), fitted, options)
		figures = {"exceptions": 40, "share": 0.1, "default_rate": lost / 40, "default_rate_expected": 0.5}
		assert (found.verdict, found.figures) == (verdict, pytest.approx(figures))
	for count, nothing in ((0, odd < 0), (400, odd > -1)):
		assert check_exceptions(Exceptions("x", "odd", nothing), fitted, OPTIONS).figures["exceptions"] == count
