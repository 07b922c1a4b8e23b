"""Whether a policy reaches its targets on loans of the past."""

from __future__ import annotations

import numpy as np
import pytest

from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import DECISIONS, Decided
from loantap.policy.schemas import TARGET_CHECKS
from loantap.policy.targets import check_targets, tabulate_targets
from loantap.portfolio.column_reading import Texts
from tests.policy.policies import make_policy, make_test_decider


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
    assert review.reached_low < 0.06 < review.reached_high
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

    assert not check_targets(decided, np.zeros(0, int), make_policy())


def test_a_target_at_the_end_of_the_interval_still_holds() -> None:
    decided = decide(approve=500, refer=60, decline=440)
    bad = np.zeros(1_000, int)
    bad[:200] = 1
    review, floor, default = check_targets(decided, bad, make_policy())

    targets = Targets(
        review_capacity=review.reached_low,
        min_approval_rate=floor.reached_high,
        max_default_rate=default.reached_low,
    )
    policy = make_policy().model_copy(update={"targets": targets})
    assert [check.holds for check in check_targets(decided, bad, policy)] == [True] * 3


def test_the_table_has_a_row_for_each_target() -> None:
    checks = check_targets(
        decide(approve=500, refer=60, decline=440), np.zeros(1_000, int), make_policy()
    )

    table = TARGET_CHECKS.validate(tabulate_targets(checks))

    assert table["target"].tolist() == ["review_capacity", "min_approval_rate", "max_default_rate"]
    assert table["n"].tolist() == [1_000, 1_000, 500]
    assert table["reached"].tolist() == [0.06, 0.56, 0]
    assert TARGET_CHECKS.validate(tabulate_targets([])).empty
