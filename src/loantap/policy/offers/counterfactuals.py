"""How the odds of default differ with term and amount, before and after the grade is known.

People who take a longer term, or more money, were graded worse before: the odds ratio among all
loans says mostly who took which loan. Given sub-grade and applicant it says more of what the term
does; still of a model, since terms were never drawn by lot.
"""

from typing import Any

import numpy as np
import pandas as pd
from glum import GeneralizedLinearRegressor

from loantap.features.build import build_features
from loantap.policy.money.returns import NO_ESTIMATE, Estimate
from loantap.policy.offers.options import TWO_YEARS, Counterfactual, OffersOptions
from loantap.policy.offers.products import TOO_FEW

AGREES = "the value in force lies in the interval"
DIFFERS = "the value in force lies outside of the interval: estimate it again"
_TERM, _AMOUNT = "two_years_of_term", "log2_amount"
_APPLICANT = (
  "log_annual_income",
  "dti_pct",
  "revolving_utilisation_pct",
  "open_accounts",
  "total_accounts",
  "public_records",
)
# With fewer loans of either outcome, dozens of sub-grades say nothing.
_MIN_OUTCOMES = 500


def estimate_counterfactuals(loans: pd.DataFrame, options: OffersOptions) -> pd.DataFrame:
  """Odds ratios of default of a term two years longer, and of twice the amount.

  One row each, as `COUNTERFACTUALS` has it: `unadjusted` (given the applicant) and `adjusted` (given the sub-grade as
  well) with bounds (95%, Wald), missing where too few loans tell.
  """
  effects = {
    "a term two years longer": (_TERM, options.two_years_longer),
    "twice the amount": (_AMOUNT, options.twice_the_amount),
  }
  outcome = loans["is_charged_off"].to_numpy(float)
  estimates = _estimate(loans, outcome)
  return pd.DataFrame(
    [
      {"effect": effect, "n": len(loans), "charged_off": int(outcome.sum())}
      | _name("unadjusted", estimates["unadjusted"], column)
      | _name("adjusted", adjusted := estimates["adjusted"], column)
      | {"in_force": value.odds_ratio, "finding": _compare(adjusted, column, value)}
      for effect, (column, value) in effects.items()
    ]
  )


def _estimate(loans: pd.DataFrame, outcome: Any) -> dict[str, pd.DataFrame | None]:
  """Without and with the sub-grade; None where there are too few outcomes."""
  bad = outcome.sum()
  terms = loans["term_months"].to_numpy()
  is_long = terms > terms.min(initial=np.inf)
  # Without either outcome at a term, its odds ratio has no bound.
  groups = np.unique(2 * is_long + outcome)
  if min(bad, len(outcome) - bad) < _MIN_OUTCOMES or len(groups) < 4:
    return {"unadjusted": None, "adjusted": None}
  table = build_features(loans, list(_APPLICANT)).assign(
    **{_TERM: terms / TWO_YEARS, _AMOUNT: np.log2(loans["loan_amount"].to_numpy(float))}
  )
  graded = table.assign(sub_grade=loans["sub_grade"].astype("category"))
  return {"unadjusted": _fit(table, outcome), "adjusted": _fit(graded, outcome)}


def _fit(table: pd.DataFrame, outcome: Any) -> pd.DataFrame:
  distinct = table.nunique()
  table = table.loc[:, distinct > 1]
  table = table.fillna(table.median(numeric_only=True))
  model = GeneralizedLinearRegressor(family="binomial", alpha=0, drop_first=True)
  model.fit(table, outcome)
  fitted: pd.DataFrame = model.coef_table(X=table, y=outcome, robust=False)
  return fitted


def _name(name: str, fitted: pd.DataFrame | None, column: str) -> dict[str, float]:
  if fitted is None or column not in fitted.index:
    return NO_ESTIMATE.named(name)
  row = fitted.loc[column, ["coef", "ci_lower", "ci_upper"]].to_numpy(float)
  return Estimate(*np.exp(row).tolist()).named(name)


def _compare(adjusted: pd.DataFrame | None, column: str, value: Counterfactual) -> str:
  if adjusted is None or column not in adjusted.index:
    return TOO_FEW
  low, high = np.exp(adjusted.loc[column, ["ci_lower", "ci_upper"]].to_numpy(float))
  return AGREES if low <= value.odds_ratio <= high else DIFFERS
