"""Runs the leakage gate over a portfolio.

Each feature is asked, on training loans only: is it known at the decision; does it or a category tell more than an
honest one can; does it remember loans, or mark a vintage; was it computed from outcomes or later dates. Of the
portfolio: does a borrower stand on both sides of the split.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.measures.auc import auc_standard_error
from loantap.model.leakage.borrowers import find_duplicate_borrowers
from loantap.model.leakage.evidence import (
	Context,
	Evidence,
	GateVerdict,
	check_auc,
	check_categories,
	check_gap,
	check_group_means,
	check_known,
	check_outcome_date,
	check_vintage,
	encodable_columns,
	make_context,
	read_signal,
)
from loantap.model.leakage.expected import check_strength
from loantap.model.leakage.findings import FeatureFinding, report_leakage
from loantap.model.leakage.impact import measure_impact
from loantap.model.leakage.last_training import LastTraining, check_against_last_training
from loantap.model.leakage.lineage import LaterDates, check_dates, check_lineage, find_later_dates
from loantap.model.leakage.options import LeakageOptions
from loantap.model.leakage.statistics import bin_values, cross_fitted_auc, find_implausible_categories, in_sample_auc
from loantap.model.leakage.together import examine_together
from loantap.portfolio.errors import InputError

Check = dict[str, Any]


def examine_feature(values: pd.Series, context: Context, options: LeakageOptions, *further: Evidence) -> FeatureFinding:
	"""Examine the feature `values.name` of the training loans, with `further` evidence."""
	name, target = str(values.name), context.target
	bins = bin_values(values)
	area, in_sample = cross_fitted_auc(bins, target, context.folds), in_sample_auc(bins, target)
	signal = read_signal(values, bins, target)
	flagged = find_implausible_categories(bins, target, options)
	# A category's default rate is computed from outcomes by definition.
	is_number = pd.api.types.is_numeric_dtype(values)
	computed = [check_group_means(signal, context, options)] if is_number else []
	return FeatureFinding(
		feature=name,
		loans=len(values),
		groups=len(bins.labels),
		auc=area,
		auc_in_sample=in_sample,
		standard_error=auc_standard_error(area, target),
		evidence=(
			check_known(name),
			*further,
			check_auc(area, target, options),
			check_categories(flagged),
			check_gap(in_sample, area, target, options.max_gap),
			check_vintage(values, signal, context, options),
			*computed,
			check_outcome_date(bins, context, options),
		),
		categories=tuple({str(k): v for k, v in row.items()} for row in flagged.to_dict("records")),
	)


def examine_portfolio(
	loans: pd.DataFrame,
	features: pd.DataFrame,
	is_train: pd.Series,
	options: LeakageOptions,
	last: LastTraining | None = None,
) -> dict[str, Any]:
	"""The whole gate: `leakage_report.json`, from loans of `03_primary`, one row each.

	`last` is the training of a champion of such loans and target, if any.

	Outcomes of training loans alone are looked at; dates, lineage and borrowers of all.

	Returns:
		`features`, what was found of each, and which feature sets use it; `checks` of the whole
		portfolio; `impact`, metrics with and without each suspicious feature.

	Raises:
		InputError: the training loans hold too few of an outcome to be examined.
	"""
	train = loans[is_train]
	_require_outcomes(train["is_charged_off"], options)
	context, later = make_context(train, options), find_later_dates(loans)
	values, alone = features[is_train], Context(context.target, context.folds)
	findings = [
		examine_feature(
			values[name], context, options, check_lineage(features[name], loans), check_dates(name, later, options)
		)
		for name in map(str, features)
	]
	audited = [examine_feature(train[name], alone, options) for name in encodable_columns(train) if name not in FEATURES]
	# A loan that is there twice tells nothing new: bounds are widened, models are fitted on it once.
	digest = pd.util.hash_pandas_object(values.assign(target=context.target), index=False)
	copies, is_first = float(digest.map(digest.value_counts()).mean()), ~digest.duplicated()
	findings = [
		replace(
			f,
			evidence=(*f.evidence, check_strength(f, copies, options), check_against_last_training(f, last, copies, options)),
		)
		for f in findings
	]
	joint = examine_together(train[is_first], values[is_first], {f.feature: f.caught for f in findings}, options)
	findings = [replace(f, evidence=(*f.evidence, *joint.evidence.get(f.feature, ()))) for f in findings]
	# What is not declared cannot be encoded: it has been caught, and is not measured.
	declared = [f for f in findings if f.feature in FEATURES]
	impact = measure_impact(
		values[[f.feature for f in declared]],
		context.target,
		[f.feature for f in declared if f.verdict is not GateVerdict.PASSED],
		[f.feature for f in declared if f.caught],
		options,
	)
	checks = {
		"borrowers": _check_borrowers(loans, is_train, context, options),
		"time_travel": _summarise_dates(later, findings),
		"lineage": _summarise_lineage(findings, len(loans)),
		"last_training": _summarise_last(findings, last),
		"feature_sets": _summarise_sets(joint.sets),
		"audited_columns": _summarise_audit(audited),
	}
	return report_leakage(findings, checks, impact)


def _require_outcomes(target: pd.Series, options: LeakageOptions) -> None:
	bad = int(target.sum())
	rarest = min(bad, len(target) - bad)
	if rarest >= options.folds:
		return
	raise InputError(
		"training loans",
		f"{bad:,} of {len(target):,} were charged off: the leakage gate needs {options.folds} of "
		f"each outcome, one for each fold",
		"Give a portfolio that holds loans of both outcomes",
	)


def _check_borrowers(loans: pd.DataFrame, is_train: pd.Series, context: Context, options: LeakageOptions) -> Check:
	duplicates = find_duplicate_borrowers(loans, is_train, context.folds, options.borrower_keys)
	passed = duplicates.share <= options.max_duplicate_borrowers
	return {
		"passed": passed,
		"statement": f"{duplicates.test_duplicates:,} of {duplicates.test_loans:,} held-out loans "
		f"({duplicates.share:.2%}) share their borrower with a training loan, by equal "
		f"{' or equal '.join(duplicates.keys)}; {options.max_duplicate_borrowers:.2%} may be "
		"coincidence",
		"remedy": "" if passed else "Keep all loans of a borrower on one side of the split, or remove repeated rows",
		**duplicates.as_dict(),
	}


def _summarise_dates(later: Sequence[LaterDates], findings: Sequence[FeatureFinding]) -> Check:
	dated = sum(found.later for found in later if found.used_by)
	unused = [f.column for f in later if f.later and not f.used_by]
	statement = f"{dated:,} dates that a feature uses lie after the decision"
	if unused:
		statement += f"; {', '.join(unused)} does, and no feature uses it"
	return {
		"passed": not _caught_by(findings, "dated_after_decision", "outcome_date"),
		"statement": statement,
		"columns": [found.as_dict() for found in later],
		"caught": _caught_by(findings, "dated_after_decision", "outcome_date"),
	}


def _summarise_lineage(findings: Sequence[FeatureFinding], loans: int) -> Check:
	caught = _caught_by(findings, "lineage", "known_at_decision")
	own = len(findings) - len(_caught_by(findings, "lineage"))
	return {
		"passed": not _caught_by(findings, "lineage"),
		"statement": f"{own} of {len(findings)} features came out the same when computed again "
		f"from their own loan's declared columns alone, without the outcome and without half of "
		f"the {loans:,} loans",
		"caught": caught,
	}


def _summarise_last(findings: Sequence[FeatureFinding], last: LastTraining | None) -> Check:
	caught = _caught_by(findings, "last_training")
	compared = sum("auc_then" in e.figures for f in findings for e in f.evidence)
	told = (
		f"{len(caught)} of {compared} features are much stronger than when {last.label} was trained"
		if last
		else "nothing to compare with: no champion of such loans and this target has kept its leakage report"
	)
	return {"passed": not caught, "statement": told, "caught": caught}


def _summarise_sets(sets: Sequence[Check]) -> Check:
	told = [f"{s['feature_set']} {s['auc']:.3f} ({s['auc_low']:.3f} to {s['auc_high']:.3f})" for s in sets]
	return {
		"passed": all(s["passed"] for s in sets),
		"statement": f"cross-fitted AUC of a boosting model: {', '.join(told) or 'too few outcomes to say'}"
		+ (f"; applications alone allow {sets[0]['limit']:.2f}" if sets else ""),
		"sets": list(sets),
	}


def _summarise_audit(audited: Sequence[FeatureFinding]) -> Check:
	would = [f.feature for f in audited if f.caught]
	return {
		"passed": True,
		"statement": f"{len(audited)} columns that no model uses were examined as well; "
		+ (f"the gate would catch {', '.join(would)}" if would else "the gate would catch none"),
		"columns": [f.as_dict() for f in audited],
	}


def _caught_by(findings: Sequence[FeatureFinding], *tests: str) -> list[str]:
	return [f.feature for f in findings if any(e.test in tests and e.verdict is GateVerdict.CAUGHT for e in f.evidence)]
