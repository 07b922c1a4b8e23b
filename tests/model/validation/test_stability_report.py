import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from loantap.model.validation.stability_report import report_stability


def make_predictions(training=3_000, test=600, seed=4):
  """PDs of one population; five folds of training loans, then the test split."""
  rng = np.random.default_rng(seed)
  loans = training + test
  pd_ = rng.beta(1.6, 6.8, loans)
  is_test = np.arange(loans) >= training
  return pd.DataFrame(
    {
      "loan_id": [f"{number:05d}" for number in range(loans)],
      "sample": np.where(is_test, "test", "cv"),
      "fold": np.where(is_test, -1, np.arange(loans) % 5),
      "is_charged_off": (rng.random(loans) < pd_).astype("int8"),
      "probability_of_default": pd_,
    }
  )


def date_loans(predictions, years=(2012, 2013)):
  issued = [f"{years[place % len(years)]}-05-01" for place in range(len(predictions))]
  months = pd.to_datetime(pd.Series(issued)).astype("datetime64[s]")
  return pd.DataFrame({"loan_id": predictions["loan_id"], "issue_month": months})


@pytest.fixture(scope="module")
def predictions():
  return make_predictions()


@pytest.fixture(scope="module")
def report(predictions):
  return report_stability(predictions, date_loans(predictions))


def test_each_fold_has_the_auc_of_its_own_loans(report, predictions):
  assert report["n"] == 3_000
  assert [fold["fold"] for fold in report["folds"]] == [1, 2, 3, 4, 5]
  for number, fold in enumerate(report["folds"]):
    own = predictions[predictions["sample"].eq("cv") & predictions["fold"].eq(number)]
    assert (fold["n"], fold["charged_off"]) == (600, own["is_charged_off"].sum())
    area = roc_auc_score(own["is_charged_off"], own["probability_of_default"])
    assert fold["roc_auc"] == pytest.approx(area)
    assert fold["roc_auc_low"] < area < fold["roc_auc_high"]


def test_the_test_split_is_held_against_training_and_each_year_against_the_rest_and_chance(report):
  rows = {row["population"]: row for row in report["populations"]}

  assert {name: (row["n"], row["against_n"]) for name, row in rows.items()} == {
    "test split": (600, 3_000),
    "issued 2012": (1_500, 1_500),
    "issued 2013": (1_500, 1_500),
  }
  # Chance gives less the more loans there are.
  chance = rows["test split"]["psi_chance"]
  assert chance == pytest.approx(chi2.ppf(0.95, 9) * (1 / 600 + 1 / 3_000))
  assert chance > rows["issued 2012"]["psi_chance"]


def test_a_year_of_few_loans_is_left_out(predictions):
  loans = date_loans(predictions)
  rare = loans["issue_month"].mask(loans.index < 50, pd.Timestamp("2008-05-01"))

  report = report_stability(predictions, loans.assign(issue_month=rare))

  assert [row["population"] for row in report["populations"]] == ["test split", "issued 2012", "issued 2013"]
