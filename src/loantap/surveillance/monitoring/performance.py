"""How right the model is: expected of its own PDs at once, and realised once loans have ended."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from loantap.measures.auc import area_of_ranks, measure_auc, standard_error_of_counts
from loantap.measures.intervals import Z95, measure_default_rate, two_sided_z, wilson_bounds
from loantap.model.scoring.profile import TrainingProfile
from loantap.policy.decisions import Decider
from loantap.policy.money.cash_flows import VALUED_BY, Economics, PaidLife
from loantap.policy.money.returns import TERMS, estimate_mean, impute_flows
from loantap.portfolio.arrays import FloatArray
from loantap.surveillance.monitoring.checks import Check, judge
from loantap.surveillance.monitoring.decisions import OUTCOME_COLUMNS
from loantap.surveillance.monitoring.options import PerformanceOptions


@dataclass(frozen=True, slots=True)
class Expected:
	"""What calibrated PDs say of themselves; `low` and `high` bound 95% of the AUCs that may be realised.

	Attributes:
		roc_auc: NaN where the PDs expect less than one loan of an outcome.
		default_rate: mean PD.
	"""

	n: int
	default_rate: float
	roc_auc: float
	low: float
	high: float


def expect_performance(probability_of_default: FloatArray) -> Expected:
	"""Confidence-based performance estimation (CBPE) of the AUC; at least one PD, none missing.

	Each loan counts as charged off with its PD and as paid with the rest; a pair of loans counts where the first has
	the higher PD, half where both are equal. It holds as long as the PDs are calibrated: where applicants change, but
	not what a given applicant does (covariate shift). Where that changes too, only outcomes show it.
	"""
	p, n = probability_of_default, len(probability_of_default)
	bad, alone = float(p.sum()), float(p @ (1 - p))
	good, mean = n - bad, bad / n
	# No loan makes a pair with itself, which would count half.
	pairs = bad * good - alone
	if pairs <= 0 or min(bad, good) < 1:
		return Expected(n, mean, np.nan, np.nan, np.nan)
	rank = np.unique(p, return_inverse=True)[1]
	area = (area_of_ranks(rank, p, 1 - p) * bad * good - alone / 2) / pairs
	half = Z95 * standard_error_of_counts(area, bad, good)
	return Expected(n, mean, area, max(area - half, 0.0), min(area + half, 1.0))


def check_expected(
	decisions: pd.DataFrame, profile: TrainingProfile, model: str, options: PerformanceOptions
) -> list[Check]:
	"""AUC and default rate that the PDs of this `model` expect of themselves, beside those of its training."""
	pd_ = decisions.loc[decisions["model"].eq(model), "probability_of_default"].dropna().to_numpy()
	if len(pd_) < options.min_rows:
		words = f"the AUC cannot be expected of {len(pd_):,} decisions; {options.min_rows:,} are asked for"
		return [Check(subject="all decisions", what="expected_auc", n=len(pd_), words=words)]
	found = expect_performance(pd_)
	if np.isnan(found.roc_auc):
		words = f"the AUC cannot be expected of PDs of {found.default_rate:.2%}: less than one loan of an outcome is"
		return [Check(subject="all decisions", what="expected_auc", n=found.n, words=words)]
	limit = profile.roc_auc - options.auc_drop
	return [
		Check(
			subject="all decisions",
			what="expected_auc",
			verdict=judge(is_alarm=found.high < min(profile.roc_auc_low, limit)),
			value=found.roc_auc,
			low=found.low,
			high=found.high,
			limit=limit,
			n=found.n,
			against_n=profile.n,
			words=f"on these {found.n:,} applications the model should rank with an AUC of {found.roc_auc:.3f}; at "
			f"training it was {profile.roc_auc:.3f}. Expected of its own PDs, as long as these are right",
		),
		Check(
			subject="all decisions",
			what="expected_default_rate",
			verdict=judge(is_alarm=False),
			value=found.default_rate,
			n=found.n,
			against_n=profile.n,
			words=f"the PDs expect {found.default_rate:.1%} of all {found.n:,} applicants to default; of the loans trained "
			f"on {profile.default_rate:.1%} did",
		),
	]


def join_outcomes(decisions: pd.DataFrame, loans: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
	"""Decisions whose loan is known and matured: one row each, the last decision on each application.

	`decisions` has `OUTCOME_COLUMNS`, `loans` the identifier, outcome and terms, one row per resolved loan. A loan is
	matured when its contract has ended: of the others only early ends are known. A decision made after the month of
	issue does not count: it may know the outcome, as a model does that was trained on it.
	"""
	known = decisions[list(OUTCOME_COLUMNS)].dropna(subset=["application_id", "probability_of_default"])
	latest = known.sort_values("decided_at", kind="stable").drop_duplicates("application_id", keep="last")
	joined = latest.merge(loans[["loan_id", *TERMS]], left_on="application_id", right_on="loan_id")
	months = (as_of.year - joined["issue_month"].dt.year) * 12 + as_of.month - joined["issue_month"].dt.month
	is_before = joined["decided_at"] < (joined["issue_month"] + pd.offsets.MonthBegin(1)).dt.tz_localize("UTC")
	matured: pd.DataFrame = joined[(months >= joined["term_months"]) & is_before].reset_index(drop=True)
	return matured


def check_matured(
	matured: pd.DataFrame, profile: TrainingProfile, model: str, options: PerformanceOptions
) -> Iterator[Check]:
	"""Realised AUC and calibration of this `model` by issue year, on `join_outcomes`; false alarms as `options` allows.

	What another version got wrong says nothing of this one.
	"""
	matured = matured[matured["model"].eq(model)]
	if matured.empty:
		words = "no loan that this version decided on has matured yet"
		yield Check(subject="matured loans", what="roc_auc", n=0, words=words)
		return
	vintages = matured.groupby(matured["issue_month"].dt.year)
	share = options.false_alarms / (2 * len(vintages))
	for year, rows in vintages:
		yield _check_auc(f"issued {year}", rows, profile, options, share)
		yield _check_calibration(f"issued {year}", rows, options, share)


def _check_auc(
	subject: str, rows: pd.DataFrame, profile: TrainingProfile, options: PerformanceOptions, share: float
) -> Check:
	target, pd_ = rows["is_charged_off"].to_numpy("int64"), rows["probability_of_default"].to_numpy()
	area, low, high = measure_auc(target, pd_)
	if len(rows) < options.min_rows or np.isnan(area):
		words = f"{subject}: {len(rows):,} matured loans are too few for an AUC"
		return Check(subject=subject, what="roc_auc", n=len(rows), words=words)
	# Loans were made of applicants whom the policy accepted: these are more alike, and harder to rank, than all.
	attainable = float(np.fmin(profile.roc_auc, expect_performance(pd_).roc_auc))
	limit = attainable - options.auc_drop
	bad = int(target.sum())
	is_lower = area + two_sided_z(share) * standard_error_of_counts(area, bad, len(rows) - bad) < limit
	return Check(
		subject=subject,
		what="roc_auc",
		verdict=judge(is_alarm=is_lower),
		value=area,
		low=low,
		high=high,
		limit=limit,
		n=len(rows),
		against_n=profile.n,
		words=f"{subject}: the model ranked {len(rows):,} matured loans with an AUC of {area:.3f} "
		f"({low:.3f} to {high:.3f}), where {attainable:.3f} was to be expected",
	)


def _check_calibration(subject: str, rows: pd.DataFrame, options: PerformanceOptions, share: float) -> Check:
	n, bad = len(rows), int(rows["is_charged_off"].sum())
	expected = float(rows["probability_of_default"].mean())
	seen = measure_default_rate(bad, n)
	low, high = (float(bound) for bound in wilson_bounds(bad, n, two_sided_z(share)))
	gap = max(low - expected, expected - high)
	return Check(
		subject=subject,
		what="calibration",
		verdict=judge(n, options.min_rows, is_alarm=gap > options.calibration_gap),
		value=seen.rate,
		low=seen.low,
		high=seen.high,
		limit=expected,
		n=n,
		words=f"{subject}: {seen.rate:.1%} of {n:,} matured loans were charged off ({seen.low:.1%} to {seen.high:.1%}); "
		f"the PDs had expected {expected:.1%}",
	)


def check_money(matured: pd.DataFrame, decider: Decider, economics: Economics, options: PerformanceOptions) -> Check:
	"""What the loans that the policy in force would have approved earned, imputed, beside what it would have expected."""
	decided = decider.decide_columns(*(matured[name].to_numpy(float) for name in VALUED_BY))
	approved, n = matured[decided.approves], int(decided.approves.sum())
	if n < options.min_rows:
		words = f"the policy in force would have approved {n:,} of the {len(matured):,} loans that have matured: too few"
		return Check(subject="policy", what="profit", n=n, words=words)
	flows = impute_flows(approved, decider.scenario, economics, PaidLife.CAPPED)
	earned, expected = estimate_mean(flows.npv), float(decided.expected_npv[decided.approves].mean())
	return Check(
		subject="policy",
		what="profit",
		verdict=judge(is_alarm=earned.high < min(expected, 0.0)),
		**asdict(earned),
		limit=0.0,
		n=n,
		against_n=len(matured),
		words=f"the policy in force would have approved {n:,} of the {len(matured):,} loans that have matured; these "
		f"earned {earned.value:,.0f} each ({earned.low:,.0f} to {earned.high:,.0f}, imputed), where {expected:,.0f} was to "
		"be expected",
	)
