import numpy as np
import pytest

from loantap.model.scoring.support import Support
from loantap.portfolio.column_reading import Texts

SUPPORT = Support({"dti_pct": (1.0, 40.0), "log_annual_income": (9.0, 13.0)}, {"A1": (5.0, 8.0), "B1": (8.0, 12.0)})
# 10,000 over 36 months at 6% is 304.22 a month.
PLAIN = {
  "loan_amount": 10_000.0,
  "interest_rate_pct": 6.0,
  "term_months": 36.0,
  "instalment": 304.22,
  "sub_grade": "A1",
}
FEATURES = {"dti_pct": 20.0, "log_annual_income": 11.0}


def check(features, columns):
  of, at = FEATURES | features, PLAIN | columns
  one = SUPPORT.check_one(of, at)
  many = SUPPORT.check_columns(
    {name: np.array([value, FEATURES[name]]) for name, value in of.items()},
    {
      name: Texts(np.array([-1 if value is None else 0, 1]), (str(value), "A1"))
      if name == "sub_grade"
      else np.array([value, PLAIN[name]])
      for name, value in at.items()
    },
  )
  assert many.tolist() == [one, 0]
  return SUPPORT.sentences[one]


@pytest.mark.parametrize(
  ("features", "columns", "said"),
  [
    ({}, {}, ""),
    ({"dti_pct": 0.99}, {}, "(DTI) is outside the range"),
    ({"dti_pct": 40.01}, {}, "(DTI) is outside the range"),
    ({"dti_pct": 40.0}, {}, ""),
    ({"dti_pct": np.nan}, {}, ""),
    ({}, {"interest_rate_pct": 5.0, "instalment": 299.71}, ""),
    ({}, {"interest_rate_pct": 8.0, "instalment": 313.36}, ""),
    ({}, {"interest_rate_pct": 4.99, "instalment": 299.66}, "no loan of this grade"),
    ({}, {"interest_rate_pct": 8.01, "instalment": 313.41}, "no loan of this grade"),
    ({"dti_pct": 50}, {"interest_rate_pct": 10.0, "instalment": 322.67}, "no loan of this"),
    ({}, {"sub_grade": "G5"}, ""),  # of a grade without loans nothing is known
    ({}, {"sub_grade": None}, ""),
    ({}, {"instalment": 320.0}, "the instalment does not follow"),
    ({}, {"instalment": 306.0}, ""),
    ({"dti_pct": 50}, {"instalment": 320.0}, "the instalment does not follow"),
    ({}, {"instalment": np.nan}, ""),
  ],
  ids=str,
)
def test_what_is_unlike_is_said(features, columns, said):
  found = check(features, columns)

  assert said in found
  assert bool(found) is bool(said)


def test_a_version_that_carries_no_ranges_finds_only_what_does_not_fit_each_other():
  columns = {name: value for name, value in PLAIN.items() if name != "sub_grade"}

  assert Support({}, {}).check_one({}, columns) == 0
  assert Support({}, {}).check_one({}, columns | {"instalment": 320.0}) == 1


def test_an_offer_without_an_instalment_is_checked_for_the_rest():
  columns = {"sub_grade": Texts(np.zeros(3, "int64"), ("A1",)), "interest_rate_pct": np.array([6.0, 9.0, 6.0])}
  features = {"dti_pct": np.array([20.0, 20, 50]), "log_annual_income": np.full(3, 11.0)}

  assert SUPPORT.check_columns(features, columns).tolist() == [0, 2, 3]
  assert SUPPORT.check_one(FEATURES, {"sub_grade": "A1", "interest_rate_pct": 9.0}) == 2


def test_an_offer_without_a_grade_is_checked_for_the_rest():
  terms = {name: np.full(2, value) for name, value in PLAIN.items() if name != "sub_grade"}
  features = {name: np.full(2, value) for name, value in FEATURES.items()}

  found = SUPPORT.check_columns(features, terms | {"instalment": np.array([304.22, 320.0])})

  assert found.tolist() == [0, 1]


def test_a_model_is_registered_with_what_it_was_trained_on(lending_model, simulated_loans):
  facts = lending_model.facts

  assert facts.ranges["dti_pct"] == (simulated_loans["dti_pct"].min(), simulated_loans["dti_pct"].max())
  # Of utilisation and its logarithm, the first alone.
  assert "revolving_utilisation_pct" in facts.ranges
  assert "log_revolving_utilisation" not in facts.ranges
  by_grade = simulated_loans.groupby("sub_grade")["interest_rate_pct"].agg(["min", "max"])
  assert facts.rates == {grade: tuple(bounds) for grade, *bounds in by_grade.itertuples()}
