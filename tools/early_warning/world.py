"""A simulated book in the form that early warning reads, with the truth of each loan."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from loantap.features.outcomes import find_outcomes
from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.dictionary import RESOLVED, SIMULATED
from loantap.simulator import iter_book, iter_months, snapshot_month
from loantap.surveillance.panel.build import build_panel
from tools.benchmarks.configured import read_early_warning


@dataclass(frozen=True, slots=True)
class World:
  """A book as of a month; `loans` to `history` are of those that run and are not in arrears then.

  `now` is the last month of each in the panel, in the order of `loans` and `truth`.
  """

  panel: pd.DataFrame
  outcomes: pd.DataFrame
  loans: pd.DataFrame
  truth: pd.DataFrame
  now: pd.DataFrame
  history: pd.DataFrame


def simulate_world(loans: int, day: date, strength: float, seed: int) -> World:
  """`strength`: factor on how far DTI and utilisation rise before a default; 0 leaves noise alone."""
  month = snapshot_month(day)
  books = list(iter_book(loans, seed, month))
  book, truth = (
    pd.concat(parts).sort_values("loan_id", ignore_index=True)
    for parts in ([b.portfolio for b in books], [b.truth.assign(drift_strength=strength) for b in books])
  )
  principal = implied_principal(book["instalment"], book["interest_rate_pct"], book["term_months"])
  book = book.assign(origin=SIMULATED, funded_principal=principal)
  events = pd.concat(iter_months([(book, truth)], seed, month), ignore_index=True)
  months = build_loan_months(events.assign(origin=SIMULATED), book).rows
  runs = ~book["loan_status"].isin(RESOLVED)
  panel = build_panel(months, book, read_early_warning().panel)
  is_now = panel["month"].eq(panel["month"].max()) & panel["days_past_due"].eq(0)
  now = panel[is_now & panel["loan_id"].isin(book.loc[runs, "loan_id"])]
  kept = book["loan_id"].isin(now["loan_id"])
  history = panel[panel["loan_id"].isin(now["loan_id"])]
  chosen = (rows.reset_index(drop=True) for rows in (book[kept], truth[kept], now, history))
  return World(panel, find_outcomes(months, book[~runs], book[runs]), *chosen)
