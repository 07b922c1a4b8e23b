"""A finding or an action as the head of credit reads it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

from loantap.model.validation.evaluation import make_plain
from loantap.policy.money.scenarios import PaidLife

PER_APPLICATION: Final = "per application"
# What a profit is counted against, and what its column is called.
EVERYBODY: Final = "approving everybody"
NPV: Final = "expected NPV"
_GAINS: Final = {EVERYBODY: "approve_all", NPV: "npv"}
PREPAID: Final = "; with prepayment"
_PER_LOAN: Final = "per loan"


@dataclass(frozen=True, slots=True)
class Money:
  """Mean imputed profit, in currency, with its 95% interval; `per` says against what, too."""

  value: float
  low: float
  high: float
  per: str

  @property
  def is_gain(self) -> bool:
    """Whether it lies above zero beyond chance."""
    return self.low > 0

  @property
  def is_loss(self) -> bool:
    """Whether it lies below zero beyond chance."""
    return self.high < 0

  def __str__(self) -> str:
    return f"{self.value:+,.0f} ({self.low:+,.0f} to {self.high:+,.0f})"


@dataclass(frozen=True, slots=True)
class Headline:
  """A finding, or an action.

  `text` holds the figures that the `title` rests on, `money` what it is worth over `n` loans, None where too few say;
  `points` are what else must be known.
  """

  title: str
  text: str
  money: Money | None
  n: int
  points: tuple[str, ...] = ()


def describe_summary(
  findings: Sequence[Headline],
  actions: Sequence[Headline],
  scenario: str,
  origin: str,
  samples: Mapping[str, int],
  later: str,
) -> dict[str, Any]:
  """The structure of `summary.json`.

  `samples` are how many loans policies were judged on; `later` says which those out of time are. Money is of
  `scenario` and of the contractual life, but where its `per` names another.
  """
  return {
    "origin": origin,
    "scenario": scenario,
    "paid_life": PaidLife.CONTRACTUAL.value,
    "profit": "imputed from outcomes",
    "samples": dict(samples),
    "out_of_time": later,
    "findings": [make_plain(asdict(finding)) for finding in findings],
    "actions": [make_plain(asdict(action)) for action in actions],
  }


def select_policies(policies: pd.DataFrame, sample: str, scenario: str) -> pd.DataFrame:
  """The policies on one sample in one scenario, paid loans running to term."""
  return policies[
    policies["sample"].eq(sample)
    & policies["scenario"].eq(scenario)
    & policies["paid_life"].eq(PaidLife.CONTRACTUAL.value)
  ]


def find_policy(policies: pd.DataFrame, name: str) -> pd.Series:
  """The row of one policy; of missing figures where there is none."""
  found = policies[policies["policy"].eq(name)]
  return found.iloc[0] if len(found) else pd.Series(math.nan, policies.columns)


def read_gain(row: Mapping[str, Any] | pd.Series, beside: str = EVERYBODY) -> Money | None:
  """What a policy earns more than `EVERYBODY` or `NPV`; None where too few loans say."""
  name = f"gain_to_{_GAINS[beside]}"
  value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
  if math.isnan(value):
    return None
  return Money(value, low, high, f"{PER_APPLICATION}, against {beside}")


def read_earned(row: pd.Series, life: PaidLife = PaidLife.CONTRACTUAL) -> Money:
  """What a loan of the segment earned on average."""
  value, low, high = (float(row[f"profit_{life.value}{end}"]) for end in ("", "_low", "_high"))
  return Money(value, low, high, _PER_LOAN + (PREPAID if life is PaidLife.CAPPED else ""))


def rename_approved(row: pd.Series) -> pd.Series:
  """The default rate of what is approved, by the names that `tell_rate` reads."""
  ends = ("", "_low", "_high")
  return pd.Series({f"default_rate{end}": row[f"default_rate_approved{end}"] for end in ends})


def take_first(rows: pd.DataFrame, by: str, *, largest: bool = False) -> pd.Series:
  """The row with the least, or the largest, of a figure."""
  return rows.sort_values(by, ascending=not largest, kind="stable").iloc[0]


def name_segment(row: pd.Series) -> str:
  """A segment in a sentence."""
  return f"{row['phrase']} {row['segment']}"


def join_names(names: Sequence[str]) -> str:
  """Names in a sentence: `a, b and c`."""
  return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
