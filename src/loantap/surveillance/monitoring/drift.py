"""Whether recent applications are still like those that the model was trained on."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.measures.intervals import Z95, chance_of_shares, compare_counts, exceed_by_chance, two_sided_z
from loantap.model.scoring.profile import SCORE, TrainingProfile, group_bands
from loantap.surveillance.monitoring.checks import Check, Verdict
from loantap.surveillance.monitoring.options import DriftOptions
from loantap.surveillance.monitoring.tally import FeatureTally

# Distribution, missing values, and mean or new categories of each feature.
_CHECKS_PER_FEATURE = 3


def check_drift(tallies: Sequence[FeatureTally], options: DriftOptions) -> list[Check]:
	"""Three checks of each feature: its distribution, its missing values, its mean or categories that are new.

	All of them together raise a false alarm in at most `false_alarms` of the runs (Bonferroni).
	"""
	share = options.false_alarms / (_CHECKS_PER_FEATURE * max(len(tallies), 1))
	return [check for tally in tallies for check in _check_feature(tally, share, options)]


def tally_features(recent: pd.DataFrame, profile: TrainingProfile, model: str) -> list[FeatureTally]:
	"""Count recent applications as the training was counted; last the PDs that this `model` gave."""
	rows = recent[recent["is_readable"]]
	tallies = [FeatureTally(each) for each in profile.features]
	for tally in tallies:
		tally.add(rows[tally.profile.feature])
	score = FeatureTally(profile.score)
	score.add(rows.loc[rows["model"].eq(model), "probability_of_default"])
	return [*tallies, score]


def _check_feature(tally: FeatureTally, share: float, options: DriftOptions) -> Iterator[Check]:
	yield _check_distribution(tally, share, options)
	if tally.profile.feature != SCORE:
		yield _check_missing(tally, share, options)
	yield _check_new(tally, share, options) if tally.profile.levels else _check_mean(tally, share, options)


def _check_distribution(tally: FeatureTally, share: float, options: DriftOptions) -> Check:
	profile = tally.profile
	n, against_n, name = int(tally.counts.sum()), profile.n, profile.feature
	if min(n, against_n) < options.min_rows:
		words = f"{_say(name)}: {n:,} rows against {against_n:,} are too few to compare; {options.min_rows:,} are asked for"
		return Check(
			subject=name, what="psi", verdict=Verdict.CANNOT_TELL, value=None, n=n, against_n=against_n, words=words
		)
	groups = group_bands(profile)
	expected, actual = (np.bincount(groups, weights=c).astype("int64") for c in (profile.counts, tally.counts))
	index = compare_counts(expected, actual)
	chance = exceed_by_chance(expected, actual, share)
	limit = max(options.psi, chance)
	verdict = Verdict.ALARM if index.psi > limit else Verdict.QUIET
	words = f"{_say(name)}: {_describe_change(tally)}; PSI {index.psi:.2f} (n {n:,} against {against_n:,})"
	if verdict is Verdict.ALARM:
		words += f", where chance gives {chance:.2f} at most and up to {options.psi:.2f} is tolerated"
	elif chance > options.psi_told:
		verdict = Verdict.CANNOT_TELL
		words += f"; with so few rows chance alone gives up to {chance:.2f}"
	return Check(
		subject=name,
		what="psi",
		verdict=verdict,
		value=index.psi,
		low=index.low,
		high=index.high,
		limit=limit,
		n=n,
		against_n=against_n,
		words=words,
	)


def _check_mean(tally: FeatureTally, share: float, options: DriftOptions) -> Check:
	"""A shift inside one band leaves the PSI at 0; the mean shows it."""
	profile, name, n = tally.profile, tally.profile.feature, tally.n
	told: dict[str, Any] = {"subject": name, "what": "mean", "n": n, "against_n": profile.n}
	if min(n, profile.n) < options.min_rows or not profile.deviation or profile.mean is None:
		words = f"{_say(name)}: too few rows, or values too alike, to compare means"
		return Check(**told, verdict=Verdict.CANNOT_TELL, value=None, words=words)
	moved = (tally.mean - profile.mean) / profile.deviation
	error = float(np.hypot(1 / profile.n**0.5, tally.deviation / profile.deviation / n**0.5))
	limit = max(options.mean_shift, two_sided_z(share) * error)
	return Check(
		**told,
		verdict=Verdict.ALARM if abs(moved) > limit else Verdict.QUIET,
		value=moved,
		low=moved - Z95 * error,
		high=moved + Z95 * error,
		limit=limit,
		words=f"{_say(name)}: {_describe_change(tally)} (n {n:,} against {profile.n:,}); {limit:.2f} is tolerated",
	)


def _check_missing(tally: FeatureTally, share: float, options: DriftOptions) -> Check:
	profile, name = tally.profile, tally.profile.feature
	now, then = _share(tally.missing, tally.rows), _share(profile.missing, profile.rows)
	by_chance = chance_of_shares(tally.missing, tally.rows, profile.missing, profile.rows)
	is_alarm = abs(now - then) >= options.missing_share and by_chance < share
	return Check(
		subject=name,
		what="missing",
		verdict=_judge(tally.rows, options, is_alarm=is_alarm),
		value=now,
		limit=then + options.missing_share,
		n=tally.rows,
		against_n=profile.rows,
		words=f"{_say(name)} is missing in {now:.1%} of {tally.rows:,} applications, {then:.1%} at training",
	)


def _check_new(tally: FeatureTally, share: float, options: DriftOptions) -> Check:
	name, count = tally.profile.feature, tally.new.total()
	value = _share(count, tally.n)
	is_alarm = value >= options.new_share and chance_of_shares(count, tally.n, 0, tally.profile.n) < share
	named = ", ".join(f"{level} ({n:,})" for level, n in tally.new.most_common(3))
	words = f"{value:.1%} of {tally.n:,} have a category that training did not know: {named}" if count else "none is new"
	return Check(
		subject=name,
		what="new_category",
		verdict=_judge(tally.n, options, is_alarm=is_alarm),
		value=value,
		limit=options.new_share,
		n=tally.n,
		against_n=tally.profile.n,
		words=f"{_say(name)}: {words}",
	)


def _judge(n: int, options: DriftOptions, *, is_alarm: bool) -> Verdict:
	if n < options.min_rows:
		return Verdict.CANNOT_TELL
	return Verdict.ALARM if is_alarm else Verdict.QUIET


def _describe_change(tally: FeatureTally) -> str:
	profile = tally.profile
	if profile.levels:
		then, now = (np.array(c) / max(sum(c), 1) for c in (profile.counts, tally.counts))
		most = int(np.abs(now - then).argmax())
		return f"{profile.levels[most]} went from {then[most]:.0%} to {now[most]:.0%}"
	if not profile.deviation or profile.mean is None:
		return "training knew one value only"
	moved = (tally.mean - profile.mean) / profile.deviation
	return f"its mean moved {'up' if moved > 0 else 'down'} by {abs(moved):.2f} standard deviations"


def _say(name: str) -> str:
	return "the PD" if name == SCORE else f"{FEATURES[name].phrase} ({name})" if name in FEATURES else name


def _share(part: int, whole: int) -> float:
	return part / whole if whole else 0.0
