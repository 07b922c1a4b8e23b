import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from loantap.model.leakage.readings import cross, fold_by_content, read, read_columns


def test_the_columns_of_features_are_read_and_the_age_of_a_date_as_its_feature_is():
  loans = pd.DataFrame({"loan_amount": [1.0, 2.0], "annual_income": [3.0, 4.0], "dti_pct": [np.nan] * 2})
  loans["issue_month"] = loans["earliest_credit_line"] = pd.Timestamp("2014-01-01")
  found = read_columns(
    loans,
    pd.DataFrame({"credit_history_years": [9.0, 8.0]}),
    ["credit_history_years", "loan_to_income", "log_annual_income", "dti_pct"],
  )

  assert {name: r.features for name, r in found.items()} == {
    "credit_history_years": ("credit_history_years",),
    "loan_amount": ("loan_to_income",),
    "annual_income": ("loan_to_income", "log_annual_income"),
  }
  assert [r.name for r in found.values()] == list(found)
  assert found["credit_history_years"].score[0] > 0 > found["annual_income"].score[0]


def test_a_number_is_scored_by_its_rank_and_nothing_by_the_middle():
  found = read(pd.Series([30.0, 10.0, np.nan, 20.0, 40.0]), "x")
  many = read(pd.Series(np.arange(10_000.0)), "x")

  assert found.score.tolist() == pytest.approx([*norm.ppf([0.65, 0.15]), 0, *norm.ppf([0.4, 0.9])])
  assert (many.score.min(), many.score.max()) == pytest.approx((norm.ppf(1e-4), -norm.ppf(1e-4)))
  assert found.is_missing.tolist() == [0, 0, 1, 0, 0]
  assert not found.is_category


@pytest.mark.parametrize(
  ("values", "counts", "labels"),
  [
    # Ten values are ten bins, however often they are there; eleven are cut by tenths.
    ([*range(10), *[9] * 90], [1] * 9 + [91], ("up to 0", "up to 8", "over 8")),
    ([*range(11), *[10] * 9], [2] * 5 + [10], ("up to 1.9", "up to 10", "over 10")),
    ([5, 5], [2], ("5", "5", "5")),
  ],
)
def test_few_values_are_bins_of_their_own(values, counts, labels):
  found = read(pd.Series(values, dtype=float), "x")

  assert np.bincount(found.codes).tolist() == counts
  assert (found.labels[0], found.labels[-3] if len(counts) > 1 else "5", found.labels[-2]) == labels


def test_pairs_are_looked_at_in_eighths():
  assert np.bincount(read(pd.Series(np.arange(80.0)), "x").coarse).tolist() == [10] * 8


@pytest.mark.parametrize(("kept", "loans"), [(20, 1_000), (40, 10_000)])
def test_a_category_is_read_from_20_loans_on_that_are_4_of_1000(kept, loans):
  sizes = {"a": kept, "b": kept - 1, "c": loans - 2 * kept, None: 1}
  found = read(pd.Series(np.repeat([*sizes], [*sizes.values()])), "x")

  assert found.labels == ("a", "c", "missing")
  assert np.bincount(found.codes).tolist() == [kept, loans - 2 * kept, kept]
  assert found.coarse.tolist() == found.codes.tolist()
  assert found.is_category
  # By the mean rank of its loans.
  assert found.score[0] == pytest.approx(norm.ppf((kept + 1) / 2 / loans - 0.5 / loans))


def test_each_cell_of_two_groupings_has_a_number():
  assert cross(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1])).tolist() == [0, 1, 2, 3, 3]


def test_equal_loans_are_dealt_to_folds_in_turn():
  values = read(pd.Series(np.repeat(np.arange(10.0), range(1, 11))), "x")
  target = (values.codes % 2).astype(np.int64)
  folds = fold_by_content({"x": values}, target, 5)

  # One value of each outcome in each fold.
  assert [sorted(c % 2 for c in set(values.codes[outside])) for _, outside in folds] == [[0, 1]] * 5
  assert all(len(inside) + len(outside) == 55 for inside, outside in folds)
