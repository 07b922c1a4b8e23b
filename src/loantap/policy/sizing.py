"""Rules that reach a policy's targets on loans of the past, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loantap.measures.intervals import measure_default_rate, wilson_bounds
from loantap.policy.credit_policy import CreditPolicy, Targets
from loantap.policy.decisions import Decided, Decision
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.errors import InputError


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rules that reach the targets.

    Attributes:
        min_margin: 0, or less where the approval floor asks for it.
        review_margin: such that people look at as many applications as they can.
    """

    min_margin: float
    review_margin: float


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """One target, and what the policy reaches on loans of the past.

    Attributes:
        target: name of the target.
        limit: what was to be reached, a share.
        reached: share of the loans.
        low: lower bound of its 95% interval (Wilson).
        high: upper bound.
        n: number of loans.
        holds: whether the target is reached, or cannot be told from being reached.
    """

    target: str
    limit: float
    reached: float
    low: float
    high: float
    n: int
    holds: bool


def size_rules(margins: FloatArray, targets: Targets) -> Sizes:
    """Find the rules that reach the approval floor and fill the review capacity.

    Args:
        margins: expected NPV per unit of principal of loans that the model did not see.
        targets: what is to be reached.

    Raises:
        InputError: there are no loans, or the floor leaves less to decline than people look at.
    """
    known = margins[~np.isnan(margins)]
    if not len(known):
        raise InputError("policy", "there are no loans to size its rules on", "Run modeling first")
    if targets.min_approval_rate + targets.review_capacity > 1:
        raise InputError(
            "policy.targets",
            f"min_approval_rate {targets.min_approval_rate:g} and review_capacity "
            f"{targets.review_capacity:g} are more than all applications",
            "Lower one of them",
        )
    floor = float(np.quantile(known, 1 - targets.min_approval_rate))
    min_margin = min(0.0, floor)
    distance = np.abs(known - min_margin)
    return Sizes(min_margin, float(np.quantile(distance, targets.review_capacity)))


def check_targets(
    decided: Decided, is_charged_off: IntArray, policy: CreditPolicy
) -> list[TargetCheck]:
    """Whether a policy reaches its targets on loans of known outcome.

    Args:
        decided: its decisions on them, without invalid ones.
        is_charged_off: what became of them.
        policy: the policy.
    """
    counts = {
        decision: int((decided.decisions.codes == code).sum())
        for code, decision in enumerate(Decision)
    }
    loans, approved = len(is_charged_off), counts[Decision.APPROVE]
    passed = approved + counts[Decision.REFER]
    targets = policy.targets
    checks = [
        _check("review_capacity", targets.review_capacity, counts[Decision.REFER], loans),
        _check("min_approval_rate", targets.min_approval_rate, passed, loans, is_floor=True),
    ]
    if approved:
        bad = int(is_charged_off[decided.decisions.codes == 0].sum())
        default = measure_default_rate(bad, approved)
        limit = targets.max_default_rate
        checks.append(
            TargetCheck(
                "max_default_rate",
                limit,
                default.rate,
                default.low,
                default.high,
                approved,
                default.low <= limit,
            )
        )
    return checks


def _check(
    target: str, limit: float, count: int, loans: int, *, is_floor: bool = False
) -> TargetCheck:
    low, high = (float(bound) for bound in wilson_bounds(count, max(loans, 1)))
    holds = high >= limit if is_floor else low <= limit
    return TargetCheck(target, limit, count / max(loans, 1), low, high, loans, holds)
