import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.estimator import CategoryEncoder, credit_signs, make_model, slim, with_plain_encoders
from loantap.model.training.options import Balancing, Candidate

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


APPLICATION = FEATURE_SETS["application"]


@pytest.fixture(scope="module")
def features(simulated_loans):
	return build_features(simulated_loans, APPLICATION.features)


def make(candidate, *, monotone=True):
	limits = {"max_iterations": 100, "tolerance": 1e-7}
	return make_model(APPLICATION, candidate, seed=1, monotone=monotone, **limits)


def fit(features, loans, balancing):
	return make(Candidate(balancing, 0, 0.1)).fit(features, loans["is_charged_off"])


@pytest.mark.parametrize("balancing", Balancing)
def test_the_slim_model_gives_the_same_pds_without_the_sampler(balancing, features, simulated_loans):
	model = fit(features, simulated_loans, balancing)

	served = slim(model)

	assert type(served[-1]) is LogisticRegression
	assert [name for name, _ in served.steps] == ["preprocess", "classify"]
	np.testing.assert_array_equal(served.predict_proba(features.tail(500)), model.predict_proba(features.tail(500)))


def test_balancing_raises_the_pds_and_plain_fitting_meets_the_default_rate(features, simulated_loans):
	means = {
		balancing: fit(features, simulated_loans, balancing).predict_proba(features)[:, 1].mean() for balancing in Balancing
	}

	assert means[Balancing.NONE] == pytest.approx(simulated_loans["is_charged_off"].mean(), abs=1e-3)
	assert means[Balancing.SMOTE] > 0.35
	assert means[Balancing.CLASS_WEIGHTS] > 0.35


@pytest.fixture(scope="module")
def served(features, simulated_loans):
	return slim(fit(features, simulated_loans, Balancing.NONE))


@pytest.mark.parametrize("column", ["revolving_utilisation_pct", "bankruptcies"])
def test_a_missing_number_counts_as_the_mean(column, served, features):
	one = features.head(1)

	missing, mean = (
		served.predict_proba(one.assign(**{column: value}))[0, 1] for value in (np.nan, features[column].mean())
	)

	assert missing == pytest.approx(mean, rel=1e-12)


def test_a_category_never_seen_counts_as_a_rare_one(served, features):
	counts = features["purpose"].value_counts()
	rare = counts[counts < 20].index
	assert len(rare)
	one = features.head(1)

	never, seldom = (
		served.predict_proba(one.assign(purpose=purpose))[0, 1] for purpose in ("a trip to the moon", rare[0])
	)

	assert never == seldom


def test_each_numeric_feature_has_the_sign_of_what_is_held_against_a_borrower():
	signs = dict(zip(APPLICATION.numeric, credit_signs(APPLICATION), strict=True))

	assert signs["dti_pct"] == 1
	assert signs["log_annual_income"] == -1
	assert signs["open_accounts"] == 0
