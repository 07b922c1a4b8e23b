"""What a flag against a model is, and how rules raise them from figures of the reports.

A flag is a figure that lies beyond what chance gives at its number of loans, and is large enough to matter: red where a
use that the card allows would go wrong, or a threshold does no better than nothing; otherwise amber.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loantap.reporting.formatting import count, decimal, decimal_interval


class Severity(StrEnum):
  """How much a flag weighs."""

  RED = "red"
  AMBER = "amber"


@dataclass(frozen=True, slots=True)
class Flag:
  """One finding against a model, the figure that shows it, and what it means for its users."""

  severity: Severity
  finding: str
  figure: str
  meaning: str


@dataclass(frozen=True, slots=True)
class Evidence:
  """What a model is judged by: its parts of the reports, all of it finished figures.

  Without an external sample `external` is None, and `rolling_origin` where it was not analysed. `tolerated_ece` is
  what the rule of promotion calls immaterial; `phrases` are the features in words.
  """

  blocks: Mapping[str, Any]
  tolerated_ece: float
  conditions: Sequence[Mapping[str, Any]]
  rolling_origin: Mapping[str, Any] | None
  external: Mapping[str, Any] | None
  populations: Sequence[Mapping[str, Any]]
  proxies: Sequence[Mapping[str, Any]]
  features: Sequence[Mapping[str, Any]]
  portfolio_checks: Sequence[Mapping[str, Any]]
  phrases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
  """A rule; `find` gives the flags it raises, None where its figures were not measured."""

  name: str
  words: str
  find: Callable[[Evidence], list[Flag] | None]


@dataclass(frozen=True, slots=True)
class Check:
  """A rule applied to one model; `is_judged` where the figures it needs were measured."""

  name: str
  words: str
  flags: Sequence[Flag]
  is_judged: bool


def apply_rules(rules: Sequence[Rule], evidence: Evidence) -> list[Check]:
  """One check per rule, in their order."""
  found = [(rule, rule.find(evidence)) for rule in rules]
  return [Check(rule.name, rule.words, flags or [], flags is not None) for rule, flags in found]


def list_flags(checks: Sequence[Check]) -> list[Flag]:
  """All flags of some checks, red ones first."""
  flags = [flag for check in checks for flag in check.flags]
  return sorted(flags, key=lambda flag: flag.severity is not Severity.RED)


def quote(row: Mapping[str, Any], figure: str, digits: int = 3) -> str:
  """A figure of a row with its interval and number of loans.

  >>> quote({"n": 1357, "f2": 0.4036, "f2_low": 0.36, "f2_high": 0.4449}, "f2")
  '0.404 (0.360 to 0.445), n = 1,357'
  """
  interval = decimal_interval(row.get(f"{figure}_low"), row.get(f"{figure}_high"), digits)
  bounds = f" ({interval})" if interval else ""
  return f"{decimal(row[figure], digits)}{bounds}, n = {count(row['n'])}"
