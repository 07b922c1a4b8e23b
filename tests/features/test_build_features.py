import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.features.build import MISSING, build_features, make_formula
from loantap.features.definitions import CATEGORICAL, FEATURE_SETS, FEATURES, NUMERIC, FeatureSet
from loantap.model.schemas import FEATURES as FEATURES_SCHEMA
from loantap.portfolio.dictionary import COLUMNS, SUB_GRADES, Kind, portfolio_columns
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


every_feature = pytest.mark.parametrize("name", list(FEATURES))
numeric = [(f.name, column) for f in FEATURES.values() if not f.categorical for column in f.uses]

# Two values of a column, where 10 and 20 are none or beyond a ceiling.
ON_THE_WAY_UP = {
	"sub_grade": ("A1", "G5"),
	"term_months": (36.0, 60.0),
	"annual_income": (20_000.0, 40_000.0),
	"open_accounts": (2.0, 5.0),
	"mortgage_accounts": (0.0, 2.0),
	"public_records": (0.0, 2.0),
	"bankruptcies": (0.0, 2.0),
}


def typed_values(column):
	match column.kind:
		case Kind.CATEGORY:
			values = st.sampled_from(SUB_GRADES if column.name == "sub_grade" else ["A", "b_c"])
			return st.one_of(values, st.none()) if column.nullable else values
		case Kind.MONTH:
			return st.integers(-20_000, 20_000).map(float)
		case Kind.COUNT:
			numbers = st.integers(0, int(column.maximum or 0)).map(float)
		case _ if column.values:
			numbers = st.sampled_from([float(value) for value in column.values])
		case _:
			numbers = st.floats(column.minimum, column.maximum)
	return st.one_of(numbers, st.just(np.nan)) if column.nullable else numbers


@every_feature
@given(data=st.data())
def test_of_one_application_is_that_of_a_column(name, data):
	uses = FEATURES[name].uses
	given_ = [data.draw(typed_values(COLUMNS[used]), label=used) for used in uses]
	rows = pd.DataFrame(
		{
			used: pd.Series([value], dtype="str" if COLUMNS[used].kind is Kind.CATEGORY else "float64")
			for used, value in zip(uses, given_, strict=True)
		}
	)
	column = build_features(rows, [name])[name].iloc[0]

	one = make_formula(name)(*given_)

	if FEATURES[name].categorical:
		assert one == column
	else:
		assert one == pytest.approx(column, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(("name", "column"), numeric)
@given(data=st.data())
def test_a_number_goes_with_each_column_the_way_that_is_declared(name, column, data):
	values = {used: data.draw(typed_values(COLUMNS[used])) for used in FEATURES[name].uses}
	other = values | {column: data.draw(typed_values(COLUMNS[column]), label="other")}
	formula = make_formula(name)

	change = formula(*other.values()) - formula(*values.values())

	moved = _place(other[column]) - _place(values[column])
	assert np.isnan(change) or change * moved * FEATURES[name].direction(column) >= 0


@pytest.mark.parametrize(("name", "column"), numeric)
def test_a_number_moves_with_each_column_somewhere(name, column):
	"""Or any direction could be declared."""
	before = {used: ON_THE_WAY_UP.get(used, (10.0, 20.0))[0] for used in FEATURES[name].uses}
	after = before | {column: ON_THE_WAY_UP.get(column, (10.0, 20.0))[1]}
	formula = make_formula(name)

	change = formula(*after.values()) - formula(*before.values())

	assert np.sign(change) == FEATURES[name].direction(column)


def _place(value):
	return float(SUB_GRADES.index(value) if isinstance(value, str) else value)


def test_only_columns_it_is_computed_from_can_make_a_number_fall():
	for feature in FEATURES.values():
		assert set(feature.falls_with) <= set(feature.uses)
		assert not (feature.categorical and feature.falls_with)


@pytest.mark.parametrize("excluded", [f.name for f in FEATURES.values() if f.exclusion])
def test_a_feature_set_for_lending_with_an_excluded_feature_cannot_be_made(excluded):
	with pytest.raises(ValueError, match=f"feature set new is for lending and uses {excluded}: "):
		FeatureSet("new", ("dti_pct", excluded), "an attempt")

	assert FeatureSet("new", ("dti_pct", excluded), "a comparison", for_lending=False)
