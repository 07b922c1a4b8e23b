"""A fit by scikit-learn as it comes."""

from collections.abc import Iterator
from typing import Any

from scipy.special import expit
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loantap.portfolio.errors import InputError
from loantap.validation.check import REMEDY, Check, Material, compare


def check_refit(given: Material) -> Iterator[Check]:
	"""Test AUC and PDs of a plain logistic regression of the stored penalty."""
	table, stored, report = given.features(), given.sample("test"), given.file("training.json")
	train, test = table[table["split"] == "train"], table.reindex(stored["loan_id"])
	chosen = next((candidate for candidate in report["candidates"] if candidate["chosen"]), None)
	if chosen is None:
		raise InputError("training.json", "none of its candidates is the chosen one", REMEDY)
	is_same = given.facts["kind"] == "logistic" and chosen["balancing"] != "smote"
	# What is 0 may be held there by credit sense, of which a plain fit knows nothing.
	coefficients = {row["feature"]: row["coefficient"] for row in report["coefficients"]}
	features = table.drop(columns=["split", "known_from", "judged_at", "is_charged_off"])
	names = [name for name in features if not is_same or coefficients.get(name, 1)]
	encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
	columns = make_column_transformer(
		(make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
		(encoder, make_column_selector(dtype_exclude="number")),
	)
	# liblinear penalises the intercept unless it is scaled.
	l1 = {"solver": "liblinear", "intercept_scaling": 100, "tol": 1e-6 if is_same else 1e-3, "max_iter": 1_000}
	solver: dict[str, Any] = l1 if chosen["l1_ratio"] else {"solver": "newton-cholesky"}
	weights = "balanced" if chosen["balancing"] == "class_weights" else None
	model = LogisticRegression(C=chosen["inverse_penalty"], l1_ratio=chosen["l1_ratio"], class_weight=weights, **solver)
	fitted = make_pipeline(columns, model).fit(train[names], train["is_charged_off"])
	intercept, slope = given.facts["calibration"]
	own, pd_ = expit(intercept + slope * fitted.decision_function(test[names])), stored["probability_of_default"]
	told, found = (roc_auc_score(stored["is_charged_off"], scores) for scores in (pd_, own))
	exact, loose = (1e-3, "solvers stop early"), (0.02, "trees or SMOTE, which a plain fit has not")
	yield compare("test: AUC", len(test), told, found, *(exact if is_same else loose))
	if is_same:
		yield compare("test: PDs", len(test), pd_, own, *exact)
		numbers = fitted[0].transformers_[0][2]
		fit = model.coef_[0][: len(numbers)]
		yield compare("coefficients of numbers", len(train), [coefficients[name] for name in numbers], fit, 0.01, exact[1])
