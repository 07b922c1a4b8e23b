"""What a policy would have done to the last days' decisions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from loantap.policy.decisions import DECISIONS, Decider, Decision
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.serving.audit.records import Record
from loantap.serving.desk.replay import PastPolicies

_SHOWN: Final = (Decision.APPROVE.value, Decision.REFER.value, Decision.DECLINE.value)
_APPROVE: Final = DECISIONS.index(Decision.APPROVE)
_DECLINE: Final = DECISIONS.index(Decision.DECLINE)


@dataclass(frozen=True, slots=True)
class Tried:
  """A policy against the decisions that were made.

  Attributes:
      before: decisions of each kind, as they were made.
      after: as the policy would have made them.
      changes: from, to and number of those that differ.
      expected_npv_before: expected NPV of what was approved, in currency.
      expected_npv_after: of what would have been, by the tried policy's assumptions.
  """

  n: int
  before: dict[str, int]
  after: dict[str, int]
  changes: list[dict[str, str | int]]
  expected_npv_before: float
  expected_npv_after: float


def try_on_decisions(decider: Decider, kept: Sequence[Record], policies: PastPolicies) -> Tried:
  """Let a policy decide once more on kept PDs and terms; nothing is scored again.

  What a rule of the policy lab declined stays declined; past policies tell which.
  """
  pds, amounts, rates, months, npvs = (
    np.array([record.public[name] for record in kept], dtype="float64")
    for name in ("probability_of_default", "amount", "interest_rate_pct", "term_months", "expected_npv")
  )
  unlike = np.array([record.public["unlike"] for record in kept], dtype="int64")
  terms = (pds, amounts, rates, months)
  before = np.array([DECISIONS.index(record.public["decision"]) for record in kept], dtype=int)
  decided = decider.decide_columns(*terms, unlike)
  after = decided.decisions.codes.astype(int)
  after[_find_ruled_out(kept, before, terms, unlike, policies)] = _DECLINE
  moved = Counter(zip(before.tolist(), after.tolist(), strict=True))
  changes = [{"from": DECISIONS[a], "to": DECISIONS[b], "n": n} for (a, b), n in moved.most_common() if a != b]
  return Tried(
    n=len(kept),
    before=_count(before),
    after=_count(after),
    changes=changes,
    expected_npv_before=float(np.nansum(npvs[before == _APPROVE])),
    expected_npv_after=float(np.nansum(decided.expected_npv[after == _APPROVE])),
  )


def _find_ruled_out(
  kept: Sequence[Record],
  before: IntArray,
  terms: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
  unlike: IntArray,
  policies: PastPolicies,
) -> IntArray:
  """Places of decisions that a rule declined, and no policy."""
  digests = np.array([record.public.get("policy_alone", "") for record in kept], dtype=object)
  found = []
  for digest in set(digests.tolist()) - {""}:
    decider = policies.find_decider(digest)
    if decider is None:
      continue
    rows = np.flatnonzero((digests == digest) & (before == _DECLINE))
    pds, amounts, rates, months = (term[rows] for term in terms)
    alone = decider.decide_columns(pds, amounts, rates, months, unlike[rows])
    found.append(rows[alone.decisions.codes != _DECLINE])
  return np.concatenate(found) if found else np.zeros(0, dtype="int64")


def _count(codes: IntArray) -> dict[str, int]:
  return {name: int((codes == DECISIONS.index(name)).sum()) for name in _SHOWN}
