"""Each feature has one formula: it gives for one application what it gives for a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES, FeatureSet
from loantap.features.formulas import make_formula, rises_with
from loantap.portfolio.dictionary import COLUMNS, SUB_GRADES, Column, Kind

every_feature = pytest.mark.parametrize("name", list(FEATURES))
combined = [(f.name, column) for f in FEATURES.values() if len(f.uses) > 1 for column in f.uses]


def typed_values(column: Column) -> st.SearchStrategy[object]:
    """Valid typed values of a column; months as days since 1970."""
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
def test_of_one_application_is_that_of_a_column(name: str, data: st.DataObject) -> None:
    uses = FEATURES[name].uses
    given_ = [data.draw(typed_values(COLUMNS[used]), label=used) for used in uses]
    rows = pd.DataFrame(
        {
            used: pd.Series(
                [value], dtype="str" if COLUMNS[used].kind is Kind.CATEGORY else "float64"
            )
            for used, value in zip(uses, given_, strict=True)
        }
    )
    column = build_features(rows, [name])[name].iloc[0]

    one = make_formula(name)(*given_)

    if FEATURES[name].categorical:
        assert one == column
    else:
        assert one == pytest.approx(column, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(("name", "column"), combined)
@given(data=st.data())
def test_a_feature_of_several_columns_rises_or_falls_with_each(
    name: str, column: str, data: st.DataObject
) -> None:
    numbers = {
        used: data.draw(typed_values(COLUMNS[used]), label=used) for used in FEATURES[name].uses
    }
    more = numbers | {column: numbers[column] + 1}  # type: ignore[operator]
    formula = make_formula(name)

    change = formula(*more.values()) - formula(*numbers.values())  # type: ignore[operator]

    assert np.isnan(change) or change * rises_with(name, column) >= -1e-12


def test_income_lowers_the_share_that_a_loan_takes_of_it() -> None:
    assert rises_with("loan_to_income", "loan_amount") == 1
    assert rises_with("loan_to_income", "annual_income") == -1
    assert rises_with("open_account_share", "total_accounts") == -1
    assert rises_with("dti_pct", "dti_pct") == 1


@pytest.mark.parametrize("excluded", [f.name for f in FEATURES.values() if f.exclusion])
def test_a_feature_set_for_lending_with_an_excluded_feature_cannot_be_made(excluded: str) -> None:
    with pytest.raises(ValueError, match=f"feature set new is for lending and uses {excluded}: "):
        FeatureSet("new", ("dti_pct", excluded), "an attempt")

    assert FeatureSet("new", ("dti_pct", excluded), "a comparison", for_lending=False)
