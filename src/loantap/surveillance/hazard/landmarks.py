"""Months of loans that are looked forward from, and what came after each."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.features.outcomes import DEFAULT_DAYS
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.surveillance.hazard.design import FEATURES, STATE
from loantap.tables.rows import LongTable, read_batches

_NEVER: Final = 1_000_000
_PANEL: Final = tuple(dict.fromkeys(("loan_id", "month", *STATE, *FEATURES, "origin")))


@dataclass(frozen=True, slots=True)
class Ahead:
  """Months from each landmark to what happened; larger than any lead where it never did.

  `seen` is to the event, or to the last month seen.
  """

  default: IntArray
  paid: IntArray
  seen: IntArray

  def __getitem__(self, rows: BoolArray | IntArray) -> "Ahead":
    return Ahead(self.default[rows], self.paid[rows], self.seen[rows])


def draw_shares(loan_ids: pd.Series, seed: int) -> FloatArray:
  """A number between 0 and 1 for each loan, the same for the same loan and seed."""
  key = f"{seed:016d}"[-16:]
  hashed = pd.util.hash_array(loan_ids.to_numpy(dtype=object), hash_key=key)
  return hashed.astype(np.float64) / 2**64


def sample_landmarks(panel: pd.DataFrame | LongTable, most: int, seed: int, rows: int | None = None) -> pd.DataFrame:
  """Rows of a panel, about `most` of them, drawn by loan and month: in any batches the same.

  Rows 90 days past due are left out. `rows`: how many the panel has, where it is a part of one.
  """
  share = most / max(rows or len(panel), 1)
  kept = [_draw(batch, share, seed) for batch in read_batches(panel, _PANEL)]
  return pd.concat(kept, ignore_index=True)


def look_ahead(landmarks: pd.DataFrame, outcomes: pd.DataFrame) -> Ahead:
  """What came after each landmark (`loan_id` and `month`).

  `seen` is 0 or less where the loan had ended, or is unknown.
  """
  found = landmarks[["loan_id"]].merge(outcomes, on="loan_id", how="left")
  now = _month_number(landmarks["month"])
  default, paid, last = (_month_number(found[name]) for name in ("default_month", "paid_month", "last_month"))
  until_default = np.where(default == _NEVER, _NEVER, default - now)
  until_paid = np.where(paid == _NEVER, _NEVER, paid - now)
  until_last = np.where(last == _NEVER, 0, last - now)
  event = np.minimum(until_default, until_paid)
  return Ahead(until_default, until_paid, np.where(event == _NEVER, until_last, event))


def expand(ahead: Ahead, first: int, last: int, most: int, seed: int) -> tuple[npt.NDArray[np.intp], IntArray]:
  """Landmark and lead of each month in which a loan was at risk, `first` to `last` ahead.

  Of more than about `most` a random sample.
  """
  count = np.clip(np.minimum(ahead.seen, last) - first + 1, 0, None).astype(np.int64)
  landmark = np.repeat(np.arange(len(count)), count)
  starts = np.cumsum(count) - count
  lead = np.arange(len(landmark)) - starts[landmark] + first
  if len(landmark) > most:
    kept = np.random.default_rng(seed).random(len(landmark)) < most / len(landmark)
    landmark, lead = landmark[kept], lead[kept]
  return landmark, lead


def _draw(batch: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
  alive = batch[batch["days_past_due"] < DEFAULT_DAYS]
  if share >= 1:
    return alive
  # A golden-ratio step a month spreads a loan's months evenly.
  place = draw_shares(alive["loan_id"], seed) + _month_number(alive["month"]) * 0.6180339887498949
  return alive[place % 1 < share]


def _month_number(months: pd.Series) -> IntArray:
  number = months.dt.year * 12 + months.dt.month
  numbers: IntArray = number.fillna(_NEVER).to_numpy(dtype=np.int64)
  return numbers
