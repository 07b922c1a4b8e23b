"""Why a PD is what it is: exact contributions to the log-odds, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.pipeline import Pipeline

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURES, FeatureSet
from loantap.model.threshold import FloatArray

REASON_COUNT = 4
# A contribution below this moves the PD by less than a tenth of a percentage point.
_LEAST_CONTRIBUTION = 0.01


def contributions(
    pipeline: Pipeline, features: pd.DataFrame, feature_set: FeatureSet, reference: FloatArray
) -> pd.DataFrame:
    """Contribution of each feature to the log-odds, measured from the mean training loan.

    One row per row of `features`, one column per feature of the set; with the log-odds of the
    mean loan the row sums to the log-odds of its PD exactly.
    """
    encoded = np.asarray(pipeline[0].transform(features))
    effects = (encoded - reference) * pipeline[-1].coef_[0]
    owner = encoded_owners(pipeline, feature_set)
    membership = (owner[:, None] == np.array(feature_set.features)[None, :]).astype(float)
    return pd.DataFrame(
        effects @ membership, index=features.index, columns=list(feature_set.features)
    )


def encoded_owners(pipeline: Pipeline, feature_set: FeatureSet) -> npt.NDArray[np.str_]:
    """The feature each encoded column belongs to, in the order of the coefficients."""
    return np.array(
        [
            column
            if column in feature_set.numeric
            else next(c for c in feature_set.categorical if column.startswith(f"{c}_"))
            for column in pipeline[0].get_feature_names_out()
        ]
    )


def typical_values(pipeline: Pipeline, feature_set: FeatureSet) -> dict[str, float]:
    """Mean of each numeric feature over the training loans."""
    means = pipeline[0].named_transformers_["numeric"]["scale"].mean_
    return dict(zip(feature_set.numeric, means.tolist(), strict=True))


def give_reasons(
    contributed: pd.DataFrame,
    features: pd.DataFrame,
    applications: pd.DataFrame,
    typical: Mapping[str, float],
) -> pd.DataFrame:
    """The four strongest adverse reasons of each application.

    Args:
        contributed: what `contributions` returned.
        features: the model features of the same rows.
        applications: canonical columns of the same rows, for the borrower's own values.
        typical: mean of each numeric feature, to say whether a value is high or low.

    Returns:
        One row per application: `reason_1`..`reason_4`, text, empty where fewer features raise
        the risk. Features that say the same (grade and its rank) count as one reason; a value on
        the side that credit sense holds in a borrower's favour is never a reason.
    """
    phrases = [FEATURES[name].phrase for name in contributed.columns]
    sensible = contributed.mask(_contradicts_credit_sense(contributed, features, typical), 0.0)
    concepts = sensible.T.groupby(phrases, sort=False).sum().T
    strength = concepts.to_numpy()
    order = np.argsort(-strength, axis=1, kind="stable")[:, :REASON_COUNT]
    sentences = np.column_stack(
        [
            _describe(
                str(phrase),
                next(n for n in contributed.columns if FEATURES[n].phrase == phrase),
                features,
                applications,
                typical,
            )
            for phrase in concepts.columns
        ]
    )
    is_adverse = np.take_along_axis(strength, order, axis=1) >= _LEAST_CONTRIBUTION
    chosen = np.where(is_adverse, np.take_along_axis(sentences, order, axis=1), "")
    missing = REASON_COUNT - chosen.shape[1]
    chosen = np.pad(chosen, ((0, 0), (0, max(missing, 0))), constant_values="")
    columns = [f"reason_{number}" for number in range(1, REASON_COUNT + 1)]
    return pd.DataFrame(chosen, index=contributed.index, columns=columns).astype("str")


def _contradicts_credit_sense(
    contributed: pd.DataFrame, features: pd.DataFrame, typical: Mapping[str, float]
) -> pd.DataFrame:
    """Where a value raises the PD from the side that ought to lower it."""
    favourable = {
        name: features[name] < typical[name]
        if FEATURES[name].adverse == "high"
        else features[name] > typical[name]
        for name in contributed.columns
        if name in typical and FEATURES[name].adverse
    }
    table = pd.DataFrame(favourable, index=contributed.index)
    return table.reindex(columns=contributed.columns, fill_value=False) & (contributed > 0)


def _describe(
    phrase: str,
    name: str,
    features: pd.DataFrame,
    applications: pd.DataFrame,
    typical: Mapping[str, float],
) -> npt.NDArray[np.object_]:
    """Sentence per application: the phrase, the borrower's own value, and where it stands."""
    feature = FEATURES[name]
    own = applications[feature.uses[0]] if len(feature.uses) == 1 else features[name]
    subject = phrase[0].upper() + phrase[1:]
    if name in typical:
        sides = np.where(
            features[name] > typical[name], ", higher than usual", ", lower than usual"
        )
    else:
        sides = np.full(len(own), "")
    texts = [
        f"{subject}: not stated"
        if pd.isna(value) or value == MISSING
        else f"{subject}: {feature.display.format(value).replace('_', ' ')}{side}"
        for value, side in zip(own, sides, strict=True)
    ]
    return np.array(texts, dtype=object)
