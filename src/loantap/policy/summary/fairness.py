"""Whom a policy approves less often than the four-fifths rule asks."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

_FOUR_FIFTHS: Final = 0.8


def tell_fairness(fairness: pd.DataFrame, policy: str) -> str:
  """The groups approved at less than four fifths of the highest rate."""
  of_policy = fairness[fairness["policy"].eq(policy)]
  if of_policy.empty:
    return "Fairness: not computed for this policy."
  audited = of_policy[~of_policy["audit_only"].astype(bool) & of_policy["approval_ratio"].notna()]
  if audited.empty:
    return ""
  below = audited[audited["approval_ratio"].lt(_FOUR_FIFTHS)].sort_values("approval_ratio")
  shown = below[below["approval_ratio_high"].lt(_FOUR_FIFTHS)]
  if below.empty:
    return "Fairness: no group is approved at less than four fifths of the rate of another."
  told, others = len(shown) or len(below), len(below) - len(shown)
  is_or_may = "may be" if shown.empty else "are" if told > 1 else "is"
  worst = _tell_group((below if shown.empty else shown).iloc[0].to_dict())
  more = f"; {others} more may be" if others and len(shown) else ""
  return (
    f"Fairness: {told} {'groups' if told > 1 else 'group'} {is_or_may} approved at less than "
    f"four fifths of the rate of the group approved most often{more}. Lowest: {worst}."
  )


def _tell_group(row: Mapping[Any, Any]) -> str:
  proxy = str(row["phrase"]).partition(",")[0].lower()
  low, high = row["approval_ratio_low"], row["approval_ratio_high"]
  return f"{proxy}, {row['group']}: {row['approval_ratio']:.2f} ({low:.2f} to {high:.2f})"
