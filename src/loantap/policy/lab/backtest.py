"""What a rule would have done to the loans made: alone, and after the NPV policy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from loantap.measures.intervals import Z95
from loantap.policy.lab.judged_loans import ALL, JudgedLoans, Sample
from loantap.policy.lab.rules import Rule, apply_rules
from loantap.policy.money.returns import NO_ESTIMATE, Estimate, estimate_share
from loantap.policy.money.scenarios import PaidLife
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray

# How often a portfolio in which no rule gains may get a recommendation all the same, over four
# families of claims: rules written by hand and rules found, alone and after the policy.
MAX_FALSE_RATE: Final = 0.05
_FAMILIES: Final = 4


class After(StrEnum):
  """What decides before the rule does."""

  APPROVE_ALL = "approve_all"
  NPV = "npv"


class FoundBy(StrEnum):
  """Where a rule comes from."""

  HAND = "hand"
  SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Candidate:
  """A rule to test; found ones on loans that the search did not look at."""

  rule: Rule
  found_by: FoundBy


def backtest(candidates: Sequence[Candidate], loans: JudgedLoans, min_loans: int) -> pd.DataFrame:
  """Test rules on each sample, alone and after the NPV policy, in every scenario.

  One row per rule, sample, `after`, scenario and paid life, as `RULE_TESTS` has it. Shares are fractions, profit
  changes imputed means per application of the sample in currency; none for rules that decline fewer than `min_loans`.
  `p_value` is one-sided, `adjusted_p_value` Holm's over all rules found in the same way, and `holds` where it is at
  most their share of `MAX_FALSE_RATE`.
  """
  declined = apply_rules([candidate.rule for candidate in candidates], loans.columns)
  rows = [
    row
    for place, candidate in enumerate(candidates)
    for sample in loans.samples
    for row in _test(candidate, declined[:, place], _keep(sample, candidate, loans), loans)
  ]
  table = pd.DataFrame(rows, columns=[*_KEYS, *_COUNTS, *_FIGURES])
  return _judge(_blank_few(table, min_loans))


_KEYS: Final = ("rule_id", "title", "rule", "found_by", "sample", "after", "scenario", "paid_life")
_COUNTS: Final = ("n", "approved", "charged_off", "approvals_lost", "charge_offs_avoided")
_FIGURES: Final = (
  "approvals_lost_share",
  "charge_offs_avoided_share",
  "default_rate_declined",
  "default_rate_declined_low",
  "default_rate_declined_high",
  "default_rate_kept",
  "profit_change",
  "profit_change_low",
  "profit_change_high",
  "p_value",
)
_OF_PROFIT: Final = ["profit_change", "profit_change_low", "profit_change_high", "p_value"]


def _keep(sample: Sample, candidate: Candidate, loans: JudgedLoans) -> Sample:
  if candidate.found_by is FoundBy.HAND:
    return sample
  rows = ~loans.is_searched[sample.places]
  approved = {scenario: yes[rows] for scenario, yes in sample.approved.items()}
  return Sample(sample.name, sample.places[rows], approved)


def _test(candidate: Candidate, declined: BoolArray, sample: Sample, loans: JudgedLoans) -> list[dict[str, Any]]:
  rule = candidate.rule
  of_rule = {
    "rule_id": rule.id,
    "title": rule.title,
    "rule": rule.model_dump_json(),
    "found_by": candidate.found_by.value,
    "sample": sample.name,
  }
  hit, bad = declined[sample.places], loans.is_charged_off[sample.places]
  rows = []
  for after in After:
    for scenario, of_policy in sample.approved.items():
      approved = of_policy if after is After.NPV else np.ones_like(hit)
      lost = hit & approved
      counted = _count(lost, approved, bad)
      for paid_life in PaidLife:
        gains = loans.gains[scenario, paid_life][sample.places[lost]]
        outlook = {"after": after.value, "scenario": scenario, "paid_life": paid_life.value}
        change = estimate_change(gains, len(hit))
        figures = change.named("profit_change") | {"p_value": _p_value(change)}
        rows.append(of_rule | outlook | counted | figures)
  return rows


def _count(lost: BoolArray, before: BoolArray, bad: BoolArray) -> dict[str, Any]:
  n, approved, charged_off = len(before), int(before.sum()), int((before & bad).sum())
  approvals_lost, avoided = int(lost.sum()), int((lost & bad).sum())
  return {
    "n": n,
    "approved": approved,
    "charged_off": charged_off,
    "approvals_lost": approvals_lost,
    "charge_offs_avoided": avoided,
    "approvals_lost_share": _divide(approvals_lost, approved),
    "charge_offs_avoided_share": _divide(avoided, charged_off),
    **estimate_share(avoided, approvals_lost).named("default_rate_declined"),
    "default_rate_kept": _divide(charged_off - avoided, approved - approvals_lost),
  }


def _divide(part: int, whole: int) -> float:
  return part / whole if whole else math.nan


def estimate_change(gains: FloatArray, applications: int) -> Estimate:
  """Profit change per application, with its 95% interval (normal).

  `gains`: in currency, of the applications that the rule declines; all others gain nothing.
  """
  if not applications:
    return NO_ESTIMATE
  mean = float(gains.sum()) / applications
  squares = float((gains - mean) @ (gains - mean)) + (applications - len(gains)) * mean**2
  half = Z95 * float(np.sqrt(squares / max(applications - 1, 1) / applications))
  return Estimate(mean, mean - half, mean + half)


def _p_value(change: Estimate) -> float:
  spread = (change.high - change.low) / (2 * Z95)
  return float(norm.sf(change.value / spread)) if spread > 0 else math.nan


def _blank_few(table: pd.DataFrame, min_loans: int) -> pd.DataFrame:
  is_enough = table["approvals_lost"] >= min_loans
  blanked = table[_OF_PROFIT].where(is_enough)
  return table.assign(is_enough=is_enough, **{name: blanked[name] for name in _OF_PROFIT})


def _judge(table: pd.DataFrame) -> pd.DataFrame:
  family = ["found_by", "sample", "after", "scenario", "paid_life"]
  adjusted = table.groupby(family)["p_value"].transform(lambda of_family: control_false_claims(of_family.to_numpy()))
  return table.assign(adjusted_p_value=adjusted, holds=adjusted <= MAX_FALSE_RATE / _FAMILIES)


def control_false_claims(p_values: FloatArray) -> FloatArray:
  """P values adjusted for their number (Holm, Scandinavian Journal of Statistics, 1979); missing ones stay so."""
  is_known = ~np.isnan(p_values)
  known = p_values[is_known]
  order: IntArray = np.argsort(known)
  stepped = np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1))
  adjusted = np.full(len(p_values), np.nan)
  places = np.flatnonzero(is_known)[order]
  adjusted[places] = np.minimum(stepped, 1)
  return adjusted


def select_rows(table: pd.DataFrame, *, scenario: str, paid_life: str, after: After, sample: str = ALL) -> pd.DataFrame:
  """The rows of one outlook, one per rule, by its id."""
  chosen = table[
    table["scenario"].eq(scenario)
    & table["paid_life"].eq(paid_life)
    & table["after"].eq(after.value)
    & table["sample"].eq(sample)
  ]
  return chosen.set_index("rule_id")
