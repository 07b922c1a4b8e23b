"""Monitoring as a page: what to do, what raised an alarm, then all that was checked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.reporting.figures.interval_plot import Axis, Dot, Tick
from loantap.reporting.formatting import NOTHING, PageTable, capitalize_first, count, decimal, percent, tell_bounds
from loantap.reporting.shell import render_page

CHECK_HEADERS: Final = ("What", "Verdict", "Value", "Limit", "n", "Found")
_VERDICTS: Final = {"alarm": "ALARM", "quiet": "quiet", "cannot_tell": "cannot tell"}
_SHARES: Final = frozenset({"missing", "new_category", "calibration", "expected_default_rate", "error_share"})
_COUNTS: Final = frozenset({"unread_days", "days_behind", "rows"})
_PARTS: Final = {
	"Applications against the training": ("psi", "mean", "missing", "new_category"),
	"The model, expected and realised": ("expected_auc", "expected_default_rate", "roc_auc", "calibration", "profit"),
	"Decisions against the months before": (
		*("approval_rate", "referral_rate", "invalid_share", "override_rate"),
		"approval_ratio",
	),
	"Sources": ("unread_days", "days_behind", "rows"),
	"API": ("error_share", "p99_seconds"),
}
_FIRST_END = 0.3
_MONTHS = ("month", "n", "approve", "refer", "decline", "invalid")


@dataclass(frozen=True, slots=True)
class ShiftDot(Dot):
	"""PSI of a feature; `reference` is where its alarm begins."""

	reference: float


@dataclass(frozen=True, slots=True)
class ShiftPlot:
	"""PSI of every feature and of the PD, the largest first."""

	axis: Axis
	dots: Sequence[ShiftDot]


def render_monitoring(report: Mapping[str, Any], history: pd.DataFrame) -> str:
	"""One self-contained page of `monitoring.json`, and of the checks of all runs."""
	checks: list[dict[str, Any]] = report["checks"]
	months = [
		[str(month["month"]), *(count(month[name]) for name in _MONTHS[1:]), percent(month["mean_pd"])]
		for month in report["months"]
	]
	return render_page(
		"monitoring.html",
		origin=report["origin"],
		title="Monitoring",
		report=report,
		alarms=list_alarms(checks),
		shifts=_plot_shifts(checks),
		tables=[_tabulate(part, found) for part, found in group_checks(checks).items()],
		months=PageTable("Decisions by month", [*map(capitalize_first, _MONTHS), "Mean PD"], months),
		runs=_tabulate_runs(history),
	)


def group_checks(checks: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
	"""Checks by the part of monitoring that they belong to; parts without any are left out."""
	grouped = {part: [check for check in checks if check["what"] in kinds] for part, kinds in _PARTS.items()}
	return {part: found for part, found in grouped.items() if found}


def _tabulate(part: str, checks: Sequence[Mapping[str, Any]]) -> PageTable:
	is_told = "alarm" in (verdicts := {check["verdict"] for check in checks}) or len(verdicts) > 1
	return PageTable(part, CHECK_HEADERS, [word_check(check) for check in checks], is_folded=not is_told)


def list_alarms(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
	"""The alarms; where the distribution of a feature raised one, that of its mean says nothing more."""
	alarms = [check for check in checks if check["verdict"] == "alarm"]
	shifted = {check["subject"] for check in alarms if check["what"] == "psi"}
	return [check for check in alarms if check["what"] != "mean" or check["subject"] not in shifted]


def word_check(check: Mapping[str, Any]) -> list[str]:
	"""A check under `CHECK_HEADERS`."""

	def number(value: float) -> str:
		if check["what"] in _SHARES or check["what"].endswith(("_rate", "_share")):
			return percent(value)
		return count(value) if check["what"] in _COUNTS or abs(value) >= 10 else decimal(value)

	value = NOTHING if check["value"] is None else tell_bounds(check["value"], *_bounds(check), number)
	limit = NOTHING if check["limit"] is None else number(check["limit"])
	figure = f"{check['subject']}: {check['what'].replace('_', ' ')}"
	return [figure, _VERDICTS[check["verdict"]], value, limit, count(check["n"]), capitalize_first(check["words"])]


def _bounds(check: Mapping[str, Any]) -> tuple[float, float]:
	low, high = (math.nan if check[end] is None else float(check[end]) for end in ("low", "high"))
	return low, high


def _plot_shifts(checks: Sequence[Mapping[str, Any]]) -> ShiftPlot | None:
	known = sorted(
		(c for c in checks if c["what"] == "psi" and c["value"] is not None), key=lambda c: float(c["value"]), reverse=True
	)
	if not known:
		return None
	end = max(_FIRST_END, math.ceil(float(known[0]["value"]) * 10) / 10)
	step = 0.1 if end <= 1 else end / 5
	ticks = tuple(Tick(round(100 * n * step / end, 2), f"{n * step:.1f}") for n in range(round(end / step) + 1))
	axis = Axis(0.0, end, ticks)
	return ShiftPlot(axis, [_place(check, axis) for check in known])


def _place(check: Mapping[str, Any], axis: Axis) -> ShiftDot:
	(low, high), value = _bounds(check), float(check["value"])
	return ShiftDot(
		label=check["subject"],
		value=decimal(value, 2),
		note=f"[{decimal(low, 2)}, {decimal(high, 2)}] · n {count(check['n'])}",
		hover=capitalize_first(check["words"]),
		at=axis.place(value),
		low=axis.place(low),
		high=axis.place(high),
		position="above" if check["verdict"] == "alarm" else "few" if check["verdict"] == "cannot_tell" else "near",
		is_cut=high > axis.end,
		is_outside=False,
		reference=axis.place(float(check["limit"])),
	)


def _tabulate_runs(history: pd.DataFrame) -> PageTable:
	rows = []
	for day, run in history.groupby("as_of"):
		alarms = run[run["verdict"].eq("alarm")]
		named = "; ".join(alarms["subject"] + ": " + alarms["what"].str.replace("_", " "))
		rows.append([f"{day:%Y-%m-%d}", count(len(run)), count(len(alarms)), named or NOTHING])
	return PageTable("Runs so far", ("Day", "Checks", "Alarms", "Of"), rows[::-1], is_folded=len(rows) > 1)
