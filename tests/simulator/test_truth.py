import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression

from loantap.simulator import COEFFICIENTS, INTERCEPT, default_drivers, simulate_portfolio, true_log_odds

REFERENCE = {
  "interest_rate_pct": 13.0,
  "term_months": 36.0,
  "dti_pct": 17.0,
  "annual_income": 65_000.0,
  "revolving_utilisation_pct": 54.0,
  "mortgage_accounts": 1.0,
  "loan_amount": 13_000.0,
  "open_accounts": 10.0,
  "home_ownership": "MORTGAGE",
}


def log_odds_of(**changes):
  return float(true_log_odds(pd.DataFrame([REFERENCE | changes])).iloc[0])


def test_the_reference_borrower_has_the_intercept():
  assert log_odds_of() == pytest.approx(INTERCEPT)


@pytest.mark.parametrize(
  ("changes", "expected"),
  [
    ({"term_months": 60.0}, 0.40),
    ({"interest_rate_pct": 26.0}, 1.70 * np.log(23 / 13)),  # beyond 23% nothing is added
    ({"dti_pct": 27.0}, 0.19),
    ({"dti_pct": 9_999.0}, 0.19 * 2.8),  # counts as 45
    ({"revolving_utilisation_pct": 104.0}, 0.15),
    ({"mortgage_accounts": 3.0}, -0.25 * np.log(2)),
    ({"open_accounts": 20.0}, 0.20 * np.log(2)),
    ({"home_ownership": "RENT"}, 0.20),
    ({"loan_amount": 26_000.0}, 0.60 * 0.2),
    ({"annual_income": 130_000.0}, -0.35 * np.log(2) - 0.60 * 0.1),
    ({"mortgage_accounts": np.nan, "revolving_utilisation_pct": np.nan}, 0.0),
  ],
)
def test_each_driver_moves_the_log_odds_as_documented(changes, expected):
  assert log_odds_of(**changes) - INTERCEPT == pytest.approx(expected)


def test_the_rule_cannot_be_changed():
  with pytest.raises(TypeError):
    COEFFICIENTS["log_rate"] = 0.0


@pytest.mark.slow
def test_a_plain_logistic_regression_recovers_the_coefficients():
  portfolio = simulate_portfolio(100_000, seed=11).portfolio
  before = portfolio.copy()
  drivers = default_drivers(portfolio)
  pd.testing.assert_frame_equal(portfolio, before)
  outcome = portfolio["loan_status"] == "Charged Off"
  model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000).fit(drivers, outcome)
  found = np.r_[model.intercept_, model.coef_[0]]
  truth = np.r_[INTERCEPT, [COEFFICIENTS[name] for name in drivers]]

  # Wald statistic with the information matrix at the estimate.
  probability = model.predict_proba(drivers)[:, 1]
  design = np.column_stack([np.ones(len(drivers)), drivers])
  information = design.T @ (design * (probability * (1 - probability))[:, None])
  difference = found - truth
  assert difference @ information @ difference < chi2.ppf(0.999, len(truth))
  # And sharply enough to mean something: every coefficient is told from zero.
  errors = np.sqrt(np.diag(np.linalg.inv(information)))
  assert (np.abs(found) > 3 * errors).all()
