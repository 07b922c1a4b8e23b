"""The rule by which simulated loans default: known, so that tests can ask a model to find it.

Log-odds linear in a few transforms of what is known at the decision. Coefficients follow a logistic
regression on the real sample, rounded within two standard errors so that default by grade and AUC
are the sample's; the intercept gives the published default rate of resolved loans.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

# Reference borrower: every transform is zero for them.
REFERENCE_RATE_PCT: Final = 13.0
REFERENCE_DTI_PCT: Final = 17.0
REFERENCE_INCOME: Final = 65_000.0
REFERENCE_UTILISATION_PCT: Final = 54.0
REFERENCE_OPEN_ACCOUNTS: Final = 10.0
REFERENCE_MORTGAGES: Final = 1.0
REFERENCE_LOAN_TO_INCOME: Final = 0.2
# Beyond these a column says no more about risk (9,999 is "no income").
HIGHEST_RATE_PCT: Final = 23.0
HIGHEST_DTI_PCT: Final = 45.0
HIGHEST_UTILISATION_PCT: Final = 120.0
LOWEST_INCOME: Final = 1_000.0
LOWEST_RATE_PCT: Final = 1.0

INTERCEPT: Final = -1.807
COEFFICIENTS: Final = MappingProxyType(
  {
    "log_rate": 1.70,  # per unit of log(rate / 13%), the incumbent engine's view of the risk
    "is_60_months": 0.40,
    "dti_tens": 0.19,  # per 10 points of DTI over 17%
    "log_income": -0.35,  # per unit of log(income / 65,000)
    "utilisation": 0.30,  # per whole limit in use, over 54%
    "log_mortgages": -0.25,  # per unit of log((1 + mortgages) / 2)
    "loan_to_income": 0.60,  # per yearly income borrowed, over 0.2
    "log_open_accounts": 0.20,  # per unit of log(open accounts / 10)
    "has_no_mortgage_home": 0.20,  # renting or owning outright: not buying on a mortgage
  }
)


def default_drivers(portfolio: pd.DataFrame) -> pd.DataFrame:
  """Drivers of default: one float column per name in `COEFFICIENTS`.

  Canonical columns, one row per loan, same index. A missing utilisation or number of mortgages
  counts as the reference borrower's.
  """
  rate = portfolio["interest_rate_pct"].clip(lower=LOWEST_RATE_PCT, upper=HIGHEST_RATE_PCT)
  income = portfolio["annual_income"].clip(lower=LOWEST_INCOME)
  utilisation = portfolio["revolving_utilisation_pct"].fillna(REFERENCE_UTILISATION_PCT)
  mortgages = portfolio["mortgage_accounts"].fillna(REFERENCE_MORTGAGES)
  open_accounts = portfolio["open_accounts"].clip(lower=1)
  return pd.DataFrame(
    {
      "log_rate": np.log(rate / REFERENCE_RATE_PCT),
      "is_60_months": (portfolio["term_months"] == 60).astype(float),
      "dti_tens": (portfolio["dti_pct"].clip(upper=HIGHEST_DTI_PCT) - REFERENCE_DTI_PCT) / 10,
      "log_income": np.log(income / REFERENCE_INCOME),
      "utilisation": (utilisation.clip(upper=HIGHEST_UTILISATION_PCT) - REFERENCE_UTILISATION_PCT) / 100,
      "log_mortgages": np.log((1 + mortgages) / (1 + REFERENCE_MORTGAGES)),
      "loan_to_income": (portfolio["loan_amount"] / income).clip(upper=1) - REFERENCE_LOAN_TO_INCOME,
      "log_open_accounts": np.log(open_accounts / REFERENCE_OPEN_ACCOUNTS),
      "has_no_mortgage_home": (portfolio["home_ownership"] != "MORTGAGE").astype(float),
    },
    index=portfolio.index,
  )


def true_log_odds(portfolio: pd.DataFrame) -> pd.Series[float]:
  """Log-odds of default of each loan under the known rule; same index."""
  drivers = default_drivers(portfolio)
  weights = pd.Series(dict(COEFFICIENTS))
  return (drivers[weights.index] @ weights + INTERCEPT).rename("true_log_odds")
