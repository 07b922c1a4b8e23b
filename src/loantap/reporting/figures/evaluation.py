"""Figures of an evaluation, and of how a model ages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from loantap.reporting.figures.frame import (
	BLUE,
	GREEN,
	INK,
	MUTED,
	VERMILION,
	Title,
	draw_intervals,
	start_figure,
	start_stack,
)
from loantap.reporting.figures.interval_plot import FEW_LOANS
from loantap.reporting.formatting import name_sample


@dataclass(frozen=True, slots=True)
class _Style:
	colour: str
	line: str
	marker: str


_STYLES: Final[Mapping[str, _Style]] = {
	"cv": _Style(BLUE, "-", "o"),
	"test": _Style(VERMILION, "--", "s"),
	"out_of_time": _Style(GREEN, "-.", "^"),
}
_OTHER_STYLE: Final = _Style(INK, "-", "D")
_BEFORE: Final = _Style(VERMILION, "--", "s")


@dataclass(frozen=True, slots=True)
class Score:
	"""One figure of one sample, and its number of loans."""

	value: float
	loans: int


def plot_roc(curves: pd.DataFrame, auc: Mapping[str, Score], title: Title) -> Figure:
	"""ROC curve of each sample; takes a row per point: `sample`, `false_positive_rate`, `true_positive_rate`."""
	figure, axes = start_figure("ROC curve", title)
	axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="chance, AUC 0.500")
	_draw_curves(axes, curves, ("false_positive_rate", "true_positive_rate"), auc, "AUC")
	axes.set_xlabel("False positive rate: paid loans taken for defaults")
	axes.set_ylabel("True positive rate: defaults caught")
	_frame_unit_square(axes)
	axes.legend(loc="lower right", frameon=False, fontsize=9)
	return figure


def plot_precision_recall(curves: pd.DataFrame, average_precision: Mapping[str, Score], title: Title) -> Figure:
	"""Precision-recall curve of each sample; takes a row per point: `sample`, `recall`, `precision`."""
	figure, axes = start_figure("Precision and recall", title)
	_draw_curves(axes, curves, ("recall", "precision"), average_precision, "average precision")
	axes.set_xlabel("Recall: share of defaults caught")
	axes.set_ylabel("Precision: defaults among the flagged")
	_frame_unit_square(axes)
	_put_legend_below(axes, columns=1)
	return figure


def plot_calibration(reliability: pd.DataFrame, title: Title) -> Figure:
	"""Observed default rate against predicted PD, with 95% intervals, by sample and bin.

	Takes `sample`, `mean_pd`, `observed_rate`, `low`, `high`, `loans`.
	"""
	figure, axes = start_figure("Calibration", title)
	end = max(float(reliability[["mean_pd", "high"]].max().max()) * 1.05, 0.05)
	axes.plot([0, end], [0, end], color=MUTED, linewidth=1, linestyle=":", label="perfect")
	for sample, bins in reliability.groupby("sample", sort=False):
		name = str(sample)
		_draw_bins(axes, bins, _STYLES.get(name, _OTHER_STYLE), name_sample(name))
	_frame_calibration(axes, end)
	return figure


def plot_before_and_after(before: pd.DataFrame, after: pd.DataFrame, title: Title, *, calibrated: bool) -> Figure:
	"""Observed default rate against out-of-fold PD, before and after calibration.

	Each table has one row per bin: `mean_pd`, `observed_rate`, `low`, `high`, `loans`. Where calibration changes nothing
	there is one set.
	"""
	figure, axes = start_figure("Before and after calibration", title)
	end = max(float(bins[["mean_pd", "high"]].max().max()) for bins in (before, after)) * 1.05
	axes.plot([0, end], [0, end], color=MUTED, linewidth=1, linestyle=":", label="perfect")
	if before.equals(after):
		_draw_bins(axes, after, _STYLES["cv"], "as fitted and as served: no recalibration")
	else:
		_draw_bins(axes, before, _BEFORE, "before" if calibrated else "before, as served")
		_draw_bins(axes, after, _STYLES["cv"], "after, as served" if calibrated else "after")
	_frame_calibration(axes, end)
	return figure


def plot_thresholds(table: pd.DataFrame, chosen: float, decline_all: float, title: Title) -> Figure:
	"""What each PD threshold would mean: F2, approval rate, default rate among the approved.

	Takes a row per threshold: `threshold`, `f2`, `approval_rate`, `default_rate_approved`; `decline_all` is an F2, too.
	"""
	figure, axes = start_figure("Choice of the threshold", title)
	drawn = (
		("f2", "F2", BLUE, "-"),
		("approval_rate", "approval rate", GREEN, "-."),
		("default_rate_approved", "default rate among the approved", VERMILION, "--"),
	)
	for column, label, colour, style in drawn:
		axes.plot(table["threshold"], table[column], color=colour, linestyle=style, label=label)
	axes.axhline(
		decline_all, color=MUTED, linewidth=1, linestyle=(0, (6, 3)), label=f"F2 of declining everybody, {decline_all:.3f}"
	)
	axes.axvline(chosen, color=INK, linewidth=1, label=f"chosen threshold, {chosen:.1%}")
	axes.set_ylim(0, 1.02)
	axes.margins(x=0)
	axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
	axes.set_xlabel("Threshold: decline at this probability of default or above")
	axes.set_ylabel("Share, or F2")
	_put_legend_below(axes, columns=2)
	return figure


def _draw_curves(
	axes: Axes, curves: pd.DataFrame, columns: tuple[str, str], scores: Mapping[str, Score], score_name: str
) -> None:
	across, up = columns
	for sample, curve in curves.groupby("sample", sort=False):
		name = str(sample)
		style = _STYLES.get(name, _OTHER_STYLE)
		score = scores[name]
		label = f"{name_sample(name)}, n = {score.loans:,}, {score_name} {score.value:.3f}"
		axes.plot(curve[across], curve[up], color=style.colour, linestyle=style.line, label=label)


def _draw_bins(axes: Axes, bins: pd.DataFrame, style: _Style, name: str) -> None:
	loans, bounds = bins["loans"], (bins["low"], bins["high"])
	label = f"{name}, n = {loans.sum():,} in bins of {_range_of(loans)}"
	look = {"fmt": style.marker, "color": style.colour, "label": label}
	draw_intervals(axes, bins["mean_pd"], bins["observed_rate"], bounds, **look)


def _frame_calibration(axes: Axes, end: float) -> None:
	axes.set_xlim(0, end)
	axes.set_ylim(0, min(end, 1.02))
	_show_percent(axes)
	axes.set_xlabel("Predicted probability of default, mean of the bin")
	axes.set_ylabel("Observed default rate, 95% interval")
	_put_legend_below(axes, columns=1)


def _frame_unit_square(axes: Axes) -> None:
	axes.set_xlim(0, 1)
	axes.set_ylim(0, 1.02)
	_show_percent(axes)


def _put_legend_below(axes: Axes, columns: int) -> None:
	axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), frameon=False, ncols=columns, fontsize=9)


def _show_percent(axes: Axes) -> None:
	axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
	axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _range_of(loans: pd.Series) -> str:
	fewest, most = int(loans.min()), int(loans.max())
	return f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"


_HEIGHTS_INCHES = (3.4, 3.4)
_CENSORED = "#eef0f3"


def plot_vintages(origins: pd.DataFrame, vintages: pd.DataFrame, term_months: int, title: Title) -> Figure:
	"""AUC per origin and vintage; below it default rate and mean PD per vintage, of one term.

	`origins`, one row each: `origin` and `until` (months), `n`, `roc_auc`, `roc_auc_low`, `roc_auc_high`; missing where
	it was skipped. `vintages`, one per issue year and term: `issue_year`, `term_months`, `interpretable`, `n`, `mean_pd`,
	and with bounds `default_rate` and `roc_auc`; those with few loans are left to the table.
	"""
	drawn = vintages[vintages["term_months"].eq(term_months) & vintages["n"].ge(FEW_LOANS)]
	figure, (upper, lower) = start_stack(
		f"Vintage analysis: {term_months}-month loans by issue year", title, _HEIGHTS_INCHES
	)
	_draw_aucs(upper, origins.dropna(subset="n"), drawn)
	_draw_rates(lower, drawn)
	_shade_censored(upper, drawn)
	_shade_censored(lower, drawn, "resolved only,\nlevel not\ninterpretable")
	years, loans = drawn["issue_year"], drawn["n"].astype("int64")
	labels = [f"{year}\n{n:,}" for year, n in zip(years, loans, strict=True)]
	lower.set_xticks(years, labels, fontsize=8.5)
	lower.set_xlabel("Issue year, and number of loans")
	return figure


def _draw_aucs(axes: Axes, origins: pd.DataFrame, vintages: pd.DataFrame) -> None:
	axes.axhline(0.5, color=MUTED, linewidth=1, linestyle=":")
	axes.annotate(
		"chance",
		(1, 0.5),
		xytext=(0, 2),
		xycoords=axes.get_yaxis_transform(),
		textcoords="offset points",
		ha="right",
		color=MUTED,
		fontsize=8.5,
	)
	known = vintages.dropna(subset="roc_auc")
	matured = known["interpretable"].astype(bool)
	for is_in, fill, label in (
		(matured, BLUE, "by issue year, cross-validated"),
		(~matured, "white", "the same, resolved loans only"),
	):
		rows = known[is_in]
		look = {"color": BLUE, "fmt": "o", "markerfacecolor": fill, "label": label}
		_draw(axes, rows["issue_year"], rows, "roc_auc", **look)
	measured = origins.dropna(subset="roc_auc")
	# A year, like an origin, stands in the middle of the loans judged.
	first, last = (measured[name].dt for name in ("origin", "until"))
	at = (first.year + last.year + (first.month + last.month - 13) / 12) / 2
	loans = ", ".join(f"{n:,.0f}" for n in measured["n"])
	label = f"out of time, by origin, n = {loans}"
	_draw(axes, at, measured, "roc_auc", color=VERMILION, fmt="s", label=label)
	axes.set_ylabel("AUC, 95% interval")
	_put_legend_left_below(axes, gap=0.05)


def _draw_rates(axes: Axes, vintages: pd.DataFrame) -> None:
	years = vintages["issue_year"]
	label = "default rate of resolved loans, 95% interval"
	_draw(axes, years, vintages, "default_rate", color=GREEN, fmt="o", label=label)
	axes.plot(
		years,
		vintages["mean_pd"],
		color=INK,
		marker="D",
		markersize=4,
		linewidth=1,
		label="mean PD of the same loans, cross-validated",
	)
	axes.set_ylim(bottom=0)
	axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
	axes.set_ylabel("Share of resolved loans")
	_put_legend_left_below(axes, gap=0.31)


def _draw(axes: Axes, at: pd.Series | pd.Index, rows: pd.DataFrame, figure: str, **look: Any) -> None:
	if len(rows):
		draw_intervals(axes, at, rows[figure], (rows[f"{figure}_low"], rows[f"{figure}_high"]), **look)


def _shade_censored(axes: Axes, vintages: pd.DataFrame, words: str = "") -> None:
	later = vintages.loc[~vintages["interpretable"].astype(bool), "issue_year"]
	if later.empty:
		return
	begin, end = later.min() - 0.5, later.max() + 0.5
	axes.axvspan(begin, end, color=_CENSORED, zorder=0)
	axes.text(
		(begin + end) / 2, 0.04, words, transform=axes.get_xaxis_transform(), color=MUTED, fontsize=8.5, ha="center"
	)


def _put_legend_left_below(axes: Axes, gap: float) -> None:
	axes.legend(loc="upper left", bbox_to_anchor=(0, -gap), frameon=False, fontsize=8.5, borderaxespad=0)
