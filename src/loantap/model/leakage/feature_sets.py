"""Sets of features as a whole: a boosting model of each, which finds what no pair shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
		together = _boost(used, target, folds, options.seed)
		boosted = together.measure()
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
		apart = _boost(used, target, folds, options.seed, is_additive=True)
		left = {n: together.measure(n, options.seed).value - apart.measure(n, options.seed).value for n in used}
		# Without one of them the others tell nothing more together.
		blamed = [used[n] for n in sorted(left, key=lambda n: left[n]) if left[n] < gain.auc / 2]
		names = ", ".join(r.name for r in blamed)
		joint.add(
			blamed,
			Evidence(
				"combination",
				GateVerdict.CAUGHT,
				f"tells in combination what no column tells alone: {names} together raise the AUC of the {name} set by "
				f"{gain.auc:.3f} (at least {gain.at_least(Z):.3f}, n {len(target):,}) above that of its columns one by "
				f"one, and in honest applications they raise it by nothing",
				f"Ask the sources of {names} which of them was written, or recomputed, after the outcome",
				{"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z)},
			),
		)


@dataclass(frozen=True, slots=True)
class _Boosted:
	"""A boosting model per fold, of a column per reading."""

	models: Sequence[HistGradientBoostingClassifier]
	design: FloatArray
	target: IntArray
	folds: Folds
	places: Sequence[str]

	def measure(self, shuffled: str = "", seed: int = 0) -> Estimate:
		"""Cross-fitted AUC, of loans on which the column `shuffled` has been (Breiman, 2001)."""
		asked, scores = self.design.copy(), np.empty(len(self.target))
		if shuffled:
			place = self.places.index(shuffled)
			asked[:, place] = np.random.default_rng(seed).permutation(asked[:, place])
		with threadpool_limits(1):
			for model, (_, outside) in zip(self.models, self.folds, strict=True):
				scores[outside] = model.decision_function(asked[outside])
		return estimate_auc(self.target, scores)


def _boost(
	readings: Mapping[str, Reading], target: IntArray, folds: Folds, seed: int, *, is_additive: bool = False
) -> _Boosted:
	design = np.column_stack([np.where(r.is_missing, np.nan, r.score) for r in readings.values()])
	with threadpool_limits(1):
		models = [
			HistGradientBoostingClassifier(
				max_iter=_ROUNDS,
				max_leaf_nodes=_LEAVES,
				min_samples_leaf=40,
				l2_regularization=10,
				interaction_cst="no_interactions" if is_additive else None,
				random_state=seed,
			).fit(design[inside], target[inside])
			for inside, _ in folds
		]
	return _Boosted(models, design, target, folds, list(readings))
