"""Rules that reach a policy's targets."""

from __future__ import annotations

import numpy as np
import pytest

from loantap.policy.credit_policy import Targets
from loantap.policy.sizing import size_rules
from loantap.portfolio.errors import InputError

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
