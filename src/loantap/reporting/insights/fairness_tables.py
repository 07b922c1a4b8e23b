"""How alike groups of borrowers are approved, in tables."""

from typing import Any

import pandas as pd

from loantap.reporting.formatting import count, one_decimal, percent, two_decimals
from loantap.reporting.page_table import PageTable, list_rows, with_interval

_POLICIES = {
  "approve_all": "Approve everybody",
  "f2_threshold": "F2 threshold",
  "pd_cutoff": "PD cut-off",
  "bands": "Top tenth by PD declined",
  "grade_term_npv": "NPV by grade and term",
  "capped_default_rate": "Default rate capped",
  "npv": "Expected NPV above 0",
  "profit_score": "Profit score",
  "oracle": "Oracle (knows the outcome)",
}


def find_least_ratios(audit: pd.DataFrame) -> dict[str, dict[str, Any]]:
  """Of each policy, the row of the group with the least ratio of approval rates."""
  lent_on = audit[audit["approval_ratio"].lt(1) & ~audit["audit_only"].astype(bool)]
  least = lent_on.sort_values("approval_ratio", kind="stable").drop_duplicates("policy")
  return {str(row["policy"]): row for row in list_rows(least)}


def tabulate_fairness(audit: pd.DataFrame, shown_cap: float) -> PageTable:
  """The least ratio of approval rates of each proxy under each policy; `shown_cap` a fraction."""
  names_of = _POLICIES | {"capped_default_rate": f"Default rate capped at {100 * shown_cap:g}%"}
  compared = audit[audit["approval_ratio"].notna() & ~audit["audit_only"].astype(bool)]
  proxies = compared["proxy"].unique()
  rows = []
  for policy, of_policy in compared.groupby("policy", sort=False):
    cells = [names_of.get(str(policy), str(policy).replace("_", " "))]
    for proxy in proxies:
      groups = of_policy[of_policy["proxy"].eq(proxy)]
      groups = groups[groups["approval_ratio"].lt(1)]
      if groups.empty:
        cells.append("1.00")
        continue
      worst = list_rows(groups.nsmallest(1, "approval_ratio"))[0]
      cells.append(with_interval(worst, "approval_ratio", two_decimals))
    rows.append(cells)
  names = [str(compared.loc[compared["proxy"].eq(p), "phrase"].iloc[0]) for p in proxies]
  loans = int(audit.groupby(["policy", "proxy"])["n"].sum().max()) if len(audit) else 0
  note = (
    "Approval rate of the group approved least often, as a share of that of the group approved most often. The "
    "four-fifths rule asks for .8. Intervals hold for all groups of a proxy at once."
  )
  return PageTable(f"Approval ratios, n = {count(loans)} loans", ("Policy", *names), rows, note)


def tabulate_groups(audit: pd.DataFrame, policy: str = "npv") -> PageTable:
  """What one policy does to each group of borrowers."""
  shown = audit[audit["policy"].eq(policy) & ~audit["audit_only"].astype(bool)]
  rows = [
    [
      f"{str(row['phrase']).partition(',')[0]}: {row['group']}",
      count(row["n"]),
      with_interval(row, "approval_rate", percent),
      with_interval(row, "approval_ratio", two_decimals),
      with_interval(row, "true_positive_rate", percent),
      with_interval(row, "false_positive_rate", percent),
      with_interval(row, "observed_to_expected", two_decimals),
      str(row["verdict"]),
    ]
    for row in list_rows(shown)
  ]
  headers = (
    "Group",
    "n",
    "Approved",
    "To the group approved most",
    "Charge-offs declined",
    "Paid loans declined",
    "Charge-offs, observed to expected",
    "Verdict",
  )
  return PageTable(f"Each group under {_POLICIES[policy]}", headers, rows, is_folded=True)


def tabulate_fairness_price(frontier: pd.DataFrame, scenario: str, paid_life: str) -> PageTable:
  """What it costs the NPV policy to approve the groups of a proxy alike."""
  shown = frontier[
    frontier["scenario"].eq(scenario) & frontier["paid_life"].eq(paid_life) & frontier["target_ratio"].notna()
  ]
  rows = [
    [
      str(row["phrase"]),
      one_decimal(row["target_ratio"]),
      with_interval(row, "worst_ratio", two_decimals),
      with_interval(row, "lost_per_application", one_decimal),
      with_interval(row, "default_rate_approved", percent),
    ]
    for row in list_rows(shown)
  ]
  headers = ("Proxy", "Ratio asked", "Ratio reached", "Profit lost per application", "Default rate of approved")
  note = (
    "A measurement, not a proposal: hurdles that depend on a borrower's group are themselves "
    "unlawful in many places. Profit is imputed."
  )
  return PageTable(
    f"The least profit that a fairer policy costs, scenario {scenario}", headers, rows, note, is_folded=True
  )
