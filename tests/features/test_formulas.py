import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES, FeatureSet
from loantap.features.formulas import make_formula
from loantap.portfolio.dictionary import COLUMNS, SUB_GRADES, Kind

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
