"""Figures and curves of each sample, what calibration changed, and the version that all this speaks of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.metrics import brier_score_loss, log_loss

from loantap.measures.intervals import measure_default_rate, normal_half_width
from loantap.measures.metrics import (
	bootstrap_bounds,
	expected_calibration_error,
	measure,
	perfect_ece_bounds,
	round_significant,
	tabulate_reliability,
	tabulate_thresholds,
	trace_precision_recall,
	trace_roc,
)
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.calibration import Calibration, calibrate_cross_fitted, fit_calibration_out_of_fold
from loantap.model.training.predictions import CROSS_VALIDATION, SAMPLES
from loantap.model.training.splits import TrainingDigests
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.options import DatedOptions, Portion, Seed
from loantap.portfolio.target import Target, find_target, require_lifetime


def make_plain(value: Any) -> Any:
	"""Tables as lists of rows, numbers with six significant digits, None where there is none."""
	match value:
		case pd.DataFrame():
			return make_plain(value.to_dict("records"))
		case Mapping():
			return {str(name): make_plain(inner) for name, inner in value.items()}
		case str() | bool() | None:
			return value
		case Sequence():
			return [make_plain(inner) for inner in value]
		case np.generic():
			return make_plain(value.item())
		case float():
			return None if math.isnan(value) else round_significant(value)
	return value


class EvaluationOptions(DatedOptions):
	"""Uncertainty of the metrics: 95% bounds by a bootstrap, ECE over equal-count bins.

	For `max_instalment_exceptions`, of an external sample, see `SourcesOptions`.
	"""

	seed: Seed
	resamples: Annotated[int, Field(ge=100)]
	calibration_bins: Annotated[int, Field(ge=2)]
	max_instalment_exceptions: Portion = 0.1


Block = dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Curves:
	"""Tables behind a model's plots; all but `thresholds` have one curve per `sample`."""

	roc: pd.DataFrame
	precision_recall: pd.DataFrame
	reliability: pd.DataFrame
	thresholds: pd.DataFrame


def evaluate_samples(predictions: pd.DataFrame, options: EvaluationOptions) -> dict[str, Block | None]:
	"""One block of `metrics.json` per sample; None for a sample without loans.

	Cross-validation has no bounds: its folds share loans. `ece_perfect_low` and `_high` bound a perfect model's ECE.
	"""
	blocks: dict[str, Block | None] = {}
	for sample in SAMPLES:
		rows = predictions[predictions["sample"] == sample]
		blocks[sample] = None if rows.empty else _evaluate(rows, sample, options)
	return blocks


def measure_out_of_fold(predictions: pd.DataFrame) -> Block:
	"""The figures in cross-validation alone, without a bootstrap."""
	rows = predictions[predictions["sample"] == CROSS_VALIDATION]
	found = measure(*_arrays(rows), rows["declined"].to_numpy("bool"))
	return {name: round_significant(value) for name, value in found.as_dict().items()} | {"n": len(rows)}


def trace_curves(predictions: pd.DataFrame, bins: int) -> Curves:
	"""Curves per sample, and the threshold trade-off in cross-validation."""
	present = [s for s in SAMPLES if (predictions["sample"] == s).any()]
	by_sample = {s: _arrays(predictions[predictions["sample"] == s]) for s in present}
	return Curves(
		roc=pd.concat([trace_roc(*by_sample[s]).assign(sample=s) for s in present]),
		precision_recall=pd.concat([trace_precision_recall(*by_sample[s]).assign(sample=s) for s in present]),
		reliability=pd.concat([tabulate_reliability(*by_sample[s], bins).assign(sample=s) for s in present]),
		thresholds=tabulate_thresholds(*by_sample[CROSS_VALIDATION]),
	)


def _evaluate(rows: pd.DataFrame, sample: str, options: EvaluationOptions) -> Block:
	target, pd_ = _arrays(rows)
	declined = rows["declined"].to_numpy()
	figures = measure(target, pd_, declined, options.calibration_bins).as_dict()
	# Out of time each origin has its own.
	figures["threshold"] = float(rows["threshold"].mean())
	figures["ece_perfect_low"], figures["ece_perfect_high"] = perfect_ece_bounds(
		pd_, seed=options.seed, resamples=options.resamples, bins=options.calibration_bins
	)
	if sample != CROSS_VALIDATION:
		low, high = bootstrap_bounds(
			target, pd_, declined, seed=options.seed, resamples=options.resamples, bins=options.calibration_bins
		)
		figures |= {f"{name}_low": value for name, value in low.items()}
		figures |= {f"{name}_high": value for name, value in high.items()}
	return {name: v if name == "n" else round_significant(v) for name, v in figures.items()}


def _arrays(rows: pd.DataFrame) -> tuple[Any, Any]:
	return rows["is_charged_off"].to_numpy(dtype="int64"), rows["probability_of_default"].to_numpy()


def report_calibration(out_of_fold: pd.DataFrame, calibrated: bool, options: EvaluationOptions) -> dict[str, Any]:
	"""What a calibration does to the out-of-fold PDs of the logistic regression.

	Returns:
		`calibrated`, whether the model is served so; `recalibration`, fitted on all folds: whether the test asked for one
		(`used`), `intercept` and `slope`, with 95% Wald bounds where it did, `n`; `before` and `after`, by that of other
		folds: see `measure_calibration`.
	"""
	target = out_of_fold["is_charged_off"].to_numpy("int64")
	log_odds, fold = out_of_fold["log_odds"].to_numpy(), out_of_fold["fold"].to_numpy()
	before = Calibration().apply(log_odds)
	after = calibrate_cross_fitted(target, log_odds, fold)
	return {
		"calibrated": calibrated,
		"recalibration": _describe_recalibration(fit_calibration_out_of_fold(out_of_fold), log_odds),
		"before": measure_calibration(target, before, options),
		"after": measure_calibration(target, after, options),
	}


def measure_calibration(target: IntArray, pd_: FloatArray, options: EvaluationOptions) -> dict[str, Any]:
	"""How well PDs agree with outcomes.

	Returns `n`, `default_rate`, `mean_pd`, `observed_to_expected` (rates with 95% Wilson bounds),
	`ece` beside the range of a perfect model's, `brier`, `log_loss`, and `bins`: one row per
	equal-count bin, from `tabulate_reliability`.
	"""
	default, mean_pd = measure_default_rate(int(target.sum()), len(target)), float(pd_.mean())
	perfect_low, perfect_high = perfect_ece_bounds(
		pd_, seed=options.seed, resamples=options.resamples, bins=options.calibration_bins
	)
	bins = tabulate_reliability(target, pd_, options.calibration_bins)
	named = {"loans": "n", "low": "observed_rate_low", "high": "observed_rate_high"}
	return {
		"n": len(target),
		**default.columns,
		"mean_pd": mean_pd,
		"observed_to_expected": default.rate / mean_pd,
		"observed_to_expected_low": default.low / mean_pd,
		"observed_to_expected_high": default.high / mean_pd,
		"ece": expected_calibration_error(target, pd_, options.calibration_bins),
		"ece_perfect_low": perfect_low,
		"ece_perfect_high": perfect_high,
		"brier": float(brier_score_loss(target, pd_)),
		"log_loss": float(log_loss(target, pd_)),
		"bins": bins.rename(columns=named),
	}


def _describe_recalibration(calibration: Calibration, log_odds: FloatArray) -> dict[str, Any]:
	described: dict[str, Any] = {"n": len(log_odds), "used": calibration != Calibration()}
	widths = _half_widths(calibration, log_odds)
	for (name, value), width in zip(asdict(calibration).items(), widths, strict=True):
		described[name] = value
		if described["used"]:
			described |= {f"{name}_low": value - width, f"{name}_high": value + width}
	return described


def _half_widths(calibration: Calibration, log_odds: FloatArray) -> FloatArray:
	pd_ = calibration.apply(log_odds)
	design = np.column_stack([np.ones_like(log_odds), log_odds])
	information = (design * (pd_ * (1 - pd_))[:, None]).T @ design
	return normal_half_width(np.sqrt(np.diag(np.linalg.inv(information))))


@dataclass(frozen=True, slots=True)
class JudgedModel:
	"""The version whose predictions are evaluated: this run's, or that of the last training.

	Attributes:
		champion: the version that decides now, if any.
		training: None where the version does not carry the loans it was trained on.
	"""

	name: str
	version: str
	is_new: bool
	champion: str
	predictions: pd.DataFrame
	training_report: Mapping[str, Any]
	scorer: Scorer | None = None
	training: TrainingDigests | None = None

	def __str__(self) -> str:
		return f"{self.name} version {self.version}"

	@property
	def lending_scorer(self) -> Scorer:
		"""The scorer of a model that may be lent on."""
		if self.scorer is None:
			raise ValueError(f"{self} is not for lending")
		return self.scorer

	@property
	def target(self) -> Target:
		"""Its target."""
		return find_target(self.training_report)

	@property
	def lifetime_predictions(self) -> pd.DataFrame:
		"""Its predictions; InputError where its PDs are none over the life."""
		require_lifetime(self.target, f"model {self}")
		return self.predictions

	def tell_standing(self, *, promoted: bool) -> str:
		"""Whether it decides, or else which version does; `promoted` is what the rule said."""
		from_real = self.champion and not self.champion.split()[0].endswith("-demo")
		if from_real and self.name.endswith("-demo"):
			return f"Not champion: {self.champion}, which learnt from real loans, decides. This page is not about it"
		if self.is_new and promoted:
			return "Champion from the end of this run on"
		if self.champion == str(self):
			return "Champion"
		if self.champion:
			return f"Not champion: {self.champion} decides. This page is not about it"
		return "Not champion, and no other version is"
