"""The policies that a committee chooses from, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from loantap.reporting.formatting import CURRENCY, NOTHING, count, money, percent, two_decimals, whole_percent
from loantap.reporting.insights.fairness_tables import find_least_ratios
from loantap.reporting.page_table import PageTable, list_rows, with_interval

_MAIN_SAMPLE = "cv"


def tabulate_choices(
  policies: pd.DataFrame,
  fairness: pd.DataFrame,
  stressed: pd.DataFrame,
  scenario: str,
  scenarios: Sequence[str],
  later: str,
) -> PageTable:
  """The policies that a committee chooses from, each in every scenario and out of time.

  `stressed` is what expected NPV, decided at the costs of the main `scenario`, earns in each. `later` tells which
  loans were judged out of time; empty where none was.
  """
  outlooks = {
    scenario: (_MAIN_SAMPLE, scenario, "contractual"),
    "prepaid": (_MAIN_SAMPLE, scenario, "capped"),
    **{name: (_MAIN_SAMPLE, name, "contractual") for name in scenarios if name != scenario},
    "out of time": ("out_of_time", scenario, "contractual"),
  }
  known = {(row["sample"], row["scenario"], row["paid_life"], row["policy"]): row for row in list_rows(policies)}
  ratios = find_least_ratios(fairness)
  rows = []
  for name in _order_choices(policies):
    main = known[(*outlooks[scenario], name)]
    ratio = ratios.get(name)
    rows.append(
      [
        str(main["label"]),
        percent(main["approval_rate"]),
        with_interval(main, "default_rate_approved", percent),
        *(_tell_outlook(known.get((*outlook, name)), main) for outlook in outlooks.values()),
        with_interval(main, "gain_to_approve_all", money),
        with_interval(main, "gain_to_npv", money),
        _tell_least_ratio(name, ratio, fairness),
      ]
    )
  rows.append(_tell_stressed(rows[-1], stressed, scenario, list(outlooks)))
  n_later = policies.loc[policies["sample"].eq("out_of_time"), "n"].max()
  told_later = f"Out of time, n = {count(n_later)}: {later}, each judged by a model of earlier loans. " if later else ""
  audited = fairness.groupby(["policy", "proxy"])["n"].sum().max() if len(fairness) else 0
  headers = (
    "Policy",
    "Approved",
    "Default rate of approved",
    *(f"Profit, {name}" for name in outlooks),
    f"Against all, {scenario}",
    f"Against NPV, {scenario}",
    "Least approval ratio",
  )
  note = (
    f"Imputed profit per application, in {CURRENCY}. All of these loans were made, so to approve everybody is what "
    f"was done. Prepaid: scenario {scenario}, paid loans no longer than they were observed. In each scenario a "
    "policy decides at its costs: where it then approves another share of the loans, that share stands before the "
    f"profit. The last row decides once, at the costs of {scenario}, and pays those of each scenario. "
    f"{told_later}Against all, against NPV: differences on the same loans. Least approval ratio, n = "
    f"{count(audited)} (the loans held out too): of the group of borrowers approved least often to the one "
    "approved most often; the four-fifths rule asks for 0.80."
  )
  return PageTable(f"Each policy in every scenario, n = {count(policies['n'].max())} applications", headers, rows, note)


def _tell_stressed(npv: Sequence[str], stressed: pd.DataFrame, scenario: str, outlooks: Sequence[str]) -> list[str]:
  cells = [f"The same, decided at {scenario} costs", *npv[1:]]
  for row in list_rows(stressed[stressed["scenario"].ne(scenario)]):
    cells[3 + outlooks.index(row["scenario"])] = with_interval(row, "profit", money)
  return cells


def _tell_outlook(row: Mapping[str, Any] | None, main: Mapping[str, Any]) -> str:
  if row is None:
    return NOTHING
  profit = with_interval(row, "profit", money)
  if row["approval_rate"] == main["approval_rate"]:
    return profit
  return f"{whole_percent(row['approval_rate'])}: {profit}"


def _tell_least_ratio(policy: str, least: Mapping[str, Any] | None, fairness: pd.DataFrame) -> str:
  if least is not None:
    return with_interval(least, "approval_ratio", two_decimals)
  # Where no group is approved less often than another, all are approved alike.
  return "1.00" if fairness["policy"].eq(policy).any() else "not computed"


def _order_choices(policies: pd.DataFrame) -> list[str]:
  by_name = policies.drop_duplicates("policy").set_index("policy")["cap"]
  caps = by_name[by_name.index.str.startswith("capped_default_rate")].sort_values()
  return ["approve_all", "bands", *caps.index, "npv"]
