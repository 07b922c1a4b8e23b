"""What loans are divided by, and into which segments."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from loantap.policy.findings.professions import NOT_STATED, group_professions
from loantap.portfolio.dictionary import COLUMNS


class Role(StrEnum):
  """Whose doing a factor is, hence what may be done about it."""

  APPLICANT = "applicant"  # the applicant's facts and wishes
  LENDER = "lender"  # the lender's own price, and what the lender chose to check
  AUDIT = "audit"  # looked at in the audit only; nothing is lent on it


@dataclass(frozen=True, slots=True)
class Segmentation:
  """One way to divide the portfolio, by a canonical column.

  Attributes:
      bands: lower bounds, inclusive, of a number's bands; empty for a category.
      twin: a factor that says the same in other words; neither is adjusted for the other, beside which it would have
          no effect.
  """

  name: str
  phrase: str
  role: Role
  bands: tuple[float, ...] = ()
  twin: str = ""


_ALL: Final = (
  Segmentation("loan_amount", "loan amount", Role.APPLICANT, (0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000)),
  Segmentation("purpose", "purpose", Role.APPLICANT),
  Segmentation("annual_income", "yearly income", Role.APPLICANT, (0, 30_000, 45_000, 60_000, 75_000, 100_000, 150_000)),
  Segmentation("dti_pct", "DTI", Role.APPLICANT, (0, 5, 10, 15, 20, 25, 30, 35)),
  Segmentation("revolving_utilisation_pct", "revolving utilisation", Role.APPLICANT, (0, 20, 40, 60, 80, 100)),
  Segmentation("home_ownership", "home ownership", Role.APPLICANT),
  Segmentation("profession", "profession", Role.APPLICANT),
  Segmentation("grade", "grade", Role.LENDER, twin="interest_rate_pct"),
  Segmentation("interest_rate_pct", "interest rate", Role.LENDER, (0, 8, 11, 14, 17, 20, 24), twin="grade"),
  Segmentation("term_months", "term", Role.LENDER),
  Segmentation("income_verification", "income verification", Role.LENDER),
  Segmentation("pincode", "pincode", Role.AUDIT),
  Segmentation("state", "state", Role.AUDIT),
)
SEGMENTATIONS: Final[Mapping[str, Segmentation]] = MappingProxyType({s.name: s for s in _ALL})


def segment_loans(loans: pd.DataFrame) -> pd.DataFrame:
  """The segment of each loan in each segmentation, one categorical each.

  Its categories are the segments that have loans, bands in rising order, others by name; `not stated` last.
  """
  return pd.DataFrame(
    {name: _segment(loans[name], chosen).cat.remove_unused_categories() for name, chosen in SEGMENTATIONS.items()}
  )


def _segment(values: pd.Series, segmentation: Segmentation) -> pd.Series:
  if segmentation.bands:
    return _band(values, segmentation)
  match segmentation.name:
    case "profession":
      return group_professions(values)
    case "term_months":
      texts = values.map("{:.0f} months".format)
    case _:
      texts = values.astype("str").str.replace("_", " ")
  found = texts.astype("category")
  return found.cat.add_categories(NOT_STATED).fillna(NOT_STATED)


def _band(values: pd.Series, segmentation: Segmentation) -> pd.Series:
  sign = "%" if COLUMNS[segmentation.name].unit.startswith("percent") else ""
  labels = [f"{low:,g} to {high:,g}{sign}" for low, high in pairwise(segmentation.bands)]
  labels.append(f"{segmentation.bands[-1]:,g}{sign} and more")
  bands = pd.cut(values, [*segmentation.bands, np.inf], right=False, labels=labels)
  return bands.cat.add_categories(NOT_STATED).fillna(NOT_STATED)
