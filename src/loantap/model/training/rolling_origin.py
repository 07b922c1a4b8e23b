"""The rolling origin: what models of the past may know, and which loans judge them.

Tashman, *Out-of-sample tests of forecasting accuracy*, International Journal of Forecasting 2000.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.model.training.options import OutOfTimeOptions
from loantap.portfolio.arrays import MonthArray

# Fewer of an outcome among all loans judged say nothing about a model.
_MIN_JUDGED = 10


def date_loans(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.DataFrame:
  """From when on each loan may train, and at which origin it is judged.

  Takes one row per loan with `is_charged_off`, `issue_month`, `term_months`. Returns, with the
  same index, `known_from`, the first origin whose model may be trained on the loan, and
  `judged_at`, the origin whose model scores it (missing where none does, or it is skipped).
  """
  plan = plan_origins(loans, window)
  judged_at = _judged_at(loans, window)
  skipped = plan.loc[plan["skipped"].ne(""), "origin"]
  return pd.DataFrame(
    {
      "known_from": _known_from(loans, settled_only=window.settled_only),
      "judged_at": judged_at.mask(judged_at.isin(skipped)),
    }
  )


def plan_origins(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.DataFrame:
  """What each origin has to train on and to judge, and why one is skipped.

  Takes what `date_loans` takes. Returns one row per origin: `origin`; `until`, the issue month of
  the last loans judged at it; `trained_loans` and `trained_charge_offs`; of the loans issued
  before it `settled_loans` and `settled_charge_offs`, whose contractual end lies before it too;
  `judged_loans` and `judged_charge_offs`; `skipped`, the reason or "".
  """
  outcome = loans["is_charged_off"].to_numpy()
  known = _known_from(loans, settled_only=window.settled_only).to_numpy()
  settled = _known_from(loans, settled_only=True).to_numpy()
  judged_at = _judged_at(loans, window).to_numpy()
  rows = []
  last = np.datetime64(window.last_month, "M")
  for origin in _list_origins(window):
    sets = {"trained": known <= origin, "settled": settled <= origin}
    until = min(origin.astype("datetime64[M]") + window.step_months - 1, last)
    row: dict[str, object] = {"origin": origin, "until": until}
    for name, is_in in (sets | {"judged": judged_at == origin}).items():
      row |= {f"{name}_loans": is_in.sum(), f"{name}_charge_offs": outcome[is_in].sum()}
    rows.append(row)
  plan = pd.DataFrame(rows).astype({"origin": "datetime64[s]", "until": "datetime64[s]"})
  return plan.assign(skipped=_explain_skips(plan, window)).astype({"skipped": "str"})


def end_of_contract(loans: pd.DataFrame) -> pd.Series:
  """Month of the last instalment: `issue_month` plus `term_months`, first day, datetime64[s]."""
  return _add_months(loans["issue_month"], loans["term_months"].to_numpy())


def _list_origins(window: OutOfTimeOptions) -> MonthArray:
  origins = np.arange(
    np.datetime64(window.first_origin, "M"),
    np.datetime64(window.last_month, "M") + 1,
    np.timedelta64(window.step_months, "M"),
  )
  return origins.astype("datetime64[s]")


def _known_from(loans: pd.DataFrame, *, settled_only: bool) -> pd.Series:
  # A loan of the month itself, or settled in it, is not known yet on its first day.
  known = end_of_contract(loans) if settled_only else loans["issue_month"]
  return _add_months(known, np.ones(len(loans)))


def _judged_at(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.Series:
  origins = _list_origins(window)
  issued = loans["issue_month"]
  place = np.searchsorted(origins, issued.to_numpy().astype("datetime64[s]"), side="right") - 1
  is_judged = loans["term_months"].eq(window.term_months) & issued.le(pd.Timestamp(window.last_month)) & (place >= 0)
  return pd.Series(origins[np.maximum(place, 0)], index=loans.index).where(is_judged)


def _add_months(months: pd.Series, count: npt.NDArray[np.float64]) -> pd.Series:
  moved = months.to_numpy().astype("datetime64[M]") + count.astype("int64")
  return pd.Series(moved.astype("datetime64[s]"), index=months.index)


def _explain_skips(plan: pd.DataFrame, window: OutOfTimeOptions) -> list[str]:
  counts = plan[["trained_loans", "trained_charge_offs", "judged_loans"]].to_numpy()
  reasons = [_explain_skip(*map(int, counted), window=window) for counted in counts]
  judged = plan[[not reason for reason in reasons]]
  charged_off = int(judged["judged_charge_offs"].sum())
  rarest = min(charged_off, int(judged["judged_loans"].sum()) - charged_off)
  if rarest >= _MIN_JUDGED:
    return reasons
  too_few = f"all origins together judge {rarest} loans of the rarer outcome, too few"
  return [reason or too_few for reason in reasons]


def _explain_skip(loans: int, charged_off: int, judged: int, *, window: OutOfTimeOptions) -> str:
  rarest = min(charged_off, loans - charged_off)
  which = "settled" if window.settled_only else "issued"
  if rarest < window.min_outcomes:
    return (
      f"{charged_off:,} charge-offs among the {loans:,} loans {which} before it: "
      f"fewer than {window.min_outcomes} of an outcome"
    )
  return "" if judged else "no loan to judge"
