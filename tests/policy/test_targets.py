import numpy as np
import pandas as pd
import pytest

from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import DECISIONS, Decided
from loantap.policy.schemas import TARGET_CHECKS
from loantap.policy.targets import check_targets, tabulate_targets
from loantap.portfolio.column_reading import Texts

TARGETS = Targets(review_capacity=0.05, min_approval_rate=0.5, max_default_rate=0.25, max_concentration=0.2)
NAMES = list(Targets.model_fields)


def check(*, approve=0, refer=0, decline=0, bad=0, in_one_state=0, targets=TARGETS):
  """Hold loans of 1,000 each against targets.

  The approved come first; of them so many are charged off, and so many of one state; the others are of ten more.
  """
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


def test_targets_are_checked_with_their_intervals():
  # All of the loans that were charged off, and of state A, are among the approved.
  checks = check(approve=500, refer=60, decline=440, bad=200, in_one_state=150)

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
    # Of what is declined nothing counts but that it is declined.
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
  counts = {"approve": 500, "refer": 60, "decline": 440, "bad": 200, "in_one_state": 150}
  review, floor, default, concentration = check(**counts)
  targets = Targets(
    review_capacity=review.reached_low,
    min_approval_rate=floor.reached_high,
    max_default_rate=default.reached_low,
    max_concentration=concentration.reached_low,
  )

  assert all(of.holds for of in check(**counts, targets=targets))


def test_the_table_has_a_row_for_each_target():
  table = TARGET_CHECKS.validate(tabulate_targets(check(approve=500, refer=60, decline=440)))

  assert table["target"].tolist() == NAMES
  assert table["n"].tolist() == [1_000, 1_000, 500, 500]
  assert table["reached"].tolist() == [0.06, 0.56, 0, 0.1]
  assert TARGET_CHECKS.validate(tabulate_targets([])).empty
