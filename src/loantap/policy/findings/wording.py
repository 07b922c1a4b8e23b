"""The words of findings: closed lists, and one sentence per segment."""

from enum import StrEnum
from typing import Any, TypeAlias

import pandas as pd

from loantap.policy.findings.segmentations import Role

# Figures by the names of a table's columns.
Row: TypeAlias = dict[str, Any] | pd.Series


class Finding(StrEnum):
  """What the loans say of a segment, other factors being equal."""

  MORE = "more defaults"
  FEWER = "fewer defaults"
  NONE = "no difference shown"
  TOO_FEW = "too few loans to say"


class Steadiness(StrEnum):
  """Whether a segment's effect holds over the years of issue."""

  SAME_SIGN = "same sign in every year"
  NOT_SHOWN = "no difference between years shown"
  VARIES = "differs between years"
  TOO_FEW = "too few loans to say"


def tell_rate(row: Row) -> str:
  """A default rate with its interval.

  >>> tell_rate({"default_rate": 0.2, "default_rate_low": 0.151, "default_rate_high": 0.26})
  '20.0% (15.1 to 26.0%)'
  """
  low, high = row["default_rate_low"], row["default_rate_high"]
  return f"{row['default_rate']:.1%} ({low * 100:.1f} to {high:.1%})"


def tell_effect(row: Row) -> str:
  """An effect in percentage points, with its interval.

  >>> tell_effect({"effect": -4.13, "effect_low": -6.27, "effect_high": -1.99})
  '-4.1 points (-6.3 to -2.0)'
  """
  return f"{row['effect']:+.1f} points ({row['effect_low']:+.1f} to {row['effect_high']:+.1f})"


def tell_finding(row: Row) -> str:
  """One sentence about a segment, with its figures; `row` of `tabulate_findings`."""
  name = f"{row['phrase'][0].upper()}{row['phrase'][1:]} {row['segment']}"
  if row["finding"] == Finding.TOO_FEW:
    return f"{name}: {Finding.TOO_FEW} (n = {row['loans']:,})."
  told = f"{name}: {row['loans']:,} loans, default rate {tell_rate(row)}"
  if row["finding"] == Finding.NONE:
    told += f"; other factors equal, no difference from other loans is shown, {tell_effect(row)}"
  else:
    told += f"; other factors equal, {row['finding']} than other loans, {tell_effect(row)}"
  if row["stability"] == Steadiness.VARIES:
    told += ", though not the same in all years"
  if row["role"] == Role.AUDIT:
    return f"{told}. For audit only: nothing is lent on it."
  return f"{told}. Imputed profit per loan: {tell_profit(row)}."


def tell_profit(row: Row) -> str:
  """Imputed profit per loan, with its interval.

  >>> tell_profit({"profit_contractual": -369.2, "profit_contractual_low": -470,
  ...              "profit_contractual_high": 68})
  '-369 (-470 to +68)'
  """
  mean, low, high = (row[f"profit_contractual{end}"] for end in ("", "_low", "_high"))
  return f"{mean:+,.0f} ({low:+,.0f} to {high:+,.0f})"


def _explain(row: Row) -> str:
  if row["effect_low"] * row["effect_high"] > 0:
    return f". With so many claims tried, that may be chance (q = {row['q_value']:.2g})"
  return ". The plain difference goes with the other factors, the price among them"


def tell_answer(row: Row, *, is_audit: bool, is_refused: bool) -> str:
  """What the loans answer to a claim; `is_refused`: it asks to lend less for what nothing may be lent on."""
  if row["finding"] == Finding.TOO_FEW:
    figures = f"Too few loans to say (n = {row['loans']:,})"
  else:
    figures = (
      f"{row['charged_off']:,} of {row['loans']:,} loans were charged off, {tell_rate(row)}, and "
      f"{row['default_rate_others']:.1%} of all others; other factors equal, {tell_effect(row)}: {row['finding']}"
    )
  if is_refused:
    leak = ""
    if row["loans"] and row["charged_off"] in {0, row["loans"]}:
      leak = (
        "All loans of the pincode ended alike, since the pincode in this data is made from "
        "the outcome: it says nothing about the next applicant. "
      )
    return (
      f"{figures}. Refused: no policy depends on the pincode. {leak}Where a pincode is true, "
      "it stands for where people live, and to refuse credit for that is redlining."
    )
  if is_audit:
    return f"{figures}. No lending depends on the pincode, whichever way it points."
  if row["finding"] == Finding.TOO_FEW:
    return f"{figures}."
  if row["finding"] == Finding.NONE and row["gap_low"] * row["gap_high"] > 0:
    figures += _explain(row)
  return (
    f"{figures}. Imputed profit per loan: {tell_profit(row)}; of all others {row['profit_contractual_others']:+,.0f}."
  )
