"""Why a loan is on the list, in one sentence, and what its arrears are called."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from loantap.surveillance.options import LEVELS, QUEUES, Queue, Trigger


def name_sma(days_past_due: pd.Series) -> pd.Series:
  """The special mention account of each loan; empty for one that is not overdue, or is past it.

  By age of the oldest unpaid instalment: SMA-0 up to 30 days, SMA-1 31 to 60, SMA-2 61 to 90;
  beyond, a loan is non-performing.

  Source: Reserve Bank of India, Prudential Framework for Resolution of Stressed Assets
  Directions, 7 June 2019, paragraph 7.
  """
  days = days_past_due.to_numpy()
  names = np.select([days <= 0, days <= 30, days <= 60, days <= 90], ["", "SMA-0", "SMA-1", "SMA-2"], "")
  return pd.Series(names, index=days_past_due.index, dtype="str")


_SHARES = ("pd_", "payment_to_", "balance_share")


def list_fired(fired: int, triggers: Mapping[str, Trigger]) -> list[str]:
  """Names of the triggers whose bit is set, the most serious first, one on each figure."""
  names = [name for bit, name in enumerate(triggers) if fired >> bit & 1]
  told: dict[str, str] = {}
  for name in sorted(names, key=lambda name: -LEVELS.index(triggers[name].level)):
    told.setdefault(triggers[name].figure, name)
  return list(told.values())


def choose_queue(names: list[str], triggers: Mapping[str, Trigger]) -> Queue:
  """Who deals with an entry: of its most serious triggers, the one that asks for most."""
  worst = LEVELS.index(triggers[names[0]].level)
  queues = [t.queue for t in map(triggers.__getitem__, names) if LEVELS.index(t.level) == worst]
  return max(queues, key=QUEUES.index)


def word_reason(row: Mapping[Hashable, Any], names: list[str], triggers: Mapping[str, Trigger], *notes: str) -> str:
  """One sentence: what each trigger saw in the row, the month in which it fired.

  `notes` are what else the reader must know; empty ones are left out.
  """
  told = [
    triggers[name].words.format(value=_word_value(triggers[name].figure, float(row[triggers[name].figure])))
    for name in names
  ]
  text = "; ".join([*told, *filter(None, notes)])
  return f"{text[:1].upper()}{text[1:]}."


def _word_value(figure: str, value: float) -> str:
  """A figure as a person writes it: shares in percent.

  >>> _word_value("pd_12m", 0.184), _word_value("dti_change_3m", 6.25), _word_value("dti_pct", 60)
  ('18%', '6.2', '60')
  """
  if figure.startswith(_SHARES):
    return f"{value:.0%}"
  return f"{abs(value):.1f}".removesuffix(".0")
