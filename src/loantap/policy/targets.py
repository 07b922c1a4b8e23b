"""Whether a policy reaches its targets on loans of the past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pandas as pd

from loantap.measures.intervals import wilson_bounds
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import Decided, Decision
from loantap.portfolio.arrays import IntArray

_DTYPES = {
    "target": "str",
    "limit": "float64",
    "reached": "float64",
    "reached_low": "float64",
    "reached_high": "float64",
    "n": "int64",
    "holds": "bool",
}


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """One target, and what the policy reaches on loans of the past.

    Attributes:
        target: name of the target.
        limit: what was to be reached, a share.
        reached: share of the loans.
        reached_low: lower bound of its 95% interval (Wilson).
        reached_high: upper bound.
        n: number of loans.
        holds: whether the target is reached, or cannot be told from being reached.
    """

    target: str
    limit: float
    reached: float
    reached_low: float
    reached_high: float
    n: int
    holds: bool


def check_targets(
    decided: Decided, is_charged_off: IntArray, policy: CreditPolicy
) -> list[TargetCheck]:
    """Whether a policy reaches its targets on loans of known outcome.

    Of no loans nothing is reached, and nothing is said of the default rate where none is approved.

    Args:
        decided: its decisions on them, without invalid ones.
        is_charged_off: what became of them.
        policy: the policy.
    """
    loans, approves, targets = len(is_charged_off), decided.approves, policy.targets
    approved, referred = decided.count(Decision.APPROVE), decided.count(Decision.REFER)
    bad = int(is_charged_off[approves].sum())
    checks = []
    if loans:
        checks += [
            _check("review_capacity", targets.review_capacity, referred, loans),
            _check(
                "min_approval_rate",
                targets.min_approval_rate,
                approved + referred,
                loans,
                is_floor=True,
            ),
        ]
    if approved:
        checks.append(_check("max_default_rate", targets.max_default_rate, bad, approved))
    return checks


def tabulate_targets(checks: Iterable[TargetCheck]) -> pd.DataFrame:
    """One row per target, with the attributes of `TargetCheck`."""
    rows = [asdict(check) for check in checks]
    return pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)


def _check(
    target: str, limit: float, count: int, loans: int, *, is_floor: bool = False
) -> TargetCheck:
    low, high = (float(bound) for bound in wilson_bounds(count, loans))
    holds = high >= limit if is_floor else low <= limit
    return TargetCheck(target, limit, count / loans, low, high, loans, holds)
