"""Reliability of a model before and after its calibration."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss, log_loss

from loantap.measures.curves import tabulate_reliability
from loantap.measures.intervals import measure_default_rate, normal_half_width
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.model.training.calibration import Calibration, calibrate_cross_fitted, fit_calibration_out_of_fold
from loantap.model.validation.options import EvaluationOptions
from loantap.portfolio.arrays import FloatArray, IntArray


def report_calibration(out_of_fold: pd.DataFrame, calibrated: bool, options: EvaluationOptions) -> dict[str, Any]:
  """What a calibration does to the out-of-fold PDs of the logistic regression.

  `calibrated` says whether the model is served with its calibration.

  Returns:
      `calibrated`; `recalibration`, the one fitted on all folds: whether the test asked for one (`used`), its
      `intercept` and `slope`, with 95% Wald bounds where it did, and `n`; `before` and `after`, the latter by the
      recalibration of the other folds: what `measure_calibration` returns.
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
