"""The tests of the leakage gate on one feature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import pearsonr

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURES
from loantap.measures.auc import auc_standard_error
from loantap.measures.intervals import Z95_ONE_SIDED
from loantap.model.leakage.options import LeakageOptions
from loantap.model.leakage.statistics import (
	Bins,
	Folds,
	OutcomeGroups,
	explained_share,
	group_outcomes,
	measure_group_excess,
	split_folds,
)
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import COLUMNS, LOAN_ID, Kind

# What a list of groups could be made of: neither the outcome nor a loan's own number.
_ENCODABLE_KINDS: Final = frozenset({Kind.TEXT, Kind.CATEGORY, Kind.MONTH})
_DATED_KINDS: Final = frozenset({Kind.MONTH, Kind.DATE})


class GateVerdict(StrEnum):
	"""What a test says of a feature."""

	PASSED = "passed"
	WARNED = "warned"  # to be known, stops nothing
	CAUGHT = "caught"  # may not be lent on


@dataclass(frozen=True, slots=True)
class Evidence:
	"""What one test found about one feature; `statement` may be empty."""

	test: str
	verdict: GateVerdict = GateVerdict.PASSED
	statement: str = ""
	remedy: str = ""
	figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
	"""What the loans behind a feature tell, worked out once for all features.

	Attributes:
		target: 1 for charged off.
		months: issue month as a code; None where it is not known.
		groups: per encodable column, the loans whose groups could give an outcome away.
		lags: per date after the decision, days from issue to it, less the mean of the same month, term and outcome.
	"""

	target: pd.Series
	folds: Folds
	months: IntArray | None = None
	groups: Mapping[str, OutcomeGroups] = field(default_factory=dict)
	lags: Mapping[str, FloatArray] = field(default_factory=dict)


def make_context(loans: pd.DataFrame, options: LeakageOptions) -> Context:
	"""Context of training loans, one row each."""
	target = loans["is_charged_off"]
	return Context(
		target,
		split_folds(target, options),
		pd.factorize(loans["issue_month"])[0] if "issue_month" in loans else None,
		{name: g for name in encodable_columns(loans) if (g := group_outcomes(pd.factorize(loans[name])[0], target))},
		_measure_lags(loans) if "issue_month" in loans else {},
	)


def encodable_columns(loans: pd.DataFrame) -> list[str]:
	"""Columns known at decision that could become a target encoding."""
	return [
		name
		for name, column in COLUMNS.items()
		if name in loans and name != LOAN_ID.name and column.kind in _ENCODABLE_KINDS and column.known_at_decision
	]


def _measure_lags(loans: pd.DataFrame) -> dict[str, FloatArray]:
	alike = [n for n in ("issue_month", "term_months", "is_charged_off") if n in loans]
	lags = {}
	for name, column in COLUMNS.items():
		if name in loans and column.kind in _DATED_KINDS and not column.known_at_decision:
			days = (loans[name] - loans["issue_month"]).dt.days
			lag = days - days.groupby([loans[n] for n in alike]).transform("mean")
			if lag.abs().max() >= 1:
				lags[name] = lag.fillna(0).to_numpy()
	return lags


def check_known(name: str) -> Evidence:
	"""Whether all that a feature is declared to use is known at the decision."""
	known = FEATURES[name].known_at_decision if name in FEATURES else True
	if known:
		return Evidence("known_at_decision")
	return Evidence(
		"known_at_decision",
		GateVerdict.CAUGHT,
		"not known, or not settled, when the loan is decided",
		"Take what is known at the decision instead, or prove its timing in the data dictionary",
	)


def check_auc(area: float, target: pd.Series, options: LeakageOptions) -> Evidence:
	"""Whether a feature alone, cross-fitted, ranks loans better than an honest one can."""
	# Hanley and McNeil's error is rather too large: an honest feature is not caught by chance.
	least = area - Z95_ONE_SIDED * auc_standard_error(area, target)
	figures = {"auc": area, "auc_at_least": least}
	if least <= options.max_auc:
		return Evidence("auc_alone", figures=figures)
	return Evidence(
		"auc_alone",
		GateVerdict.CAUGHT,
		f"AUC {area:.3f} on its own, at least {least:.3f}, above {options.max_auc:.2f}",
		"Find out when and from what its source fills it",
		figures,
	)


def check_categories(flagged: pd.DataFrame) -> Evidence:
	"""Whether a category defaults more, or less, often than any honest group of borrowers."""
	figures = {"categories": float(len(flagged))}
	if flagged.empty:
		return Evidence("implausible_categories", figures=figures)
	shown = ", ".join(f"{c} ({r:.1%})" for c, r in flagged[["category", "default_rate"]].values)
	return Evidence(
		"implausible_categories",
		GateVerdict.CAUGHT,
		f"implausible default rate in {shown}",
		"Find out how the source comes to these categories",
		figures,
	)


def check_gap(in_sample: float, area: float, target: pd.Series, limit: float) -> Evidence:
	"""Whether its categories are remembered rather than learned from."""
	gap = in_sample - max(area, 0.5)  # below it is chance, not skill
	error = np.hypot(auc_standard_error(in_sample, target), auc_standard_error(area, target))
	least = gap - Z95_ONE_SIDED * float(error)
	figures = {"auc_in_sample": in_sample, "gap": gap, "gap_at_least": least}
	if least <= limit:
		return Evidence("memorised", figures=figures)
	return Evidence(
		"memorised",
		GateVerdict.CAUGHT,
		f"AUC {in_sample:.3f} in-sample against {area:.3f} cross-fitted: it remembers loans",
		"Group its categories, or encode it inside the folds only",
		figures,
	)


def check_vintage(values: pd.Series, signal: FloatArray, context: Context, options: LeakageOptions) -> Evidence:
	"""Whether a feature, or its missing values, only mark when a loan was issued.

	A model cannot read a vintage in missing numbers, imputed without a flag: a warning. A category or a flag it can
	read; caught where default rates differ as well.
	"""
	if context.months is None:
		return Evidence("vintage")
	is_numeric = pd.api.types.is_numeric_dtype(values)
	missing = values.isna().to_numpy() if is_numeric else values.eq(MISSING).to_numpy()
	signals = {"its values": (signal, True), "its missing values": (missing.astype(float), not is_numeric)}
	figures = {"missing_share": float(missing.mean())}
	for what, (read, is_carried) in signals.items():
		share = explained_share(read, context.months)
		figures[f"{what.split()[1]}_explained_by_month"] = share
		if share < options.vintage_share:
			continue
		differs = pearsonr(read, context.target).pvalue < options.false_discovery_rate
		return Evidence(
			"vintage",
			GateVerdict.CAUGHT if is_carried and differs else GateVerdict.WARNED,
			f"{what} mark a vintage: {share:.0%} of their variance is due to the issue month"
			+ (", and default rates differ" if differs else ""),
			"Leave it out, or keep the loans of the months in which it was collected",
			figures,
		)
	return Evidence("vintage", figures=figures)


def read_signal(values: pd.Series, bins: Bins, target: pd.Series) -> FloatArray:
	"""What a model reads in a feature: the rank of a number (0 to 1, missing 0.5), the default rate of a category."""
	if pd.api.types.is_numeric_dtype(values):
		return np.asarray(values.rank(pct=True).fillna(0.5), np.float64)
	means = np.bincount(bins.codes, target) / np.bincount(bins.codes)
	return means[bins.codes]


def check_group_means(signal: FloatArray, context: Context, options: LeakageOptions) -> Evidence:
	"""Whether `signal` (see `read_signal`) was computed from the outcomes of groups."""
	if not context.groups:
		return Evidence("computed_from_outcomes")
	found = {name: measure_group_excess(signal, g) for name, g in context.groups.items()}
	name, worst = max(found.items(), key=lambda item: item[1].z)
	figures = {"z": worst.z, "excess_share": worst.share, "loans": float(worst.loans)}
	if worst.z <= options.max_group_z:
		return Evidence("computed_from_outcomes", figures=figures)
	return Evidence(
		"computed_from_outcomes",
		GateVerdict.CAUGHT,
		f"computed from outcomes: over loans of the same {name} it tells {worst.share:.1%} more of "
		f"an outcome than they have in common (z {worst.z:.1f}, n {worst.loans:,})",
		"Encode inside the folds, from other loans' settled outcomes only",
		figures,
	)


def check_outcome_date(bins: Bins, context: Context, options: LeakageOptions) -> Evidence:
	"""Whether a feature goes with a date after the decision, as one overwritten later does."""
	figures = {n: explained_share(lag, bins.codes) for n, lag in context.lags.items()}
	late = {n: share for n, share in figures.items() if share > options.max_outcome_date_share}
	if not late:
		return Evidence("outcome_date", figures=figures)
	shown = ", ".join(f"{share:.0%} of the variance of {n}" for n, share in late.items())
	return Evidence(
		"outcome_date",
		GateVerdict.CAUGHT,
		f"goes with what came after the decision: it explains {shown} among loans of the same month, term and outcome",
		"Take its value as of the decision",
		figures,
	)
