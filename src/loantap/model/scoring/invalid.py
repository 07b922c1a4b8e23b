"""What is wrong with applications, in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from loantap.portfolio.column_reading import ReadColumn, list_problems
from loantap.portfolio.contradictions import Contradiction
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.values import show_value


class Problem(NamedTuple):
  """What is wrong with an application: where, the value as it is shown, and why."""

  column: Column
  value: str
  reason: str


def say_problem(column: Column, value: str, reason: str) -> str:
  """One problem of one application."""
  return f"{column.source_name} '{value}': {reason}"


def describe_invalid(
  given: Mapping[str, pd.Series],
  read: Mapping[str, ReadColumn],
  contradictions: Sequence[Contradiction],
  faults: pd.Series,
) -> dict[int, str]:
  """All that is wrong with each application that cannot be scored, by its place, from 0.

  `given` are the columns as they came, `read` the same typed; for `faults` see `list_faults`.
  """
  problems: dict[int, list[str]] = {}
  for name, column in read.items():
    described = list_problems(given[name], COLUMNS[name], column)
    rows = np.flatnonzero(column.faults).tolist()
    for row, value, reason in zip(rows, described["value"], described["reason"], strict=True):
      problems.setdefault(row, []).append(say_problem(COLUMNS[name], value, reason))
  for found in contradictions:
    tied = COLUMNS[found.column]
    value = show_value(given[found.column].iloc[found.row])
    problems.setdefault(found.row, []).append(say_problem(tied, value, found.reason))
  # Of a row that could not be read nothing is known, so all else about it is noise.
  unread = faults.to_numpy()
  problems |= {int(row): [str(unread[row])] for row in np.flatnonzero(pd.notna(unread))}
  return {row: "; ".join(said) for row, said in problems.items()}
