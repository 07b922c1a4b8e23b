import math

import numpy as np
import pandas as pd
import pytest

from loantap.features.build import MISSING, build_features
from loantap.features.definitions import CATEGORICAL, FEATURE_SETS, FEATURES, NUMERIC
from loantap.model.schemas import FEATURES as FEATURES_SCHEMA
from loantap.portfolio.dictionary import Kind, portfolio_columns
from loantap.portfolio.loantap_format import parse, split_address
from tests.conftest import AS_OF, raw_loans


def applications(*changes):
  rows = parse(raw_loans(*changes), portfolio_columns(), AS_OF).rows
  return rows.assign(**split_address(rows["address"]))


def feature_of(name, **change):
  return build_features(applications(change), [name])[name].iloc[0]


# 12,000 over 36 months at 12%, 398.57 a month, income 60,000, issued ten years after the first
# credit line (3,653 days: three leap years).
NUMBERS = {
  "log_loan_amount": math.log(12_000),
  "term_months": 36.0,
  "log_annual_income": math.log(60_000),
  "loan_to_income": 0.2,
  "dti_pct": 18.5,
  "revolving_utilisation_pct": 45.5,
  "log_revolving_utilisation": math.log(45.5),
  "log_revolving_balance": math.log(10_000),  # of one more than 9,999
  "open_accounts": 11.0,
  "total_accounts": 25.0,
  "open_account_share": 11 / 25,
  "mortgage_accounts": 2.0,
  "has_mortgage": 1.0,
  "public_records": 0.0,
  "bankruptcies": 0.0,
  "employment_years": 4.0,
  "interest_rate_pct": 12.0,
  "sub_grade_rank": 8.0,  # A1 is 0, B4 the ninth of 35
  "log_sub_grade_rank": math.log(9),
  "instalment_to_income": 0.079714,  # 12 * 398.57 / 60,000
  "credit_history_years": 3_653 / 365.25,
}
CATEGORIES = {
  "purpose": "debt_consolidation",
  "grade": "B",
  "home_ownership": "RENT",
  "application_type": "INDIVIDUAL",
  "income_verification": "Verified",
  "listing_status": "w",
  "pincode": "22690",
}


def test_every_feature_is_the_one_worked_by_hand():
  features = build_features(applications()).iloc[0].to_dict()

  assert {name: features.pop(name) for name in CATEGORIES} == CATEGORIES
  assert features == pytest.approx(NUMBERS, rel=1e-9)
  assert NUMBERS.keys() | CATEGORIES.keys() == set(FEATURES)


@pytest.mark.parametrize(
  ("name", "change", "expected"),
  [
    ("term_months", {"term": " 60 months"}, 60.0),
    ("sub_grade_rank", {"sub_grade": "A1"}, 0.0),
    ("sub_grade_rank", {"sub_grade": "G5"}, 34.0),
    ("log_revolving_balance", {"revol_bal": "0"}, 0.0),
    # An income of nothing counts as 1,000, or the ratios to it would swamp all others.
    ("log_annual_income", {"annual_inc": "0"}, math.log(1_000)),
    ("loan_to_income", {"annual_inc": "0"}, 12.0),
    ("instalment_to_income", {"annual_inc": "0", "installment": "100"}, 1.2),
    # A handful of loans lies beyond these; a linear model must not extrapolate from them.
    ("dti_pct", {"dti": "9999"}, 60.0),
    ("revolving_utilisation_pct", {"revol_util": "800"}, 120.0),
    ("mortgage_accounts", {"mort_acc": "30"}, 6.0),
    ("public_records", {"pub_rec": "19"}, 3.0),
    ("bankruptcies", {"pub_rec_bankruptcies": "8"}, 2.0),
    ("dti_pct", {"dti": "60"}, 60.0),
    ("log_revolving_utilisation", {"revol_util": "800"}, math.log(120)),
    # A share of nothing in use counts as 1%: its logarithm would run off.
    ("log_revolving_utilisation", {"revol_util": "0"}, 0.0),
    ("has_mortgage", {"mort_acc": "0"}, 0.0),
    ("has_mortgage", {"mort_acc": "30"}, 1.0),
    # More open than ever held is a mistake of the bureau's.
    ("open_account_share", {"open_acc": "30", "total_acc": "20"}, 1.0),
    ("log_sub_grade_rank", {"sub_grade": "A1"}, 0.0),
  ],
)
def test_extremes_are_kept_within_what_the_model_has_seen(name, change, expected):
  assert feature_of(name, **change) == pytest.approx(expected)


@pytest.mark.parametrize(
  ("name", "source_name"),
  [
    ("revolving_utilisation_pct", "revol_util"),
    ("log_revolving_utilisation", "revol_util"),
    ("has_mortgage", "mort_acc"),
    ("mortgage_accounts", "mort_acc"),
    ("bankruptcies", "pub_rec_bankruptcies"),
    ("employment_years", "emp_length"),
  ],
)
def test_a_missing_number_is_left_to_the_model(name, source_name):
  assert math.isnan(feature_of(name, **{source_name: None}))


def test_a_share_of_no_accounts_is_missing():
  assert math.isnan(feature_of("open_account_share", open_acc="0", total_acc="0"))


def test_a_missing_category_is_written_out():
  assert feature_of("pincode", address="12 Nowhere Lane") == MISSING == "missing"


@pytest.mark.parametrize("absent", [np.nan, pd.NA], ids=["NaN", "NA"])
@pytest.mark.parametrize("dtype", ["Float64", "Int64"])
def test_it_does_not_matter_how_a_missing_number_is_written(absent, dtype):
  rows = applications({}, {}).assign(mortgage_accounts=pd.Series([2, absent], dtype=dtype))

  features = build_features(rows, ["mortgage_accounts"])

  assert features["mortgage_accounts"].dtype == "float64"
  np.testing.assert_array_equal(features["mortgage_accounts"], [2, np.nan])


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA], ids=["None", "NaN", "NA"])
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_it_does_not_matter_how_a_missing_category_is_written(absent, dtype):
  rows = applications({}, {})
  rows = rows.assign(pincode=pd.Series(["22690", absent], dtype=dtype))

  features = build_features(rows, ["pincode"])

  assert list(features["pincode"]) == ["22690", MISSING]
  assert features["pincode"].dtype == "str"


def test_numbers_are_float64_and_categories_are_text():
  rows = applications({}, {"revol_util": None, "address": "12 Nowhere Lane"})

  features = build_features(rows)

  assert all(features[name].dtype == "float64" for name in NUMERIC)
  assert all(features[name].dtype == "str" for name in CATEGORICAL)
  FEATURES_SCHEMA.validate(features.assign(loan_id=pd.Series(["1", "2"], dtype="str")))


@pytest.mark.parametrize("feature_set", FEATURE_SETS.values(), ids=FEATURE_SETS.keys())
def test_a_model_s_features_are_those_columns_of_the_whole(feature_set):
  rows = applications({}, {"term": "60 months", "revol_util": None, "annual_inc": "0"})

  some = build_features(rows[list(feature_set.columns)], feature_set.features)

  pd.testing.assert_frame_equal(some, build_features(rows)[list(feature_set.features)])


def test_a_borrower_s_features_do_not_depend_on_the_others_in_the_file():
  rows = applications(*[{"dti": str(n), "purpose": f"p{n}"} for n in range(20)])

  one_by_one = pd.concat([build_features(rows[n : n + 1]) for n in range(20)])

  pd.testing.assert_frame_equal(build_features(rows), one_by_one)


def test_rows_keep_their_place_and_the_input_is_not_touched():
  rows = applications({}, {"dti": "9999", "annual_inc": "0"}).set_axis([9, 4])
  before = rows.copy(deep=True)

  features = build_features(rows)

  assert list(features.index) == [9, 4]
  pd.testing.assert_frame_equal(rows, before)


def test_every_feature_of_every_real_loan_can_be_computed(sample_loans):
  rows = sample_loans.assign(**split_address(sample_loans["address"]))

  features = build_features(rows)

  may_be_missing = {f.name for f in FEATURES.values() for c in portfolio_columns() if c.name in f.uses and c.nullable}
  assert set(features.columns[features.isna().any()]) <= may_be_missing
  assert np.isfinite(features[list(NUMERIC)].fillna(0)).all(axis=None)
  text = [c.name for c in portfolio_columns() if c.kind is Kind.TEXT]
  assert not set(features.columns) & set(text)
