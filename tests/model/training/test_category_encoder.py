import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loantap.model.training.category_encoder import CategoryEncoder, with_plain_encoders

texts = st.sampled_from(["car", "house", "wedding", "", "Car", None])
tables = st.integers(1, 60).flatmap(
    lambda rows: st.fixed_dictionaries(
        {name: st.lists(texts, min_size=rows, max_size=rows) for name in ("purpose", "grade")}
    )
)


@given(tables, st.integers(1, 12), st.sampled_from(["infrequent_if_exist", "ignore"]))
def test_categories_and_columns_are_scikit_learn_s(table, least, unknown):
    frame = pd.DataFrame(table, dtype="str")
    given_to_both = {"min_frequency": least, "handle_unknown": unknown, "sparse_output": False}
    ours = CategoryEncoder(**given_to_both)
    plain = OneHotEncoder(**given_to_both)

    np.testing.assert_array_equal(ours.fit_transform(frame), plain.fit_transform(frame))
    assert list(ours.get_feature_names_out()) == list(plain.get_feature_names_out())
    new = pd.DataFrame({"purpose": ["car", "boat"], "grade": ["boat", ""]}, dtype="str")
    new = new[frame.columns]
    np.testing.assert_array_equal(ours.transform(new), plain.transform(new))


@pytest.fixture
def fitted():
    frame = pd.DataFrame({"income": [1.0, 2.0, 4.0], "purpose": ["car", "house", "car"]})
    columns = ColumnTransformer(
        [
            ("numeric", StandardScaler(), ["income"]),
            ("categorical", CategoryEncoder(min_frequency=2, sparse_output=False), ["purpose"]),
        ]
    )
    return columns.fit(frame)


def test_what_is_served_has_scikit_learn_s_own_encoder(fitted):
    plain = with_plain_encoders(fitted)
    rows = pd.DataFrame({"income": [3.0, 1.0], "purpose": ["house", "car"]})

    np.testing.assert_array_equal(plain.transform(rows), fitted.transform(rows))
    assert type(plain.named_transformers_["categorical"]) is OneHotEncoder
    assert [type(step) for _, step, _ in plain.transformers] == [StandardScaler, OneHotEncoder]
    # The one that was trained stays as it is.
    assert type(fitted.named_transformers_["categorical"]) is CategoryEncoder
