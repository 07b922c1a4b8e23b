"""Groups of borrowers that may stand for protected ones.

No protected attribute is in the data, so equal treatment can neither be shown nor ruled out. Proxies are length of
credit history for age, income and housing for wealth, pincodes for where people live (only for audits).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from loantap.features.build import build_features
from loantap.policy.findings.professions import group_professions


@dataclass(frozen=True, slots=True)
class Proxy:
  """A way to group borrowers.

  `phrase` says what it may stand for; `group` gives an ordered categorical; `audit_only`: nothing but this audit may
  look at it.
  """

  phrase: str
  group: Callable[[pd.DataFrame], pd.Series]
  audit_only: bool = False


def _categories(name: str) -> Callable[[pd.DataFrame], pd.Series]:
  return lambda loans: loans[name].astype("str").fillna("not stated").astype("category")


def _bands(read: Callable[[pd.DataFrame], pd.Series], bounds: tuple[float, ...]) -> Callable[[pd.DataFrame], pd.Series]:
  labels = [f"below {bounds[0]:,g}"]
  labels += [f"{low:,g} to below {high:,g}" for low, high in pairwise(bounds)]
  labels += [f"{bounds[-1]:,g} and more"]

  def band(loans: pd.DataFrame) -> pd.Series:
    cut = pd.cut(read(loans), [-np.inf, *bounds, np.inf], right=False, labels=labels)
    return cut.cat.add_categories("not stated").fillna("not stated")

  return band


def _history_years(loans: pd.DataFrame) -> pd.Series:
  return build_features(loans, ["credit_history_years"])["credit_history_years"]


PROXIES: Final[Mapping[str, Proxy]] = MappingProxyType(
  {
    "home_ownership": Proxy("Housing, which may stand for wealth", _categories("home_ownership")),
    "credit_history_years": Proxy(
      "Length of the credit history in years, which may stand for age", _bands(_history_years, (10, 15, 20, 25))
    ),
    "annual_income": Proxy(
      "Yearly income, which may stand for wealth",
      _bands(lambda loans: loans["annual_income"], (40_000, 60_000, 80_000, 120_000)),
    ),
    "employment_years": Proxy(
      "Years in employment, which may stand for age", _bands(lambda loans: loans["employment_years"], (1, 4, 7, 10))
    ),
    "pincode": Proxy(
      "Pincode, which may stand for origin; built from the outcome in this data",
      _categories("pincode"),
      audit_only=True,
    ),
  }
)


def _professions(loans: pd.DataFrame) -> pd.Series:
  return group_professions(loans["profession"]).cat.remove_unused_categories()


# Policies are audited by a group of professions too, which no model has as a feature.
POLICY_PROXIES: Final[Mapping[str, Proxy]] = MappingProxyType(
  {
    "home_ownership": PROXIES["home_ownership"],
    "profession": Proxy("Group of professions, which may stand for sex", _professions),
    "annual_income": PROXIES["annual_income"],
    "credit_history_years": PROXIES["credit_history_years"],
    "employment_years": PROXIES["employment_years"],
    "pincode": PROXIES["pincode"],
  }
)
