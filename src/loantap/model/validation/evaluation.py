"""Metrics and curves of a model's predictions, sample by sample."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.measures.curves import tabulate_reliability, trace_precision_recall, trace_roc
from loantap.measures.metrics import bootstrap_bounds, measure, perfect_ece_bounds, round_significant
from loantap.measures.threshold import tabulate_thresholds
from loantap.model.training.predictions import CROSS_VALIDATION, SAMPLES
from loantap.model.validation.options import EvaluationOptions

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

  Cross-validation has no bounds: its folds share loans. `ece_perfect_low` and `ece_perfect_high`
  bound the ECE of a perfect model of the same PDs. Numbers carry six significant digits.
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
