import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.estimator import credit_signs

LENDING = FEATURE_SETS["lending"]


@pytest.fixture(scope="session")
def features(simulated_loans):
	return build_features(simulated_loans, LENDING.features)


@pytest.fixture(scope="session")
def scorer(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "3")


@pytest.fixture(scope="session")
def boosted_pipeline(simulated_loans, features):
	"""Boosted trees without interactions, monotone where credit sense demands it."""
	numeric, categorical = LENDING.numeric, LENDING.categorical
	encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
	boosting = HistGradientBoostingClassifier(
		max_iter=30,
		monotonic_cst=[*credit_signs(LENDING), *[0] * len(categorical)],
		categorical_features=list(range(len(numeric), len(numeric) + len(categorical))),
		interaction_cst="no_interactions",
		random_state=1,
	)
	columns = ColumnTransformer([("numeric", "passthrough", numeric), ("categorical", encoder, categorical)])
	pipeline = Pipeline([("preprocess", columns), ("classify", boosting)])
	with threadpool_limits(1):
		return pipeline.fit(features, simulated_loans["is_charged_off"])
