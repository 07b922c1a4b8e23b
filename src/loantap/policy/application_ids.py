"""The identifier of an application, as it was given."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from loantap.portfolio.identity import read_ids
from loantap.portfolio.values import is_missing

APPLICATION_ID: Final = "application_id"


def name_applications(rows: pd.DataFrame, first_row: int) -> pd.Series:
  """Identifiers of rows of a file from `first_row` on, as text; the row number without a column."""
  if APPLICATION_ID in rows:
    return read_ids(rows[APPLICATION_ID])
  return pd.Series(np.arange(first_row, first_row + len(rows))).astype("str")


def name_one(application: Mapping[str, object]) -> str | None:
  """The same of one application: "0" where applications have none, None where it has none."""
  if APPLICATION_ID not in application:
    return "0"
  return name_given(application[APPLICATION_ID])


def name_given(given: object) -> str | None:
  """An identifier as text; None where it is missing."""
  if isinstance(given, str):
    return given.strip() or None
  text = "" if is_missing(given) else str(given).strip()
  return (text.removesuffix(".0") if isinstance(given, float) else text) or None
