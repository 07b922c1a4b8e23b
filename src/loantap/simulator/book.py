"""The simulated book as of a snapshot: loans that have ended, loans that run, and the truth.

A snapshot is a cut through one simulated world, so what a forecast says at one can be held against
what the world shows later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from loantap.portfolio.dictionary import CHARGED_OFF, CSV_ORDER, CURRENT, FULLY_PAID, LATE_16_30, LATE_31_120
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import ContentIds
from loantap.portfolio.truth_columns import TRUTH_COLUMNS
from loantap.simulator.courses import AS_OF_MONTH, Courses, Draws, describe_courses, draw_courses
from loantap.simulator.portfolio import BATCH_LOANS, iter_portfolio
from loantap.simulator.running import iter_running
from loantap.simulator.streams import Streams
from loantap.simulator.texts import give_shared_pincodes

_STABLE = [name for name in CSV_ORDER if name != "loan_status"]
_TEXTS = ("loan_id", "end")


@dataclass(frozen=True, slots=True)
class SimulatedBook:
  """Loans of a book as of a snapshot, one row each in the same order.

  Attributes:
      portfolio: `loan_id` and the 27 columns of a LoanTap file, typed.
      truth: `TRUTH_COLUMNS`. See `courses.true_courses`, and `true_pd` and `true_log_odds` of being charged off: for
          a loan that is resolved in March 2017 given that it is, for another given that it still runs then.
  """

  portfolio: pd.DataFrame
  truth: pd.DataFrame


def snapshot_month(day: date) -> np.datetime64:
  """The last month with simulated events, at most March 2017; InputError before the first."""
  month = min(np.datetime64(day, "M"), AS_OF_MONTH)
  if month < np.datetime64("2008-01", "M"):
    raise InputError(
      "--params as_of",
      f"the simulated book begins in 2007, and hardly had a loan by {day:%Y-%m}",
      "Give a month from 2008-01 on",
    )
  return month


def iter_book(loans: int, seed: int, month: np.datetime64, batch_loans: int = BATCH_LOANS) -> Iterator[SimulatedBook]:
  """The book as of a month, in batches.

  Args:
      loans: resolved ones as of March 2017, which come first; about 1.2 running ones each follow.
      seed: non-negative; same size and seed, same world.
      month: the snapshot; see `snapshot_month`. Loans issued in it or later do not exist, loans that end later run.
      batch_loans: of a batch before the cut.
  """
  identifiers = ContentIds(_STABLE)
  draws, pins = Draws(Streams(seed)), Streams(seed, "running ")
  for batch in iter_portfolio(loans, seed, batch_loans):
    courses = draw_courses(batch.portfolio, draws)
    yield _cut(batch.portfolio, batch.truth, courses, identifiers, pins, month)
  for more in iter_running(loans, seed, batch_loans):
    yield _cut(more.portfolio, more.truth, more.courses, identifiers, pins, month)


def no_truth() -> pd.DataFrame:
  """The truth of a portfolio that nobody simulated: no rows."""
  kinds = {name: "str" if name in _TEXTS else "float64" for name in TRUTH_COLUMNS}
  return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _cut(
  portfolio: pd.DataFrame,
  risk: pd.DataFrame,
  courses: Courses,
  identifiers: ContentIds,
  pins: Streams,
  month: np.datetime64,
) -> SimulatedBook:
  # From what never changes, hence the same at each snapshot.
  known = portfolio.assign(loan_id=identifiers.number(portfolio))
  issued = portfolio["issue_month"].to_numpy().astype("datetime64[M]")
  seen = (month - issued).astype(np.int64)
  runs = courses.last > seen
  status = pd.Series(np.where(courses.is_paid, FULLY_PAID, CHARGED_OFF), dtype="str")
  behind = np.maximum(seen - courses.missed + 1, 0) + (seen == courses.arrears)
  arrears = np.select([behind == 0, behind == 1], [CURRENT, LATE_16_30], LATE_31_120)
  # The pincode of a running loan must not tell how it ends.
  shared = give_shared_pincodes(pins, portfolio["address"])
  shown = known.assign(
    loan_status=status.where(~runs, pd.Series(arrears, dtype="str")), address=portfolio["address"].where(~runs, shared)
  )
  truth = describe_courses(known, courses, 1.0).assign(
    true_pd=risk["true_pd"].to_numpy(), true_log_odds=risk["true_log_odds"].to_numpy()
  )
  exists = seen > 0
  return SimulatedBook(
    portfolio=shown[exists].reset_index(drop=True), truth=truth.loc[exists, list(TRUTH_COLUMNS)].reset_index(drop=True)
  )
