"""The statistics behind the leakage gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import binom, false_discovery_control
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from loantap.features.build import MISSING
from loantap.model.leakage.options import LeakageOptions
from loantap.portfolio.arrays import FloatArray, IntArray

Folds = Sequence[tuple[IntArray, IntArray]]

_NUMERIC_BINS: Final = 20
_LARGEST_GROUP: Final = 200
_FEWEST_GROUPS: Final = 30
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Bins:
	"""A column as groups of loans: `codes` are places in `labels`, one per loan; each label has loans."""

	codes: IntArray
	labels: tuple[str, ...]


def bin_values(values: pd.Series) -> Bins:
	"""Groups of a column: categories as they are, numbers in 20 equal-count bins, missing apart."""
	if pd.api.types.is_numeric_dtype(values) and values.nunique() > _NUMERIC_BINS:
		# A cut between a value that fills several bins and the next one leaves a bin without loans.
		cut = pd.qcut(values, _NUMERIC_BINS, duplicates="drop").cat.remove_unused_categories()
		codes, names = cut.cat.codes.to_numpy(), cut.cat.categories
	else:
		codes, names = pd.factorize(values, sort=True)
	labels = [str(name) for name in names]
	is_missing = codes < 0
	if is_missing.any():
		labels.append(MISSING)
	return Bins(np.where(is_missing, len(names), codes).astype(np.int64), tuple(labels))


def split_folds(target: pd.Series, options: LeakageOptions) -> Folds:
	"""Stratified folds: positions of the loans inside and outside each."""
	folds = StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)
	return list(folds.split(target, target))


def cross_fitted_auc(bins: Bins, target: pd.Series, folds: Folds) -> float:
	"""AUC of the target mean of each group, learned on the other folds.

	Without cross-fitting every long list of categories would look like a leak.
	"""
	outcome, groups = target.to_numpy(), len(bins.labels)
	means = np.empty((len(folds), groups))
	cells = bins.codes * len(folds)
	for number, (inside, outside) in enumerate(folds):
		means[number] = _shrink_means(bins.codes[inside], outcome[inside], groups)
		cells[outside] += number
	return _auc_of_groups(means.T.ravel(), cells, target)


def _shrink_means(codes: IntArray, outcome: IntArray, groups: int) -> FloatArray:
	"""Mean outcome of each group, small groups shrunk to the mean of all (Micci-Barreca, 2001).

	As scikit-learn's `TargetEncoder(smooth="auto")`, which takes five times as long.
	"""
	count = np.bincount(codes, minlength=groups)
	means = np.bincount(codes, outcome, groups) / np.maximum(count, 1)
	between = float(np.var(outcome)) * count
	share = np.divide(between, between + means * (1 - means), where=between > 0, out=np.zeros(groups))
	shrunken: FloatArray = share * means + (1 - share) * outcome.mean()
	return shrunken


def in_sample_auc(bins: Bins, target: pd.Series) -> float:
	"""AUC of the target mean of each group, without cross-fitting."""
	return _auc_of_groups(np.bincount(bins.codes, target.to_numpy()) / np.bincount(bins.codes), bins.codes, target)


def _auc_of_groups(scores: FloatArray, codes: IntArray, target: pd.Series) -> float:
	"""AUC of one score per group; weighted groups are far faster than loans."""
	count = np.bincount(codes, minlength=len(scores))
	bad = np.bincount(codes, target.to_numpy(), minlength=len(scores))
	outcome = np.repeat([False, True], len(scores))
	return float(roc_auc_score(outcome, np.tile(scores, 2), sample_weight=np.concatenate([count - bad, bad])))


def find_implausible_categories(bins: Bins, target: pd.Series, options: LeakageOptions) -> pd.DataFrame:
	"""Categories whose default rate is significantly outside the plausible range.

	One-sided binomial tests against the nearer end of `plausible_default_rates`, false discovery rate controlled
	(Benjamini and Hochberg, 1995). One row each: `category`, `loans`, `default_rate`, `adjusted_p_value`.
	"""
	lowest, highest = options.plausible_default_rates
	loans, bad = np.bincount(bins.codes), np.bincount(bins.codes, target.to_numpy())
	too_high = binom.sf(bad - 1, loans, highest)
	too_low = binom.cdf(bad, loans, lowest)
	adjusted = false_discovery_control(np.minimum(1.0, 2 * np.minimum(too_high, too_low)))
	flagged = adjusted < options.false_discovery_rate
	return pd.DataFrame(
		{
			"category": np.array(bins.labels)[flagged],
			"loans": loans[flagged],
			"default_rate": (bad / loans)[flagged],
			"adjusted_p_value": adjusted[flagged],
		}
	)


def explained_share(values: FloatArray, codes: IntArray) -> float:
	"""Share of the variance of `values` that lies between groups (codes from 0).

	Epsilon squared (Kelley, PNAS 1935), adjusted for the number of groups: from 0 to 1.
	"""
	counts = np.bincount(codes)
	groups = int(np.count_nonzero(counts))
	loans, total = len(values), float(np.var(values)) * len(values)
	if total <= 0 or loans <= groups:
		return 0.0
	means = np.bincount(codes, values) / np.maximum(counts, 1)
	within = float(np.sum((values - means[codes]) ** 2))
	return max(0.0, 1 - within / total * (loans - 1) / (loans - groups))


@dataclass(frozen=True, slots=True)
class OutcomeGroups:
	"""Loans (by position) in groups small enough to give a single loan's outcome away.

	`outcome` is that of each less the mean, `their_outcome` the mean of that over the `others`.
	"""

	loans: IntArray
	group: IntArray
	others: FloatArray
	outcome: FloatArray
	their_outcome: FloatArray


def group_outcomes(codes: IntArray, target: pd.Series) -> OutcomeGroups | None:
	"""The loans in groups of 2 to 200; None where there are fewer than 30 such groups.

	A mean over more loans holds less than 0.5% of the outcome of each; of fewer groups no error can be told. A negative
	code is no group.
	"""
	counts = np.bincount(codes[codes >= 0], minlength=1)
	size = counts[codes]
	loans = np.flatnonzero((codes >= 0) & (size >= 2) & (size <= _LARGEST_GROUP))
	names, group = np.unique(codes[loans], return_inverse=True)
	if len(names) < _FEWEST_GROUPS:
		return None
	others = np.asarray(size[loans] - 1, np.float64)
	outcome = target.to_numpy()[loans]
	outcome = outcome - outcome.mean()
	theirs = (np.bincount(group, outcome)[group] - outcome) / others
	return OutcomeGroups(loans, group, others, outcome, theirs)


@dataclass(frozen=True, slots=True)
class GroupExcess:
	"""How much better the others' feature values tell a loan's outcome than their outcomes do.

	`share` is of the variance of the outcome, `z` in standard errors.
	"""

	share: float
	z: float
	loans: int


def measure_group_excess(ranks: FloatArray, groups: OutcomeGroups) -> GroupExcess:
	"""Whether a number (ranks, 0 to 1, none missing) was computed from the outcomes of groups.

	What the *other* loans of its group know of a loan is what the group has in common: honest values explain at most as
	much of its outcome as the covariance within groups (one-way analysis of variance; Fisher, 1925). A target mean per
	group, or leave-one-out, breaks that bound: it carries the loan's own outcome to its neighbours.
	"""
	group, outcome = groups.group, groups.outcome
	mine = ranks[groups.loans]
	theirs = (np.bincount(group, mine)[group] - mine) / groups.others
	theirs = theirs - theirs.mean()
	variance, spread = np.dot(outcome, outcome), np.dot(theirs, theirs)
	if min(variance, spread) <= _TINY:
		return GroupExcess(0.0, 0.0, len(mine))
	slope = np.dot(outcome, theirs) / spread
	# Influence of each loan on the variance explained; errors of a group's loans go together.
	explained = 2 * slope * outcome * theirs - slope**2 * theirs**2
	clustered = np.sum(np.bincount(group, explained - explained.mean()) ** 2)
	# Under independence: an error estimated from the data vanishes where rates happen to agree.
	sizes = np.bincount(group)
	paired = (variance / len(mine)) ** 2 * np.sum(2 * sizes / (sizes - 1))
	excess = explained.sum() - np.dot(outcome, groups.their_outcome)
	z = excess / np.sqrt(clustered + paired)
	return GroupExcess(float(excess / variance), float(z), len(mine))
