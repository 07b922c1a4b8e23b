import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from loantap.reporting.figures.evaluation import (
	Score,
	plot_before_and_after,
	plot_calibration,
	plot_precision_recall,
	plot_roc,
	plot_thresholds,
	plot_vintages,
)
from loantap.reporting.figures.frame import Title, embed_svg
from loantap.reporting.figures.interval_plot import compare, make_rate_axis, make_ratio_axis, place_rates
from loantap.reporting.formatting import (
	NOTHING,
	decimal,
	decimal_interval,
	explain_segmentation,
	name_segmentation,
	percent,
)

LENDING = Title("lending", "real", 4_715, not_for_lending=False)
DEMO_BENCHMARK = Title("benchmark", "simulated", 20_000, not_for_lending=True)

AUC = {"cv": Score(0.75, 4_715), "out_of_time": Score(0.6, 1_357)}
ROC = pd.DataFrame(
	{
		"sample": ["cv"] * 3 + ["out_of_time"] * 3,
		"false_positive_rate": [0, 0.2, 1, 0, 0.4, 1],
		"true_positive_rate": [0, 0.7, 1, 0, 0.6, 1],
	}
)
AVERAGE_PRECISION = {"test": Score(0.4, 524)}
PRECISION_RECALL = pd.DataFrame({"sample": ["test"] * 3, "recall": [1, 0.5, 0], "precision": [0.2, 0.4, 1]})
RELIABILITY = pd.DataFrame(
	{
		"sample": ["cv", "cv"],
		"mean_pd": [0.1, 0.3],
		"observed_rate": [0.0, 0.35],
		"low": [0.0, 0.25],
		"high": [0.04, 0.45],
		"loans": [100, 101],
	}
)
BINS = RELIABILITY.drop(columns="sample")
RAISED = BINS.assign(mean_pd=[0.4, 0.7])
THRESHOLDS = pd.DataFrame(
	{
		"threshold": [0.1, 0.2, 0.3],
		"f2": [0.5, 0.6, 0.4],
		"precision": [0.3, 0.4, 0.5],
		"recall": [0.9, 0.7, 0.4],
		"approval_rate": [0.3, 0.6, 0.9],
		"default_rate_approved": [0.05, 0.1, 0.18],
	}
)


def lines_of(figure):
	return {line.get_label(): line for line in figure.axes[0].get_lines()}


def draw_all(title):
	return [
		plot_roc(ROC, AUC, title),
		plot_precision_recall(PRECISION_RECALL, AVERAGE_PRECISION, title),
		plot_calibration(RELIABILITY, title),
		plot_before_and_after(RAISED, BINS, title, calibrated=True),
		plot_thresholds(THRESHOLDS, 0.2, 0.54, title),
	]


def test_the_roc_curve_draws_the_points_of_each_sample_under_its_readable_name():
	lines = lines_of(plot_roc(ROC, AUC, LENDING))

	cross_validation = lines["cross-validation, n = 4,715, AUC 0.750"]
	assert cross_validation.get_xdata().tolist() == [0, 0.2, 1]
	assert cross_validation.get_ydata().tolist() == [0, 0.7, 1]
	out_of_time = lines["out of time, n = 1,357, AUC 0.600"]
	assert out_of_time.get_xydata().tolist() == [[0, 0], [0.4, 0.6], [1, 1]]
	assert len(lines) == 3  # and chance


def test_calibration_draws_each_bin_with_its_interval_and_the_diagonal():
	figure = plot_calibration(RELIABILITY, LENDING)

	(bins,) = figure.axes[0].containers
	dots, _, (bars,) = bins
	assert dots.get_xydata().tolist() == [[0.1, 0.0], [0.3, 0.35]]
	bounds = [segment[:, 1].tolist() for segment in bars.get_segments()]
	np.testing.assert_allclose(bounds, [[0.0, 0.04], [0.25, 0.45]], atol=1e-12)
	assert bins.get_label() == "cross-validation, n = 201 in bins of 100 to 101"
	diagonal = lines_of(figure)["perfect"].get_xydata()
	assert (diagonal[:, 0] == diagonal[:, 1]).all()


def test_a_bound_that_misses_its_rate_by_a_rounding_error_is_drawn_at_the_rate():
	rounded = RELIABILITY.assign(low=[1e-17, 0.25])

	(bins,) = plot_calibration(rounded, LENDING).axes[0].containers

	assert bins[2][0].get_segments()[0][0, 1] == 0


@pytest.mark.parametrize(
	("calibrated", "labels"), [(True, ["before", "after, as served"]), (False, ["before, as served", "after"])]
)
def test_before_and_after_shows_both_and_which_one_is_served(calibrated, labels):
	figure = plot_before_and_after(RAISED, BINS, LENDING, calibrated=calibrated)

	before, after = figure.axes[0].containers
	assert before[0].get_xdata().tolist() == [0.4, 0.7]
	assert after[0].get_xdata().tolist() == [0.1, 0.3]
	shown = [bins.get_label().split(", n =")[0] for bins in (before, after)]
	assert shown == labels
	# Wide enough for the more distorted of the two.
	assert figure.axes[0].get_xlim() == (0, pytest.approx(0.7 * 1.05))
	assert before[0].get_marker() != after[0].get_marker()


def test_thresholds_draws_what_each_means_the_chosen_one_and_what_declining_all_scores():
	lines = lines_of(plot_thresholds(THRESHOLDS, 0.2, 0.54, LENDING))

	assert set(lines["chosen threshold, 20.0%"].get_xdata()) == {0.2}
	decline_all = lines["F2 of declining everybody, 0.540"]
	assert set(decline_all.get_ydata()) == {0.54}
	assert decline_all.is_dashed()
	for label, column in (
		("F2", "f2"),
		("approval rate", "approval_rate"),
		("default rate among the approved", "default_rate_approved"),
	):
		drawn = THRESHOLDS[["threshold", column]].values.tolist()
		assert lines[label].get_xydata().tolist() == drawn


@pytest.mark.parametrize(
	("title", "said", "unsaid"),
	[
		(LENDING, "lending, n = 4,715", ("SIMULATED", "not for")),
		(Title("lending", "real", None, not_for_lending=False), "lending", ("n =",)),
		(DEMO_BENCHMARK, "SIMULATED DATA · not for lending", ()),
	],
	ids=["real", "curves with their own n", "demo benchmark"],
)
def test_every_figure_names_its_model_its_loans_and_what_it_is_not_for(title, said, unsaid):
	for figure in draw_all(title):
		axes = figure.axes[0]
		words = [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]
		assert said in words
		assert not any(part in text for part in unsaid for text in words)


def test_the_same_figure_gives_the_same_bytes_and_leaves_the_settings_alone():
	before = dict(mpl.rcParams)

	first, second = ([embed_svg(figure) for figure in draw_all(DEMO_BENCHMARK)] for _ in range(2))

	assert first == second
	assert first[0].startswith("data:image/svg+xml;base64,")
	assert dict(mpl.rcParams) == before


def with_bounds(table, *names):
	bounds = {f"{n}_low": table[n] - 0.05 for n in names}
	return table.assign(**bounds, **{f"{n}_high": table[n] + 0.06 for n in names})


ORIGINS = with_bounds(
	pd.DataFrame(
		{
			"origin": pd.to_datetime(["2012-07-01", "2013-01-01", "2013-07-01"]),
			"until": pd.to_datetime(["2012-12-01", "2013-06-01", "2013-12-01"]),
			"n": [np.nan, 439, 612],
			"roc_auc": [np.nan, 0.65, 0.67],
		}
	),
	"roc_auc",
)
VINTAGES = with_bounds(
	pd.DataFrame(
		[
			(2009, 36, True, 12, 0.1, 0.12, np.nan),
			(2012, 36, True, 454, 0.18, 0.16, 0.62),
			(2013, 36, True, 1_051, 0.11, 0.15, 0.66),
			(2013, 60, False, 243, 0.31, 0.32, 0.6),
			(2014, 36, False, 1_055, 0.18, 0.16, 0.68),
		],
		columns="issue_year term_months interpretable n default_rate mean_pd roc_auc".split(),
	),
	"default_rate",
	"roc_auc",
)


def points(axes, label):
	(drawn,) = [c for c in axes.containers if str(c.get_label()).startswith(label)]
	return np.round(drawn[0].get_xydata(), 4).tolist()


def test_aucs_are_drawn_by_issue_year_and_by_origin():
	upper, _ = plot_vintages(ORIGINS, VINTAGES, 36, LENDING).axes

	assert points(upper, "by issue year") == [[2012, 0.62], [2013, 0.66]]
	# An origin stands in the middle of the half year it judges; one that was skipped is not drawn.
	assert points(upper, "out of time") == [[2012.75, 0.65], [2013.25, 0.67]]


def test_the_censored_part_is_shaded_and_says_so():
	upper, lower = plot_vintages(ORIGINS, VINTAGES, 36, LENDING).axes

	for axes in (upper, lower):
		(shade,) = axes.patches
		assert (shade.get_x(), shade.get_x() + shade.get_width()) == (2013.5, 2014.5)
	words = " ".join(text.get_text() for text in lower.texts)
	assert "resolved only" in words
	assert "interpretable" in words
	(hollow,) = [c for c in upper.containers if "resolved" in str(c.get_label())]
	assert hollow[0].get_markerfacecolor() == "white"


def test_without_a_censored_part_nothing_is_shaded():
	matured = VINTAGES.assign(interpretable=True)

	assert not any(axes.patches for axes in plot_vintages(ORIGINS, matured, 36, LENDING).axes)


@pytest.mark.parametrize(
	("highest", "end", "last"), [(0.48, 0.5, "50%"), (1.0, 1.0, "100%"), (0.02, 0.02, "2%"), (0.0, 0.01, "1%")]
)
def test_a_rate_axis_runs_from_zero_to_a_round_figure(highest, end, last):
	axis = make_rate_axis(highest)

	assert axis.end == pytest.approx(end)
	assert axis.ticks[0].label == "0%"
	assert axis.ticks[-1].label == last
	assert 2 <= len(axis.ticks) <= 8


def test_a_ratio_and_its_inverse_lie_at_equal_distance_from_one():
	axis = make_ratio_axis([0.5, 1.7])

	assert axis.place(1) == 50
	assert axis.place(1.5) - 50 == pytest.approx(50 - axis.place(1 / 1.5), abs=0.02)
	assert [tick.label for tick in axis.ticks] == ["0.5", "1", "2"]


@pytest.mark.parametrize(
	("low", "high", "side"), [(0.21, 0.3, "above"), (0.1, 0.19, "below"), (0.1, 0.3, "near"), (0.2, 0.3, "near")]
)
def test_a_segment_stands_out_only_when_its_whole_interval_does(low, high, side):
	assert compare(low, high, reference=0.2) == side


def test_a_segment_of_a_few_loans_never_stands_out_and_may_reach_beyond_the_axis():
	segments = pd.DataFrame({"segment": ["x"], "loans": [1], "default_rate": [1.0], "low": [0.207], "high": [1.0]})

	(dot,) = place_rates(segments, make_rate_axis(0.5), reference=0.2)

	assert (dot.position, dot.is_cut, dot.is_outside) == ("few", True, True)
	assert dot.hover == "x: 100.0% charged off, 95% interval 20.7 to 100.0%, n 1"


def test_what_is_missing_is_shown_as_a_dash_and_nothing_has_a_minus_before_zero():
	assert percent(float("nan")) == decimal(None) == NOTHING
	assert decimal(-0.00004, 4) == "0.0000"
	assert decimal_interval(-0.0112, -0.00001, 4) == "-0.0112 to 0.0000"


def test_a_segmentation_is_named_in_words_and_explained_by_the_data_dictionary():
	assert name_segmentation("dti_pct") == "Debt-to-income ratio (DTI)"
	assert explain_segmentation("grade") == "Risk grade given by the incumbent engine"
	assert explain_segmentation("dti_pct").endswith("(percent)")
	assert not explain_segmentation("star_sign")
