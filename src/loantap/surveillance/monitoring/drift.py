"""Whether recent applications, counted in the bands of the training, are still like those of the training."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.measures.intervals import Z95, chance_of_shares, compare_counts, exceed_by_chance, two_sided_z
from loantap.model.scoring.profile import SCORE, FeatureProfile, TrainingProfile, group_bands, profile_feature
from loantap.portfolio.arrays import IntArray
from loantap.surveillance.monitoring.checks import Check, Verdict, judge
from loantap.surveillance.monitoring.options import DriftOptions

# Distribution, missing values, and mean or new categories of each feature.
_CHECKS_PER_FEATURE = 3
_CODE = re.compile("[A-Za-z_]{2,24}")


@dataclass(frozen=True, slots=True)
class Shift:
	"""One feature at training and in recent applications, counted in the same bands or levels."""

	then: FeatureProfile
	now: FeatureProfile

	@property
	def known(self) -> IntArray:
		"""Recent rows by band or level of the training."""
		return np.array(self.now.counts[: len(self.then.counts)], dtype="int64")

	@property
	def new(self) -> dict[str, int]:
		"""Recent rows by level that the training did not know, the most frequent first."""
		known = len(self.then.levels)
		return dict(zip(self.now.levels[known:], self.now.counts[known:], strict=False))

	@property
	def moved(self) -> float:
		"""Shift of the mean of a number that both have, in standard deviations of the training; 0 where it has none."""
		if not self.then.deviation or self.then.mean is None or self.now.mean is None:
			return 0.0
		return (self.now.mean - self.then.mean) / self.then.deviation

	def check(self, what: str, verdict: Verdict, words: str, **figures: Any) -> Check:
		"""A check of this feature, of the rows with a value unless `figures` say of others."""
		name = self.then.feature
		said = "the PD" if name == SCORE else f"{FEATURES[name].phrase} ({name})" if name in FEATURES else name
		rows = {"n": self.now.n, "against_n": self.then.n}
		return Check(subject=name, what=what, verdict=verdict, words=f"{said}{words}", **(rows | figures))


def compare_features(recent: pd.DataFrame, profile: TrainingProfile, model: str) -> list[Shift]:
	"""Recent applications beside the training; last the PDs that this `model` gave."""
	rows = recent[recent["is_readable"]]
	shifts = [Shift(then, profile_feature(rows[then.feature], then)) for then in profile.features]
	scores = rows.loc[rows["model"].eq(model), "probability_of_default"].rename(SCORE)
	return [*shifts, Shift(profile.score, profile_feature(scores, profile.score))]


def check_drift(shifts: Sequence[Shift], options: DriftOptions) -> list[Check]:
	"""Three checks of each feature: its distribution, its missing values, its mean or categories that are new.

	All of them together raise a false alarm in at most `false_alarms` of the runs (Bonferroni).
	"""
	share = options.false_alarms / (_CHECKS_PER_FEATURE * max(len(shifts), 1))
	return [check for shift in shifts for check in _check_feature(shift, share, options)]


def _check_feature(shift: Shift, share: float, options: DriftOptions) -> Iterator[Check]:
	yield _check_distribution(shift, share, options)
	if shift.then.feature != SCORE:
		yield _check_missing(shift, share, options)
	yield _check_new(shift, share, options) if shift.then.levels else _check_mean(shift, share, options)


def _check_distribution(shift: Shift, share: float, options: DriftOptions) -> Check:
	profile, n = shift.then, int(shift.known.sum())
	if min(n, profile.n) < options.min_rows:
		words = f": {n:,} rows against {profile.n:,} are too few to compare; {options.min_rows:,} are asked for"
		return shift.check("psi", Verdict.CANNOT_TELL, words, n=n)
	groups = group_bands(profile)
	expected, actual = (np.bincount(groups, weights=c).astype("int64") for c in (profile.counts, shift.known))
	index = compare_counts(expected, actual)
	chance = exceed_by_chance(expected, actual, share)
	limit = max(options.psi, chance)
	verdict = judge(is_alarm=index.psi > limit)
	words = f": {_describe_change(shift)}; PSI {index.psi:.2f} (n {n:,} against {profile.n:,})"
	if verdict is Verdict.ALARM:
		words += f", where chance gives {chance:.2f} at most and up to {options.psi:.2f} is tolerated"
	elif chance > options.psi_told:
		verdict = Verdict.CANNOT_TELL
		words += f"; with so few rows chance alone gives up to {chance:.2f}"
	return shift.check("psi", verdict, words, value=index.psi, low=index.low, high=index.high, limit=limit, n=n)


def _check_mean(shift: Shift, share: float, options: DriftOptions) -> Check:
	"""A shift inside one band leaves the PSI at 0; the mean shows it."""
	profile, n, moved = shift.then, shift.now.n, shift.moved
	if min(n, profile.n) < options.min_rows or not profile.deviation:
		return shift.check("mean", Verdict.CANNOT_TELL, ": too few rows, or values too alike, to compare means")
	error = float(np.hypot(1 / profile.n**0.5, (shift.now.deviation or 0.0) / profile.deviation / n**0.5))
	limit = max(options.mean_shift, two_sided_z(share) * error)
	words = f": {_describe_change(shift)} (n {n:,} against {profile.n:,}); {limit:.2f} is tolerated"
	bounds = {"low": moved - Z95 * error, "high": moved + Z95 * error}
	return shift.check("mean", judge(is_alarm=abs(moved) > limit), words, value=moved, limit=limit, **bounds)


def _check_missing(shift: Shift, share: float, options: DriftOptions) -> Check:
	lost, rows, lost_then, rows_then = shift.now.missing, shift.now.rows, shift.then.missing, shift.then.rows
	now, then = _share(lost, rows), _share(lost_then, rows_then)
	by_chance = chance_of_shares(lost, rows, lost_then, rows_then)
	is_alarm = abs(now - then) >= options.missing_share and by_chance < share
	words = f" is missing in {now:.1%} of {rows:,} applications, {then:.1%} at training"
	figures = {"value": now, "limit": then + options.missing_share, "n": rows, "against_n": rows_then}
	return shift.check("missing", judge(rows, options.min_rows, is_alarm=is_alarm), words, **figures)


def _check_new(shift: Shift, share: float, options: DriftOptions) -> Check:
	n, count = shift.now.n, sum(shift.new.values())
	value = _share(count, n)
	is_alarm = value >= options.new_share and chance_of_shares(count, n, 0, shift.then.n) < share
	# Only codes are named: free text may hold a person.
	named = ", ".join(f"{level} ({n:,})" for level, n in list(shift.new.items())[:3] if _CODE.fullmatch(level))
	words = f"{value:.1%} of {n:,} have a category that training did not know" if count else "none is new"
	words += f": {named}" if named else ""
	verdict = judge(n, options.min_rows, is_alarm=is_alarm)
	return shift.check("new_category", verdict, f": {words}", value=value, limit=options.new_share)


def _describe_change(shift: Shift) -> str:
	profile = shift.then
	if profile.levels:
		then, now = (np.array(c) / max(sum(c), 1) for c in (profile.counts, shift.known))
		most = int(np.abs(now - then).argmax())
		return f"{profile.levels[most]} went from {then[most]:.0%} to {now[most]:.0%}"
	if not profile.deviation:
		return "training knew one value only"
	return f"its mean moved {'up' if shift.moved > 0 else 'down'} by {abs(shift.moved):.2f} standard deviations"


def _share(part: int, whole: int) -> float:
	return part / whole if whole else 0.0
