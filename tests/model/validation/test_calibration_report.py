import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.model.validation.calibration_report import report_calibration
from loantap.model.validation.options import EvaluationOptions

OPTIONS = EvaluationOptions(seed=1, as_of="2026-11-23", resamples=200, calibration_bins=10)
# Balanced classes move the log-odds by about the log of four paid loans per default.
SMOTE_SHIFT = np.log(4)


def draw(loans=5_000, shift=0.0, slope=1.0):
  """Out-of-fold log-odds that are off by a line, and outcomes drawn from the right ones."""
  rng = np.random.default_rng(5)
  right = rng.normal(-1.6, 0.8, loans)
  return pd.DataFrame(
    {
      "is_charged_off": (rng.random(loans) < expit(right)).astype("int8"),
      "log_odds": shift + slope * right,
      "fold": np.arange(loans) % 5,
    }
  )


def fit_lines(out_of_fold, weights):
  """Intercepts and slopes of greatest likelihood, one for each row of weights: by Newton."""
  given = np.column_stack([np.ones(len(out_of_fold)), out_of_fold["log_odds"]])
  lines = np.tile([0.0, 1.0], (len(weights), 1))
  for _ in range(12):
    expected = expit(lines @ given.T)
    slopes = (weights * (out_of_fold["is_charged_off"].to_numpy() - expected)) @ given
    curvature = np.einsum("wl,li,lj->wij", weights * expected * (1 - expected), given, given)
    lines += np.linalg.solve(curvature, slopes[..., None])[..., 0]
  return lines


def test_where_smote_distorts_pds_the_line_undoes_the_shift_and_has_bounds():
  distorted = report_calibration(draw(shift=SMOTE_SHIFT), calibrated=True, options=OPTIONS)

  after, line = distorted["after"], distorted["recalibration"]
  assert after["observed_to_expected_low"] < 1 < after["observed_to_expected_high"]
  assert after["ece"] < after["ece_perfect_high"]
  assert (line["used"], line["n"]) == (True, 5_000)
  assert line["intercept_low"] < -SMOTE_SHIFT < line["intercept_high"]
  assert line["slope_low"] < 1 < line["slope_high"]
  assert line["slope_low"] < line["slope"] < line["slope_high"]


def test_where_pds_are_sound_no_line_is_used_and_none_has_bounds():
  sound = report_calibration(draw(), calibrated=True, options=OPTIONS)

  assert sound["recalibration"] == {"n": 5_000, "used": False, "intercept": 0.0, "slope": 1.0}


def test_the_bounds_of_the_line_are_those_of_a_bootstrap():
  out_of_fold = draw(1_500, shift=SMOTE_SHIFT)
  line = report_calibration(out_of_fold, calibrated=True, options=OPTIONS)["recalibration"]
  # How often each of 1,500 loans is drawn, 600 times.
  drawn = np.random.default_rng(7).multinomial(1_500, np.full(1_500, 1 / 1_500), size=600)
  spread = fit_lines(out_of_fold, drawn).std(axis=0)
  [fitted] = fit_lines(out_of_fold, np.ones((1, 1_500)))

  for name, expected, error in zip(("intercept", "slope"), fitted, spread, strict=True):
    assert line[name] == pytest.approx(expected, abs=1e-4)
    width = line[f"{name}_high"] - line[f"{name}_low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.08)
