"""Rules that reach a policy's targets, and whether they do."""

from __future__ import annotations

import numpy as np
import pytest

from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import DECISIONS, Decided
from loantap.policy.sizing import check_targets, size_rules
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.errors import InputError
from tests.policy.policies import make_policy, make_test_decider

# Half of the loans earn: -.10, -.09 ... .09.
MARGINS = np.arange(-10, 10) / 100


def make_targets(**changed: float) -> Targets:
    return Targets(**{"review_capacity": 0.1, "min_approval_rate": 0.4, "max_default_rate": 0.25}
                   | changed)  # fmt: skip


def test_people_look_at_as_many_as_they_can_where_it_is_worth_most() -> None:
    sizes = size_rules(MARGINS, make_targets(review_capacity=0.15))

    assert sizes.min_margin == 0
    # 0, -.01 and .01 are the three of twenty nearest to nothing.
    assert (np.abs(MARGINS) <= sizes.review_margin).sum() == 3


def test_a_floor_that_money_does_not_reach_lowers_the_hurdle() -> None:
    sizes = size_rules(MARGINS, make_targets(min_approval_rate=0.8, review_capacity=0))

    assert sizes.min_margin < 0
    assert np.mean(sizes.min_margin < MARGINS) == pytest.approx(0.8, abs=0.05)
    assert sizes.review_margin == pytest.approx(0, abs=0.005)


def test_people_look_near_the_hurdle_wherever_it_is() -> None:
    targets = make_targets(min_approval_rate=0.9, review_capacity=0.1)
    sizes = size_rules(MARGINS, targets)  # the two shares may make up all applications

    assert sizes.min_margin == pytest.approx(-0.081)
    # -.09 and -.08 are the two of twenty nearest to it.
    assert (np.abs(MARGINS - sizes.min_margin) <= sizes.review_margin).sum() == 2
    assert sizes.review_margin < 0.02


def test_margins_that_are_missing_do_not_count() -> None:
    assert size_rules(np.append(MARGINS, np.nan), make_targets()) == size_rules(
        MARGINS, make_targets()
    )


@pytest.mark.parametrize(
    ("margins", "targets", "said"),
    [
        (np.array([]), make_targets(), "there are no loans"),
        (np.array([np.nan]), make_targets(), "there are no loans"),
        (MARGINS, make_targets(min_approval_rate=0.95), "more than all applications"),
    ],
)
def test_what_cannot_be_reached_is_refused(
    margins: np.ndarray, targets: Targets, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        size_rules(margins, targets)


def decide(**counts: int) -> Decided:
    codes = np.repeat([0, 1, 2], [counts[name] for name in ("approve", "refer", "decline")])
    return Decided(Texts(codes, DECISIONS), np.zeros(len(codes), int), np.zeros(len(codes)))


def test_targets_are_checked_with_their_intervals() -> None:
    decided = decide(approve=500, refer=60, decline=440)
    bad = np.zeros(1_000, int)
    bad[:200] = 1  # all of them among the approved
    checks = {check.target: check for check in check_targets(decided, bad, make_policy())}

    review, floor, default = checks.values()
    assert (review.reached, review.limit, review.n) == (0.06, 0.05, 1_000)
    assert review.low < 0.06 < review.high
    assert review.holds  # .06 of 1,000 cannot be told from .05
    assert (floor.reached, floor.holds) == (0.56, True)
    assert (default.reached, default.n, default.holds) == (0.4, 500, False)


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        ({"approve": 500, "refer": 100, "decline": 400}, [False, True, True]),
        ({"approve": 300, "refer": 50, "decline": 650}, [True, False, True]),
        ({"approve": 0, "refer": 50, "decline": 950}, [True, False]),
    ],
    ids=str,
)
def test_a_target_that_is_missed_for_sure_does_not_hold(
    counts: dict[str, int], held: list[bool]
) -> None:
    checks = check_targets(decide(**counts), np.zeros(1_000, int), make_policy())

    assert [check.holds for check in checks] == held


def test_no_loans_miss_no_target() -> None:
    decided = make_test_decider().decide_columns(*(np.zeros(0) for _ in range(4)))

    assert [check.n for check in check_targets(decided, np.zeros(0, int), make_policy())] == [0, 0]


def test_a_target_at_the_end_of_the_interval_still_holds() -> None:
    decided = decide(approve=500, refer=60, decline=440)
    bad = np.zeros(1_000, int)
    bad[:200] = 1
    review, floor, default = check_targets(decided, bad, make_policy())

    targets = Targets(
        review_capacity=review.low, min_approval_rate=floor.high, max_default_rate=default.low
    )
    policy = make_policy().model_copy(update={"targets": targets})
    assert [check.holds for check in check_targets(decided, bad, policy)] == [True] * 3
