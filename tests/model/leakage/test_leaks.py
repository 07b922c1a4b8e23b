"""Made-up models of which it is known what a column adds, and where."""

from dataclasses import replace

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

BAD = np.tile([0, 1], 200)
HALF = np.repeat([0, 1], 200)


def model(scores, target=BAD):
  """One that reads `x` as `scores` say, and knows nothing without it."""
  return CrossFitted(target, np.array(scores, float), {"x": np.zeros(len(target))}, np.arange(len(target)) % 5)


def perfect(share, rows=400):
  """Scores that know the outcomes of a share of loans, spread over each outcome, and nothing of others."""
  return np.where(np.arange(rows) // 2 % 10 < share * 10, 2.0 * BAD[:rows] - 1, 0.0)


def tell(values, scores, *others, limit=0.01):
  readings = {r.name: r for r in (read(pd.Series(values), "x"), *others)}
  return name_leak(readings["x"], readings, model(scores), limit)


def year(codes, name="issue year"):
  return read(pd.Series(codes).map({0: "2013", 1: "2014", 2: "2015"}), name)


def test_a_leak_says_what_it_adds_at_least():
  found = tell(np.arange(400.0), perfect(0.5))
  gain = model(perfect(0.5)).gain_of("x")

  # Of pairs a quarter each: both known, one known (twice, in order), none known (half).
  assert gain.auc == pytest.approx(0.375)
  assert found.test == "refreshed"
  at_least = gain.auc - Z * gain.standard_error
  assert found.figures == {"auc_added": gain.auc, "auc_added_at_least": at_least, "auc_added_allowed": 0.01}
  assert f"adds 0.375 (at least {at_least:.3f}, n 400)" in found.statement


@pytest.mark.parametrize(("missing", "test"), [(0.4, "missing"), (0.3, "refreshed")])
def test_a_number_missing_for_one_outcome_is_that_where_half_of_its_gain_lies_there(missing, test):
  hidden = (BAD == 1) & (np.arange(400) // 2 % 10 < missing * 10)
  found = tell(np.where(hidden, np.nan, np.arange(400.0)), perfect(0.4))

  # What is missing adds half its share of those charged off, .2 or .15, and the column .32.
  assert found.test == test


def test_missing_values_are_named_with_their_shares_of_either_outcome():
  hidden = np.where(BAD == 1, np.arange(400) < 160, np.arange(400) < 40)
  found = tell(np.where(hidden, np.nan, np.arange(400.0)), perfect(0.2))

  assert found.test == "missing"
  assert "missing in 40.0% of the loans charged off and 10.0% of those repaid" in found.statement


def test_the_category_that_differs_most_from_what_is_expected_is_named():
  names = np.repeat(["a", "b", "c"], [100, 200, 100])
  target = np.concatenate([np.tile([0, 1], 50), np.tile([0] * 13 + [1] * 7, 10), np.tile([1, 1, 1, 0], 25)])
  readings = {"x": read(pd.Series(names), "x")}
  found = name_leak(readings["x"], readings, model(np.zeros(400), target), 0.01)

  # a as expected, b 70 of 200 below (4.2 errors), c 75 of 100 above (5)
  assert found.test == "category"
  assert "x 'c' holds 100 loans of which 75% were charged off where 50%" in found.statement


@pytest.mark.parametrize(
  ("inside", "outside", "others", "test"),
  [
    (0.5, 0.0, ["issue year"], "slice"),
    (0.5, 0.0, ["term_months"], "slice"),
    (0.5, 0.1, ["grade"], "slice"),
    (0.5, 0.0, ["dti_pct"], "refreshed"),
    (0.5, 0.5, ["issue year"], "refreshed"),
    (0.5, 0.2, ["issue year"], "refreshed"),
  ],
)
def test_a_leak_in_some_slices_and_not_in_others_is_told_by_them(inside, outside, others, test):
  scores = np.where(HALF == 1, perfect(inside), perfect(outside))
  found = tell(np.arange(400.0), scores, *(year(HALF, name) for name in others), limit=0.15)

  assert found.test == test
  if test == "slice":
    assert (
      f"in {others[0]} 2014 x adds 0.375 to the AUC, elsewhere {outside * (1 - outside / 2):.3f}" in found.statement
    )


@pytest.mark.parametrize(("bad", "good", "test"), [(20, 100, "slice"), (19, 100, "refreshed"), (100, 19, "refreshed")])
def test_a_slice_holds_20_loans_of_either_outcome(bad, good, test):
  rank = np.arange(400) // 2
  part = np.where(BAD == 1, rank < bad, rank < good)
  found = tell(np.arange(400.0), np.where(part, perfect(1), 0.0), year(part.astype(int)))

  assert found.test == test


def test_exceptions_are_off_by_more_than_is_tolerated():
  loans = pd.DataFrame(
    {
      "loan_amount": 12_000.0,
      "term_months": 36,
      "instalment": [398.57, 398.57, 350, 398.57, 398.57],
      "interest_rate_pct": [12.0, 12.0, 12.0, 12.5, 12.51],
      "sub_grade": "B4",
      "issue_month": pd.Timestamp("2014-01-01"),
    }
  )
  instalment, rate = find_exceptions(loans, OPTIONS)

  assert (instalment.column, instalment.found.tolist()) == ("instalment", [False, False, True, False, False])
  assert (rate.column, rate.found.tolist()) == ("interest_rate_pct", [False] * 4 + [True])
  assert "more than 0.5 points off" in rate.rule
  for column in ("sub_grade", "issue_month"):
    assert [e.column for e in find_exceptions(loans.drop(columns=column), OPTIONS)] == ["instalment"]
  assert [e.column for e in find_exceptions(loans.drop(columns="loan_amount"), OPTIONS)] == ["interest_rate_pct"]
  only = loans[["interest_rate_pct", "sub_grade", "issue_month"]]
  # Each sub-grade and month has a price of its own.
  apart = only.assign(sub_grade=[*"aaabb"], issue_month=pd.to_datetime(["2014-01-01"] * 4 + ["2014-02-01"]))
  assert [e.found.any() for e in find_exceptions(apart, OPTIONS)] == [False]
  assert len([*find_exceptions(loans[[*TERMS]], OPTIONS)]) == 1


def test_exceptions_are_held_against_what_is_expected_of_them():
  odd = np.arange(400) < 40
  target = np.where(odd, np.arange(400) < 30, BAD)
  found = check_exceptions(Exceptions("instalment", "odd", odd), model(np.full(400, -np.log(3)), target), OPTIONS)
  none, all_ = (check_exceptions(Exceptions("x", "odd", o), model(np.zeros(400)), OPTIONS) for o in (odd < 0, odd > -1))

  assert found.verdict == "caught"
  figures = {"exceptions": 40, "share": 0.1, "default_rate": 0.75, "default_rate_expected": 0.25}
  assert found.figures == pytest.approx(figures)
  assert "in 40 loans (10.0%), and 75% of these were charged off where 25% of" in found.statement
  assert (none.verdict, none.figures) == ("passed", {"exceptions": 0, "share": 0})
  assert (all_.verdict, all_.figures) == ("passed", {"exceptions": 400, "share": 1})


@pytest.mark.parametrize(("lost", "side"), [(30, -1), (4, 1)])
def test_the_odds_ratio_of_exceptions_may_reach_its_bound(lost, side):
  odd = np.arange(400) < 40
  fitted = replace(model(np.zeros(400)), target=np.where(odd, np.arange(400) < lost, BAD))
  # Against even odds, with a half added to either count; its nearer bound is at the limit.
  error = Z * (1 / (lost + 0.5) + 1 / (40.5 - lost)) ** 0.5
  nearer = abs(np.log((lost + 0.5) / (40.5 - lost))) - error

  for by, verdict in ((1e-6, "passed"), (-1e-6, "caught")):
    options = OPTIONS.model_copy(update={"max_odds_ratio": float(np.exp(nearer + by))})
    assert check_exceptions(Exceptions("x", "odd", odd), fitted, options).verdict == verdict
