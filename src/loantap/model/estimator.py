"""The logistic default model as an imbalanced-learn pipeline, and the slim form that is served."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loantap.features.definitions import FeatureSet

# Categories with fewer loans share one column: a coefficient from a dozen loans is noise.
_LEAST_CATEGORY_COUNT = 20


class Balancing(StrEnum):
    """How the minority class is given weight in training."""

    SMOTE = "smote"
    CLASS_WEIGHTS = "class_weights"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of the hyperparameter grid.

    Attributes:
        balancing: what is done about class imbalance, inside the folds.
        l1_ratio: 0 is an L2 penalty, 1 an L1 penalty.
        inverse_penalty: scikit-learn's C; smaller is a stronger penalty.
    """

    balancing: Balancing
    l1_ratio: float
    inverse_penalty: float

    @property
    def label(self) -> str:
        """Short name for tables and plots (`smote L1 C=100`)."""
        return f"{self.balancing} L{1 if self.l1_ratio else 2} C={self.inverse_penalty:g}"

    def as_dict(self) -> dict[str, Any]:
        """Its fields, for a record."""
        return asdict(self) | {"balancing": self.balancing.value}


def make_preprocessor(features: FeatureSet) -> ColumnTransformer:
    """Impute and scale the numeric features, one-hot encode the categorical ones."""
    numeric = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    categorical = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=_LEAST_CATEGORY_COUNT,
        sparse_output=False,
    )
    return ColumnTransformer(
        [
            ("numeric", numeric, features.numeric),
            ("categorical", categorical, features.categorical),
        ],
        verbose_feature_names_out=False,
    )


def make_model(
    features: FeatureSet,
    candidate: Candidate,
    *,
    seed: int,
    max_iterations: int,
    memory: str | None = None,
) -> ResamplingPipeline:
    """Unfitted pipeline of one candidate: preprocess, balance, logistic regression.

    `memory` is a folder in which fitted preprocessing and resampling are kept and shared by
    candidates on the same fold.
    """
    steps = {
        "preprocess": make_preprocessor(features),
        "balance": _make_sampler(candidate, seed),
        "classify": _make_classifier(candidate, seed, max_iterations),
    }
    return ResamplingPipeline(list(steps.items()), memory=memory)


def _make_sampler(candidate: Candidate, seed: int) -> SMOTE | str:
    return SMOTE(random_state=seed) if candidate.balancing is Balancing.SMOTE else "passthrough"


def _make_classifier(candidate: Candidate, seed: int, max_iterations: int) -> LogisticRegression:
    # liblinear is the fast solver for L1 at this size; it penalises the intercept, which the
    # scaled inputs keep small. newton-cholesky is exact for L2 in a handful of iterations.
    return LogisticRegression(
        C=candidate.inverse_penalty,
        l1_ratio=candidate.l1_ratio,
        solver="liblinear" if candidate.l1_ratio else "newton-cholesky",
        class_weight="balanced" if candidate.balancing is Balancing.CLASS_WEIGHTS else None,
        max_iter=max_iterations,
        random_state=seed,
    )


def slim(model: ResamplingPipeline) -> Pipeline:
    """The fitted pipeline without its sampler, which would carry training rows into serving.

    Resampling acts in training only, so the predictions are the same.
    """
    steps = [(name, step) for name, step in model.steps if name != "balance"]
    return Pipeline(steps)
