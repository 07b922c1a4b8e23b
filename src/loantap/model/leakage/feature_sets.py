"""Sets of features as a whole: a boosting model of each, which finds what no pair shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from loantap.features.definitions import FEATURE_SETS
from loantap.measures.intervals import Z95
from loantap.model.leakage.additive import Gain, cross_fit
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.expected import Z
from loantap.model.leakage.impact import Estimate, estimate_auc
from loantap.model.leakage.options import LeakageOptions
from loantap.model.leakage.readings import Reading
from loantap.model.leakage.statistics import Folds
from loantap.portfolio.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from loantap.model.leakage.together import Joint

_ROUNDS: Final = 40
_LEAVES: Final = 8


def examine_sets(
    readings: Mapping[str, Reading], target: IntArray, folds: Folds, options: LeakageOptions, joint: Joint
) -> None:
    """Judge what is left of each set for lending, once the columns caught are taken out."""
    for name, feature_set in FEATURE_SETS.items():
        used = {n: r for n, r in readings.items() if set(r.features) & set(feature_set.features)}
        if not feature_set.for_lending or not used:
            continue
        boosted, losses = _boost(used, target, folds, options.seed)
        additive = cross_fit(used, target, folds)
        area = boosted.value
        more = boosted.minus(additive.area)
        gain = Gain(more.value, more.standard_error)
        least = area - Z * boosted.standard_error
        entry: dict[str, Any] = {
            "feature_set": name,
            "n": len(target),
            "auc": round(area, 4),
            "auc_low": round(area - Z95 * boosted.standard_error, 4),
            "auc_high": round(area + Z95 * boosted.standard_error, 4),
            "auc_additive": round(additive.area.value, 4),
            "limit": options.max_set_auc,
            "passed": least <= options.max_set_auc,
        }
        joint.sets.append(entry)
        if gain.at_least(Z) <= options.max_added_auc:
            continue
        own = {n: loss - additive.gain_of(n).auc for n, loss in losses.items()}
        blamed = [used[n] for n in sorted(own, key=lambda n: -own[n]) if own[n] > options.max_added_auc]
        names = ", ".join(r.name for r in blamed)
        joint.add(blamed, Evidence(
            "combination",
            GateVerdict.CAUGHT,
            f"tells in combination what no column tells alone: {names} together raise the AUC of the {name} set by "
            f"{gain.auc:.3f} (at least {gain.at_least(Z):.3f}, n {len(target):,}) above that of its columns one by "
            f"one, and in honest applications they raise it by nothing",
            f"Ask the sources of {names} which of them was written, or recomputed, after the outcome",
            {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z)},
        ))  # fmt: skip


def _boost(
    readings: Mapping[str, Reading], target: IntArray, folds: Folds, seed: int
) -> tuple[Estimate, dict[str, float]]:
    """Cross-fitted AUC, and what it loses where a column is shuffled (Breiman, 2001)."""
    design = np.column_stack([np.where(r.is_missing, np.nan, r.score) for r in readings.values()])
    rng = np.random.default_rng(seed)
    scores = np.empty(len(target))
    shuffled: FloatArray = np.empty((len(readings), len(target)))
    for inside, outside in folds:
        model = HistGradientBoostingClassifier(
            max_iter=_ROUNDS, max_leaf_nodes=_LEAVES, min_samples_leaf=40, l2_regularization=10, random_state=seed
        )
        with threadpool_limits(1):
            model.fit(design[inside], target[inside])
            part = design[outside]
            scores[outside] = model.decision_function(part)
            for place in range(len(readings)):
                other = part.copy()
                other[:, place] = rng.permutation(other[:, place])
                shuffled[place, outside] = model.decision_function(other)
    area = estimate_auc(target, scores)
    return area, {n: area.value - estimate_auc(target, shuffled[k]).value for k, n in enumerate(readings)}
