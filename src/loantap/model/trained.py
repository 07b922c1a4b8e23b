"""A fitted model with the facts needed to serve it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from sklearn.pipeline import Pipeline

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURE_SETS
from loantap.model.estimator import slim
from loantap.model.options import TrainingOptions
from loantap.model.search import SearchOutcome


class ModelFacts(BaseModel):
    """What goes with a model in the registry; JSON throughout.

    Attributes:
        namespace: `lending`, `application`, `benchmark` or `published_replica`.
        feature_set: the features it takes.
        origin: whether it was trained on real or simulated loans.
        not_for_lending: models on the pincode must never decide.
        candidate: hyperparameters chosen.
        threshold: F2 threshold, reported, never used to decide.
        training_loans: number of loans it was fitted on.
        training_charge_offs: how many of them were charged off.
        pd_quantiles: out-of-fold PD at each share, where policy bands may begin.
        reference: mean of each encoded column over the training loans, in order; reasons are
            measured from there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    feature_set: str
    origin: str
    not_for_lending: bool
    candidate: dict[str, str | float]
    threshold: float
    training_loans: int
    training_charge_offs: int
    pd_quantiles: dict[str, float]
    reference: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A slim pipeline (preprocessing and logistic regression), its facts and a made-up example."""

    pipeline: Pipeline
    facts: ModelFacts
    example: pd.DataFrame


def make_trained_model(
    outcome: SearchOutcome,
    features: pd.DataFrame,
    cross_validated: pd.DataFrame,
    origin: str,
    options: TrainingOptions,
) -> TrainedModel:
    """Put together what is served.

    Args:
        outcome: of the search; its model is fitted on `features`.
        features: training loans, the columns of the feature set.
        cross_validated: their out-of-fold `probability_of_default` and the `threshold`.
        origin: of the training loans.
        options: of the training.
    """
    feature_set = FEATURE_SETS[options.feature_set]
    pipeline = slim(outcome.model)
    quantiles = cross_validated["probability_of_default"].quantile(list(options.pd_quantiles))
    facts = ModelFacts(
        namespace=options.name,
        feature_set=feature_set.name,
        origin=origin,
        not_for_lending=not feature_set.for_lending,
        candidate=outcome.best.as_dict(),
        threshold=float(cross_validated["threshold"].iloc[0]),
        training_loans=len(features),
        training_charge_offs=int(cross_validated["is_charged_off"].sum()),
        pd_quantiles={f"{share:g}": float(pd_) for share, pd_ in quantiles.items()},
        reference=tuple(np.asarray(pipeline[0].transform(features)).mean(axis=0).tolist()),
    )
    return TrainedModel(pipeline, facts, make_example(features))


def make_example(features: pd.DataFrame) -> pd.DataFrame:
    """One made-up applicant: the median of each number, the commonest category.

    No real applicant's row is stored beside a model.
    """
    example = {
        name: column.median() if pd.api.types.is_numeric_dtype(column) else _commonest(column)
        for name, column in features.items()
    }
    return pd.DataFrame([example])


def tabulate_coefficients(pipeline: Pipeline) -> pd.DataFrame:
    """Coefficients per encoded column, largest effect first.

    Columns `feature`, `coefficient` (log-odds per standard deviation, or per category),
    `odds_ratio`.
    """
    names = pipeline[0].get_feature_names_out()
    coefficients = pipeline[-1].coef_[0]
    # A category that separates the outcomes runs off to infinity where the penalty is weak.
    with np.errstate(over="ignore"):
        ratios = np.exp(coefficients)
    table = pd.DataFrame({"feature": names, "coefficient": coefficients, "odds_ratio": ratios})
    order = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _commonest(column: pd.Series) -> str:
    counts = column.value_counts()
    return str(counts.index[0]) if len(counts) else MISSING
