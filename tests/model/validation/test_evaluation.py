import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.measures.metrics import measure
from loantap.model.validation.evaluation import (
	EvaluationOptions,
	evaluate_samples,
	make_plain,
	report_calibration,
	trace_curves,
)

OPTIONS = EvaluationOptions(seed=1, as_of="2026-11-23", resamples=200, calibration_bins=10)
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


@pytest.mark.parametrize(
	("given", "expected"),
	[
		(0.123456789, 0.123457),
		(np.float64(1234567.8), 1234570.0),
		(float("nan"), None),
		(np.int64(5), 5),
		(np.bool_(True), True),
		("a text", "a text"),
		(None, None),
		((1, 2.5), [1, 2.5]),
		({1: [np.nan]}, {"1": [None]}),
	],
)
def test_each_kind_of_figure(given, expected):
	made = make_plain(given)

	assert made == expected
	assert type(made) is type(expected)


def test_a_table_is_a_list_of_rows_wherever_it_stands():
	table = pd.DataFrame({"group": pd.Categorical(["OWN", "RENT"]), "n": [3, 4], "auc": [0.7, None]})

	made = make_plain({"groups": table})

	assert made == {"groups": [{"group": "OWN", "n": 3, "auc": 0.7}, {"group": "RENT", "n": 4, "auc": None}]}
	assert json.loads(json.dumps(made, allow_nan=False)) == made


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
