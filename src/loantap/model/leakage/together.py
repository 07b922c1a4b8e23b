"""What columns tell together: what each, and each pair, adds to an additive model of all others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.leakage.additive import BORROWER, LINKED, TERMS_OF_OFFER, CrossFitted, Gain, cross_fit, name_pair
from loantap.model.leakage.arithmetic import Exceptions, check_exceptions, find_exceptions
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.expected import Z, add_strengths, expect_auc, is_score
from loantap.model.leakage.feature_sets import examine_sets
from loantap.model.leakage.impact import draw_loans, estimate_auc
from loantap.model.leakage.kinds import SLICES, name_leak
from loantap.model.leakage.options import LeakageOptions
from loantap.model.leakage.readings import YEAR, Reading, cross, fold_by_content, read, read_columns
from loantap.portfolio.arrays import IntArray

# Pairs of which outcomes differ from an additive model by chance in one of 100,000 tables.
_SURPRISE: Final = 5.0
_MOST_PAIRS: Final = 20
_FEWEST: Final = 50
_SHARE_OF_MOST: Final = 0.3
# Distance of a price's AUC from chance: 0.13 to 0.19 in whole portfolios, 0.03 to 0.11 in simulated ones of one grade.
_LEAST_PRICE: Final = 0.08


@dataclass(slots=True)
class Joint:
	"""What was found: evidence per feature, and the feature sets as a whole."""

	evidence: dict[str, list[Evidence]] = field(default_factory=dict)
	sets: list[dict[str, Any]] = field(default_factory=list)

	def add(self, readings: Sequence[Reading], evidence: Evidence) -> None:
		"""Evidence about columns goes to the features computed from them, and is kept once for each."""
		for feature in dict.fromkeys(name for reading in readings for name in reading.features):
			self.evidence.setdefault(feature, []).append(evidence)


def examine_together(
	loans: pd.DataFrame, features: pd.DataFrame, caught: Mapping[str, bool], options: LeakageOptions
) -> Joint:
	"""Examine the columns that features are computed from, on a draw of the loans.

	`caught`: whether each feature was, alone. Those that add something are named and taken out first; then, one by one,
	the column that adds most: beside a leak an innocent column seems to add. Without enough outcomes nothing is found.
	"""
	rows, joint = draw_loans(len(loans), options), Joint()
	drawn = loans.iloc[rows]
	target = drawn["is_charged_off"].to_numpy(dtype=np.int64)
	names = [
		name
		for name in caught
		if _is_lent_on(name) or (name in FEATURES and FEATURES[name].known_at_decision and not caught[name])
	]
	if not names or min(target.sum(), len(target) - target.sum()) < _FEWEST:
		return joint
	readings = read_columns(drawn, features.iloc[rows], names)
	folds = fold_by_content(readings, target, options.folds)
	if "issue_month" in drawn:
		# Its level is what has been settled by now, no leak; others are judged given it.
		readings[YEAR] = read(drawn["issue_month"].dt.year.astype("str"), YEAR)
	exceptions = list(find_exceptions(drawn, options))
	alone = [n for n, r in readings.items() if any(caught[f] and list(FEATURES[f].uses) == [n] for f in r.features)]
	model = cross_fit(readings, target, folds)
	while True:
		found = _find_exception(exceptions, readings, model, options)
		found = found or [
			(name, evidence) for name in alone if (evidence := _check_added(readings[name], readings, model, options))
		]
		found = found or _find_most_added(readings, model, options)
		for column, evidence in found:
			joint.add([readings[column]], evidence)
		taken = {column for column, _ in found} | set(alone)
		if not taken:
			break
		# The instalment goes with the rate.
		taken |= {"instalment"} if "interest_rate_pct" in taken else set()
		readings, alone = {n: r for n, r in readings.items() if n not in taken}, []
		if set(readings) <= {YEAR}:
			return joint
		model = cross_fit(readings, target, folds)
	found_together = [
		*_find_many(readings, model, options),
		*_find_linked(readings, model, options),
		*_find_pairs(readings, model, options),
	]
	for pair, evidence in found_together:
		joint.add(pair, evidence)
		readings = {name: reading for name, reading in readings.items() if reading not in pair}
	examine_sets(readings, target, folds, options, joint)
	return joint


def _is_lent_on(feature: str) -> bool:
	return any(s.for_lending and feature in s.features for s in FEATURE_SETS.values())


def _find_exception(
	exceptions: Sequence[Exceptions], readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> list[tuple[str, Evidence]]:
	for found in exceptions:
		if found.column in readings:
			evidence = check_exceptions(found, model.before(found.column), options)
			if evidence.verdict is GateVerdict.CAUGHT:
				return [(found.column, evidence)]
	return []


def _find_most_added(
	readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> list[tuple[str, Evidence]]:
	asked = [name for name, reading in readings.items() if reading.features]
	worst = max(
		asked, key=lambda name: model.gain_of(name).at_least(Z) - _allow(readings[name], readings, model, options)
	)
	evidence = _check_added(readings[worst], readings, model, options)
	return [(worst, evidence)] if evidence else []


def _check_added(
	reading: Reading, readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> Evidence | None:
	limit = _allow(reading, readings, model, options)
	is_leak = model.gain_of(reading.name).at_least(Z) > limit
	return name_leak(reading, readings, model, limit) if is_leak else None


def _find_many(
	readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> list[tuple[list[Reading], Evidence]]:
	"""Columns about the borrower that each add little and all together more than they can."""
	if not _is_priced(readings, model):
		return []
	about = {n: r for n, r in readings.items() if r.features and n not in TERMS_OF_OFFER}
	limit = options.max_borrower_auc + _allow_scores(about.values(), model.before(BORROWER), options)
	gain = model.gain_of(BORROWER)
	if gain.at_least(Z) <= limit:
		return []
	added = {name: model.gain_of(name).auc for name in about}
	blamed = [r for name, r in about.items() if added[name] > _SHARE_OF_MOST * max(added.values())]
	names = ", ".join(r.name for r in blamed)
	evidence = Evidence(
		"refreshed",
		GateVerdict.CAUGHT,
		f"refreshed after the decision, many columns a little: all that is known of the borrower, {names} before all, "
		f"adds {gain.auc:.3f} (at least {gain.at_least(Z):.3f}, n {len(model.target):,}) to the AUC of the offer's own "
		f"terms, and honest applications at most {limit:.3f}, since the price already holds most of it",
		"Ask the source for the bureau file of the day of the application, and when it was last loaded anew",
		{"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": limit},
	)
	return [(blamed, evidence)]


def _find_linked(
	readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> list[tuple[list[Reading], Evidence]]:
	found: list[tuple[list[Reading], Evidence]] = []
	for pair, most in LINKED.items():
		name = name_pair(pair)
		if name not in model.without or not _is_priced(readings, model):
			continue
		both, gain = [readings[column] for column in pair], model.gain_of(name)
		limit = most + _allow_scores(both, model.before(name), options)
		if gain.at_least(Z) > limit:
			evidence = Evidence(
				"refreshed",
				GateVerdict.CAUGHT,
				f"refreshed after the decision, both together: {name} add {gain.auc:.3f} (at least {gain.at_least(Z):.3f}, "
				f"n {len(model.target):,}) to the AUC of all other columns, and honest ones at most {limit:.3f}",
				f"Ask the sources of {name} for their values on the day of the application",
				{"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": limit},
			)
			found.append((both, evidence))
	return found


def _allow_scores(blamed: Iterable[Reading], others: CrossFitted, options: LeakageOptions) -> float:
	"""What the strongest outside score among these columns may add to all others."""
	scores = [expect_auc(f, options) for r in blamed for f in r.features if is_score(f, options)]
	return add_strengths(others.area.value, max(scores, default=0.5)) - others.area.value


def _is_priced(readings: Mapping[str, Reading], model: CrossFitted) -> bool:
	"""Whether a rate or sub-grade sums up what is known of a borrower; within one grade it ranks too little."""
	areas = [
		estimate_auc(model.target, readings[name].score).value
		for name in ("interest_rate_pct", "sub_grade")
		if name in readings
	]
	return any(abs(area - 0.5) > _LEAST_PRICE for area in areas)


def _allow(reading: Reading, readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions) -> float:
	"""What a column may add: as much as an independent score of its strength if it is one.

	Or if no other price is left: rate and sub-grade sum up what all tell of a borrower.
	"""
	is_priced = _is_priced({n: r for n, r in readings.items() if n != reading.name}, model)
	scores = [expect_auc(name, options) for name in reading.features if is_score(name, options) or not is_priced]
	if not scores:
		return options.max_added_auc
	others = max(model.before(reading.name).area.value, 0.5)
	return options.max_added_auc + add_strengths(others, max(scores)) - others


def _find_pairs(
	readings: Mapping[str, Reading], model: CrossFitted, options: LeakageOptions
) -> list[tuple[list[Reading], Evidence]]:
	tables: list[tuple[float, Reading, Reading, IntArray]] = []
	for one, other in combinations(readings.values(), 2):
		cells = cross(one.coarse, other.coarse)
		tables.append((model.surprise(cells), one, other, cells))
	tables = sorted((t for t in tables if t[0] > _SURPRISE), key=lambda t: -t[0])[:_MOST_PAIRS]
	gains = [(model.gain_by(cells), one, other) for _, one, other, cells in tables]
	found: list[tuple[list[Reading], Evidence]] = []
	blamed: set[str] = set()
	for gain, one, other in sorted(gains, key=lambda g: -g[0].auc):
		if gain.at_least(Z) <= options.max_added_auc or {one.name, other.name} & blamed - set(SLICES):
			continue
		pair = [one, other]
		sliced = next((r for r in pair if r.name in SLICES), None)
		if sliced:
			pair.remove(sliced)
		blamed |= {r.name for r in pair}
		found.append((pair, _tell_pair(pair, sliced, gain, model, options)))
	return found


def _tell_pair(
	pair: list[Reading], sliced: Reading | None, gain: Gain, model: CrossFitted, options: LeakageOptions
) -> Evidence:
	figures = {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z)}
	added = (
		f"adds {gain.auc:.3f} (at least {gain.at_least(Z):.3f}, n {len(model.target):,}) to the AUC of all columns "
		f"taken one by one, and an honest pair at most {options.max_added_auc:.3f}"
	)
	if sliced:
		return Evidence(
			"slice",
			GateVerdict.CAUGHT,
			f"in a part of the portfolio only: {pair[0].name} by {sliced.name} {added}",
			f"Ask the source how {pair[0].name} was loaded for each {sliced.name}",
			figures,
		)
	names = " and ".join(r.name for r in pair)
	return Evidence(
		"combination",
		GateVerdict.CAUGHT,
		f"tells in combination what neither tells alone: {names} together {added}",
		f"Ask the sources of {names} which of them was written, or recomputed, after the outcome",
		figures,
	)
