"""Whether a policy reaches its targets on loans of the past."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pandas as pd

from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import Decided, Decision
from loantap.policy.money.returns import estimate_share
from loantap.policy.offers.concentration import find_largest

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
  """One target, and the share of `n` loans (of the concentration: of their principal) that the policy reaches.

  Bounds are 95% (Wilson; of the concentration as in `find_largest`). It `holds` where it is reached, or cannot be
  told from being reached.
  """

  target: str
  limit: float
  reached: float
  reached_low: float
  reached_high: float
  n: int
  holds: bool

  @property
  def verdict(self) -> str:
    """`MISSED`, `holds`, or `not told apart` where the limit lies within the interval."""
    if not self.holds:
      return "MISSED"
    is_near = self.reached_low <= self.limit <= self.reached_high
    return "not told apart" if is_near else "holds"


def check_targets(decided: Decided, loans: pd.DataFrame, targets: Targets) -> list[TargetCheck]:
  """Whether a policy reaches its targets on loans of known outcome, none of them invalid.

  LoanTap's addresses are made up: of its own loans the concentration says nothing.
  """
  n, approved = len(loans), loans[decided.approves]
  referred = decided.count(Decision.REFER)
  passed = referred + len(approved)
  checks = []
  if n:
    checks += [
      _check("review_capacity", targets.review_capacity, referred, n),
      _check("min_approval_rate", targets.min_approval_rate, passed, n, is_floor=True),
    ]
  if len(approved):
    bad = int(approved["is_charged_off"].sum())
    checks.append(_check("max_default_rate", targets.max_default_rate, bad, len(approved)))
  largest = find_largest(approved["state"], approved["loan_amount"])
  if largest is not None:
    limit, bounds = targets.max_concentration, (largest.share, largest.low, largest.high)
    checks.append(TargetCheck("max_concentration", limit, *bounds, len(approved), largest.low <= limit))
  return checks


def tabulate_targets(checks: Iterable[TargetCheck]) -> pd.DataFrame:
  """One row per target, with the attributes of `TargetCheck`."""
  rows = [asdict(check) for check in checks]
  return pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)


def _check(target: str, limit: float, count: int, loans: int, *, is_floor: bool = False) -> TargetCheck:
  reached = estimate_share(count, loans)
  holds = reached.high >= limit if is_floor else reached.low <= limit
  return TargetCheck(target, limit, reached.value, reached.low, reached.high, loans, holds)
