"""`vintage_analysis.json`: models out of time, by vintage, and elsewhere."""

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from loantap.measures.auc import MIN_FOR_AUC, bootstrap_aucs, quantile_bounds
from loantap.measures.intervals import measure_stability
from loantap.measures.metrics import round_significant
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.options import OutOfTimeOptions
from loantap.model.validation.evaluation import EvaluationOptions, JudgedModel
from loantap.model.validation.vintages import Judgement, VintageAnalysis, judge
from loantap.portfolio.arrays import IntArray
from loantap.portfolio.cleaning import describe_problems, mark_outcome
from loantap.portfolio.contradictions import TERMS, count_exceptions, require_few_exceptions
from loantap.portfolio.dictionary import COLUMNS, RUNNING
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import list_faults, parse, require_columns
from loantap.portfolio.units import require_known_units

logger = logging.getLogger(__name__)

_WHERE = "external sample"
_SHOWN = 5
# What judges a model on the portfolio, beside what the model itself needs.
_JUDGING = ("loan_status", "issue_month", "interest_rate_pct")


@dataclass(frozen=True, slots=True)
class ExternalResult:
	"""One model on one external sample, with 95% intervals.

	Attributes:
		judgement: default rate, ECE and observed to expected are another population's, and say nothing about
			calibration.
		rate_roc_auc: AUC of the interest rate alone, on the same loans.
		auc_gain: AUC of the model less that of the rate, by a paired bootstrap.
		psi: of the PDs against those of the loans trained on.
		is_overlap_checked: that none was trained on; False where the version carries no loans.
	"""

	model_name: str
	model_version: str
	first_issue_month: date
	last_issue_month: date
	judgement: Judgement
	rate_roc_auc: float
	rate_roc_auc_low: float
	rate_roc_auc_high: float
	auc_gain: float
	auc_gain_low: float
	auc_gain_high: float
	psi: float
	psi_low: float
	psi_high: float
	training_loans: int
	is_overlap_checked: bool

	def as_dict(self) -> dict[str, object]:
		"""Figures by name, those of the judgement among them."""
		own = {name: value for name, value in asdict(self).items() if name != "judgement"}
		return own | asdict(self.judgement)


def measure_external(
	external: pd.DataFrame, trained_on: pd.DataFrame, model: JudgedModel, options: EvaluationOptions
) -> ExternalResult:
	"""Score an external sample, and compare with the interest rate alone.

	`external`: resolved loans in LoanTap format; what the model needs, `loan_status`, `issue_d` and `int_rate` are
	read. `trained_on`: typed canonical columns.

	Raises:
		InputError: a column is missing or in another unit, a value or too many instalments cannot be right, an outcome
			has too few loans, or the model was trained on some of them.
	"""
	scorer = model.lending_scorer
	rows = _read(external, scorer, options)
	is_checked = _require_external(rows, model)
	target = mark_outcome(rows["loan_status"]).to_numpy("int64")
	_require_outcomes(target)
	pd_ = scorer.assess_columns(rows, options.day).probability_of_default
	rate = rows["interest_rate_pct"].to_numpy()
	# By bootstrap, since the gain is that of two scores on the same loans.
	drawn = bootstrap_aucs(target, np.stack([pd_, rate]), seed=options.seed, resamples=options.resamples)
	rate_auc = float(roc_auc_score(target, rate))
	rate_low, rate_high = quantile_bounds(drawn[:, 1])
	gain_low, gain_high = quantile_bounds(drawn[:, 0] - drawn[:, 1])
	stability = measure_stability(scorer.assess_columns(trained_on, options.day).probability_of_default, pd_)
	return ExternalResult(
		model_name=scorer.name,
		model_version=scorer.version,
		first_issue_month=rows["issue_month"].min().date(),
		last_issue_month=rows["issue_month"].max().date(),
		judgement=judge(target, pd_, options),
		rate_roc_auc=rate_auc,
		rate_roc_auc_low=rate_low,
		rate_roc_auc_high=rate_high,
		auc_gain=float(roc_auc_score(target, pd_)) - rate_auc,
		auc_gain_low=gain_low,
		auc_gain_high=gain_high,
		psi=stability.psi,
		psi_low=stability.low,
		psi_high=stability.high,
		training_loans=len(trained_on),
		is_overlap_checked=is_checked,
	)


def _read(external: pd.DataFrame, scorer: Scorer, options: EvaluationOptions) -> pd.DataFrame:
	names = dict.fromkeys([*(column.name for column in scorer.columns), *_JUDGING])
	columns = [COLUMNS[name] for name in names]
	require_columns(external, columns, _WHERE)
	if external.empty:
		raise InputError(_WHERE, "it has no rows", "Give a file with loans in it")
	loans = external.reset_index(drop=True)
	parsed = parse(loans, columns, options.day)
	problems = describe_problems(parsed.problems, loans.index)
	is_running = parsed.rows["loan_status"].isin(RUNNING)
	running = pd.Series("its loan still runs", loans.index, dtype="str").where(is_running)
	reasons = list_faults(loans).fillna(problems).fillna(running).dropna()
	if len(reasons):
		first = reasons.head(_SHOWN).items()
		shown = "; ".join(f"row {int(str(row)) + 1:,}: {reason}" for row, reason in first)
		more = f"; and {len(reasons) - _SHOWN:,} more" if len(reasons) > _SHOWN else ""
		raise InputError(
			_WHERE, f"{len(reasons):,} of {len(external):,} rows cannot be used ({shown}{more})", "Correct or remove them"
		)
	require_known_units(parsed.rows, _WHERE)
	if set(TERMS) <= set(parsed.rows.columns):
		exceptions, most = count_exceptions(parsed.rows), options.max_instalment_exceptions
		name = "evaluation.max_instalment_exceptions"
		require_few_exceptions(_WHERE, exceptions, len(parsed.rows), most, name)
	return parsed.rows


def _require_external(rows: pd.DataFrame, model: JudgedModel) -> bool:
	training = model.training
	if training is None or not set(training.columns) <= set(rows.columns):
		logger.warning(
			"%s has no record of the loans it was trained on, so nobody can check whether loans of "
			"the external sample are among them. A version trained with this release has one",
			model,
		)
		return False
	shared = training.count_shared(rows)
	if shared:
		raise InputError(
			_WHERE,
			f"{shared:,} of its {len(rows):,} loans are among those that {model} was trained on",
			"Take them out: a model always does well on what it has seen",
		)
	return True


def _require_outcomes(target: IntArray) -> None:
	charged_off = int(target.sum())
	if min(charged_off, len(target) - charged_off) < MIN_FOR_AUC:
		raise InputError(
			_WHERE,
			f"{charged_off:,} of its {len(target):,} loans are charged off, and an AUC needs "
			f"{MIN_FOR_AUC} loans of each outcome",
			"Give a portfolio with more loans",
		)


# What must be read beside the figures, wherever they show.
CAVEATS: Final = MappingProxyType(
	{
		"rolling_origin": (
			"The outcomes of loans issued before an origin are taken as known, though some were "
			"settled only after it. So the figures are a little better than a lender would have "
			"seen at the time. Beside each origin stands how many loans were settled by then."
		),
		"rolling_origin_settled": (
			"Models are trained on loans whose contract had ended before the origin, so nothing "
			"is taken as known that was not; their loans are one term older than in models in use."
		),
		"vintages": (
			"Predicted by models that did not see the loan but saw others of its year. Of a "
			"vintage whose contracts had not ended when the portfolio was extracted, the table "
			"holds only the loans that ended early: resolved only, level not interpretable."
		),
		"external": (
			"Another population: only the ranking can be compared. Default rate, calibration "
			"error and observed to expected reflect that population's level, and raise no alarm."
		),
	}
)
# In place of that on vintages, where loans have the target whatever became of them since.
COMPLETE: Final = "Every loan counts whose window has closed: levels of all vintages can be read."


def report_vintages(
	analysis: Mapping[str, VintageAnalysis],
	external: Mapping[str, Iterable[ExternalResult]],
	window: OutOfTimeOptions,
	origin: str,
) -> dict[str, Any]:
	"""The report as JSON: six significant digits, None where there are too few loans."""
	caveats = dict(CAVEATS)
	settled = caveats.pop("rolling_origin_settled")
	if window.settled_only:
		caveats["rolling_origin"] = settled
	if not any(list(results) for results in external.values()):
		caveats.pop("external")
	return {
		"origin": origin,
		"definition": window.model_dump(mode="json"),
		"caveats": caveats,
		"models": {name: _report(one, list(external[name])) for name, one in analysis.items()},
	}


def _report(analysis: VintageAnalysis, external: list[ExternalResult]) -> dict[str, Any]:
	report: dict[str, Any] = {
		"rolling_origin": {
			"pooled": None if analysis.pooled is None else _plain(asdict(analysis.pooled)),
			"origins": _records(analysis.origins),
		},
		"vintages": _records(analysis.vintages),
	}
	for result in external:
		report["external"] = _plain(result.as_dict())
	return report


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
	return [_plain({str(k): v for k, v in row.items()}) for row in table.to_dict("records")]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
	return {name: _plain_value(name, value) for name, value in row.items()}


def _plain_value(name: str, value: Any) -> Any:
	if isinstance(value, date):
		return f"{value:%Y-%m}"
	if isinstance(value, float):
		if math.isnan(value):
			return None
		return int(value) if name in {"n", "charged_off"} else round_significant(value)
	return value
