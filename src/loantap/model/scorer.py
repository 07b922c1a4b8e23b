"""Applications in, PD and reasons out: the one scoring function of the platform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, FeatureSet
from loantap.model.reasons import REASON_COUNT, contributions, give_reasons, typical_values
from loantap.model.trained import TrainedModel
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.loantap_format import parse, require_columns

REASONS = tuple(f"reason_{number}" for number in range(1, REASON_COUNT + 1))


class NotForLendingError(ValueError):
    """A model that must never decide was asked to score applications."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores applications with one registered model.

    Attributes:
        trained: the model.
        name: its registered name.
        version: its registered version.
    """

    trained: TrainedModel
    name: str
    version: str

    def __post_init__(self) -> None:
        if self.trained.facts.not_for_lending:
            raise NotForLendingError(
                f"model {self.name} version {self.version} uses what must not be lent on; "
                f"score with a lending model"
            )

    @property
    def feature_set(self) -> FeatureSet:
        """The features the model takes."""
        return FEATURE_SETS[self.trained.facts.feature_set]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The application columns the model needs."""
        return tuple(COLUMNS[name] for name in self.feature_set.columns)

    def score(self, applications: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
        """Score applications in LoanTap format.

        Args:
            applications: any number of rows, source column names; further columns are ignored.
            as_of: day of the run.

        Returns:
            One row per application, same index and order: `probability_of_default` (missing where
            the row is invalid) and `reason_1`..`reason_4` (for an invalid row, what is wrong).

        Raises:
            InputError: a column the model needs is missing.
        """
        require_columns(applications, self.columns, "applications")
        # Labels may repeat in what a caller gives; positions do not.
        parsed = parse(applications.reset_index(drop=True), self.columns, as_of)
        good = ~parsed.is_bad
        scored = pd.DataFrame(
            {"probability_of_default": np.nan} | dict.fromkeys(REASONS, ""),
            index=parsed.rows.index,
        ).astype(dict.fromkeys(REASONS, "str"))
        if good.any():
            scored[good] = self._score_valid(parsed.rows[good])
        if not good.all():
            scored.loc[~good, "reason_1"] = _join_problems(parsed.problems)
        return scored.set_axis(applications.index)

    def _score_valid(self, rows: pd.DataFrame) -> pd.DataFrame:
        features = build_features(rows, self.feature_set.features)
        pipeline = self.trained.pipeline
        contributed = contributions(
            pipeline, features, self.feature_set, np.array(self.trained.facts.reference)
        )
        typical = typical_values(pipeline, self.feature_set)
        reasons = give_reasons(contributed, features, rows, typical)
        predicted = pipeline.predict_proba(features)[:, 1]
        return pd.concat(
            [pd.Series(predicted, index=rows.index, name="probability_of_default"), reasons], axis=1
        )


def check_servable(trained: TrainedModel) -> None:
    """Prove on the made-up example that a model can be explained, before it is registered.

    Raises:
        RuntimeError: contributions do not add up to the log-odds of the PD.
    """
    feature_set = FEATURE_SETS[trained.facts.feature_set]
    reference = np.array(trained.facts.reference)
    pipeline, example = trained.pipeline, trained.example
    typical_values(pipeline, feature_set)
    explained = contributions(pipeline, example, feature_set, reference).sum(axis=1).to_numpy()
    base = pipeline[-1].intercept_ + reference @ pipeline[-1].coef_[0]
    if not np.allclose(base + explained, pipeline.decision_function(example), atol=1e-9):
        raise RuntimeError(f"reasons of {trained.facts.namespace} do not add up to its PD")


def _join_problems(problems: pd.DataFrame) -> pd.Series:
    """What is wrong with each invalid row, in one text."""
    texts = problems["column"] + " '" + problems["value"] + "': " + problems["reason"]
    return texts.groupby(level=0).agg("; ".join).astype("str")
