import numpy as np
import pandas as pd
import pytest

from loantap.measures.metrics import measure
from loantap.model.validation.evaluation import evaluate_samples, trace_curves
from loantap.model.validation.options import EvaluationOptions

OPTIONS = EvaluationOptions(seed=1, as_of="2026-11-23", resamples=100, calibration_bins=10)
# The contract of the design: these and no others.
KEYS = {
  "n",
  "default_rate",
  "roc_auc",
  "average_precision",
  "ks",
  "brier",
  "ece",
  "threshold",
  "accuracy",
  "precision",
  "recall",
  "f2",
  "f2_decline_all",
  "approval_rate",
  "default_rate_approved",
  "ece_perfect_low",
  "ece_perfect_high",
}
PERFECT = {"ece_perfect_low", "ece_perfect_high"}
BOUNDED = KEYS - {"n", "threshold"} - PERFECT


def make_sample(sample, loans, seed):
  rng = np.random.default_rng(seed)
  pd_ = rng.beta(1.6, 6.8, loans)
  return pd.DataFrame(
    {
      "loan_id": pd.Series([f"{sample}-{n}" for n in range(loans)], dtype="str"),
      "sample": pd.Series([sample] * loans, dtype="str"),
      "fold": np.arange(loans) % 3 if sample == "cv" else np.full(loans, -1),
      "is_charged_off": (rng.random(loans) < pd_).astype("int8"),
      "probability_of_default": pd_,
      "threshold": 0.123456789,
      "declined": pd_ >= 0.123456789,
    }
  )


@pytest.fixture(scope="module")
def predictions():
  samples = [("cv", 1_000), ("test", 600), ("out_of_time", 500)]
  return pd.concat([make_sample(name, loans, seed) for seed, (name, loans) in enumerate(samples)], ignore_index=True)


@pytest.fixture(scope="module")
def blocks(predictions):
  return evaluate_samples(predictions, OPTIONS)


@pytest.fixture(scope="module")
def curves(predictions):
  return trace_curves(predictions, bins=10)


# The folds of cross-validation share training loans: a bootstrap would call it surer than it is.
@pytest.mark.parametrize(("sample", "bounded"), [("cv", set()), ("test", BOUNDED), ("out_of_time", BOUNDED)])
def test_each_sample_has_the_agreed_figures_with_bounds_but_for_cross_validation(sample, bounded, blocks):
  assert set(blocks[sample]) == KEYS | {f"{name}_{side}" for name in bounded for side in ("low", "high")}


@pytest.mark.parametrize("sample", ["cv", "test", "out_of_time"])
def test_figures_are_those_of_the_sample_s_own_loans(sample, blocks, predictions):
  rows = predictions[predictions["sample"] == sample]

  expected = measure(
    rows["is_charged_off"].to_numpy("int64"), rows["probability_of_default"].to_numpy(), rows["declined"].to_numpy()
  ).as_dict()

  assert {k: blocks[sample][k] for k in expected} == pytest.approx(expected, rel=1e-5)


def test_the_number_of_loans_is_whole_and_all_else_has_six_significant_digits(blocks):
  for block in blocks.values():
    assert isinstance(block["n"], int)
    assert block["threshold"] == 0.123457
    for name, value in block.items():
      assert name == "n" or value == float(f"{value:.6g}"), name


def test_each_sample_has_its_curve(curves, predictions):
  for table in (curves.roc, curves.precision_recall, curves.reliability):
    assert list(table["sample"].unique()) == ["cv", "test", "out_of_time"]
  loans = curves.reliability.groupby("sample")["loans"].sum()
  assert loans.to_dict() == predictions["sample"].value_counts().to_dict()


def test_a_sample_without_loans_has_no_block(predictions):
  blocks = evaluate_samples(predictions[predictions["sample"] != "out_of_time"], OPTIONS)

  assert blocks["out_of_time"] is None
  assert blocks["test"] is not None


def test_the_trade_off_is_that_of_cross_validation(curves, predictions):
  only_cv = trace_curves(predictions[predictions["sample"] == "cv"], bins=10)

  pd.testing.assert_frame_equal(only_cv.thresholds, curves.thresholds)
  assert list(only_cv.roc["sample"].unique()) == ["cv"]
