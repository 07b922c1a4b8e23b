"""Drivers, segments and claims, in tables and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from loantap.reporting.figures.interval_plot import FEW_LOANS, Axis, Dot, make_rate_axis, place_rates
from loantap.reporting.formatting import (
	NOTHING,
	PageTable,
	count,
	decimal,
	explain_segmentation,
	list_rows,
	money,
	name_segmentation,
	one_decimal,
	pair,
	percent,
	percent_interval,
	signed,
	with_interval,
)

STRENGTH = (
	"Strength: the typical distance, in percentage points, between the default rate of a segment "
	"and the average, other factors equal and chance taken out."
)
_BY_ROLE = {"lender": "set by the lender", "applicant": "the applicant's", "audit": "audit only"}


def tabulate_claims(claims: pd.DataFrame) -> PageTable:
	"""What the case study said, and what the loans say."""
	rows = [[str(row[name]) for name in ("said", "verdict", "answer", "asked", "instead")] for row in list_rows(claims)]
	headers = ("The case study said", "Verdict", "The loans say", "Asked for", "Done instead")
	note = (
		"Verdicts hold other factors equal, the price among them. A claim that is not shown may still be true of the "
		"plain default rates: then the price, or another factor, says it already."
	)
	return PageTable("What the case study said, what the loans say", headers, rows, note)


def tabulate_drivers(drivers: pd.DataFrame) -> PageTable:
	"""Factors by how far their segments' default rates lie apart, other factors equal."""
	whole = drivers[drivers["year"].eq(0)].sort_values("rank")
	rows = [
		[
			str(row["phrase"]),
			_BY_ROLE.get(str(row["role"]), str(row["role"])),
			with_interval(row, "strength", one_decimal),
			_rate_of(row, "lowest"),
			_rate_of(row, "highest"),
			str(row["finding"]),
		]
		for row in list_rows(whole)
	]
	headers = ("Factor", "Whose", "Strength, points", "Lowest rate", "Highest rate", "Finding")
	loans = int(whole["loans"].max()) if len(whole) else 0
	note = f"{STRENGTH} Lowest and highest rate: of the segments, other factors equal."
	return PageTable(f"Drivers of default, n = {count(loans)} loans", headers, rows, note, is_folded=True)


def tabulate_driver_years(drivers: pd.DataFrame) -> PageTable:
	"""The strength of each factor by issue year."""
	by_year = drivers[drivers["year"].gt(0) & drivers["strength"].notna()]
	years = sorted(by_year["year"].unique())
	order = drivers[drivers["year"].eq(0)].sort_values("rank")
	rows = []
	for factor, phrase in zip(order["factor"], order["phrase"], strict=True):
		of_factor = by_year[by_year["factor"].eq(factor)].set_index("year")
		told = [
			with_interval(dict(of_factor.loc[year]), "strength", one_decimal) if year in of_factor.index else NOTHING
			for year in years
		]
		rows.append([str(phrase), *told])
	note = "Years with too few loans are left out. Levels of different years are not comparable."
	return PageTable("Strength by issue year, points", ("Factor", *map(str, years)), rows, note, is_folded=True)


def _select_found(findings: pd.DataFrame) -> pd.DataFrame:
	found = findings[findings["finding"].isin(["more defaults", "fewer defaults"]) & findings["role"].ne("audit")]
	return found.sort_values("effect", ascending=False)


def tabulate_findings(findings: pd.DataFrame) -> PageTable:
	"""The segments that differ from all other loans, other factors equal."""
	found = _select_found(findings)
	rows = [
		[
			pair(row, "phrase", "segment"),
			count(row["loans"]),
			with_interval(row, "default_rate", percent),
			with_interval(row, "effect", signed),
			with_interval(row, "profit_contractual", money),
			with_interval(row, "profit_capped", money),
			str(row["stability"]),
		]
		for row in list_rows(found)
	]
	headers = (
		"Segment",
		"n",
		"Default rate",
		"Other factors equal, points",
		"Profit per loan",
		"Profit per loan, prepaid",
		"Over issue years",
	)
	tried = int(findings["role"].ne("audit").sum())
	note = (
		f"{count(tried)} segments were tried; those shown differ from all other loans with the false discovery rate "
		"held at 5%. Profit is imputed from outcomes; prepaid: paid loans no longer than observed."
	)
	return PageTable("Segments that differ", headers, rows, note)


def tabulate_finding_years(findings: pd.DataFrame, years: pd.DataFrame) -> PageTable:
	"""The effect of each segment that differs, by issue year."""
	found = _select_found(findings)
	judged = years[years["effect"].notna()]
	shown = sorted(judged["year"].unique())
	effects = {(r["segmentation"], r["segment"], r["year"]): r for r in list_rows(judged)}
	rows = []
	for row in list_rows(found):
		keys = [(row["segmentation"], row["segment"], year) for year in shown]
		told = [with_interval(effects[key], "effect", signed) if key in effects else NOTHING for key in keys]
		rows.append([pair(row, "phrase", "segment"), *told])
	return PageTable(
		"The same by issue year, points against other loans of the year, not adjusted",
		("Segment", *map(str, shown)),
		rows,
		is_folded=True,
	)


def tabulate_information(values: pd.DataFrame, bins: pd.DataFrame) -> PageTable:
	"""Information value of each factor that may be lent on, with its bins."""
	told = bins[bins["loans"] >= FEW_LOANS]
	worded = told.assign(told=[f"{row['bin']} ({percent(row['default_rate'])})" for row in list_rows(told)])
	by_factor = worded.groupby("factor", sort=False)["told"].agg("; ".join)
	shown = values[values["role"].ne("audit")].sort_values("iv", ascending=False)
	rows = [
		[
			name_segmentation(str(row["factor"])),
			_BY_ROLE.get(str(row["role"]), str(row["role"])),
			with_interval(row, "iv", decimal),
			decimal(row["iv_chance"]),
			count(row["loans"]),
			str(by_factor.get(row["factor"], NOTHING)),
		]
		for row in list_rows(shown)
	]
	headers = (
		"Factor",
		"Whose",
		"Information value",
		"Value that chance alone gives",
		"n",
		"Bins and their default rates",
	)
	note = (
		"Bins are found on one half of the loans (optbinning) and the information value is "
		f"measured on the other half. Bins of fewer than {FEW_LOANS} loans are left out."
	)
	return PageTable("Information value of each factor alone", headers, rows, note, is_folded=True)


def _rate_of(row: Mapping[str, Any], end: str) -> str:
	segment = str(row[f"{end}_segment"]).replace("_", " ")
	if not segment:
		return NOTHING
	return f"{segment}: {percent(row[f'{end}_rate'])}"


@dataclass(frozen=True, slots=True)
class SegmentPlot:
	"""The segments of one factor; `reference` is the portfolio's default rate on the axis."""

	anchor: str
	heading: str
	meaning: str
	axis: Axis
	reference: float
	dots: Sequence[Dot]
	table: PageTable


def plot_segments(findings: pd.DataFrame, default_rate: float) -> list[SegmentPlot]:
	"""One plot per factor, all on one scale: a strong driver and a weak one must not look alike.

	Takes a row per factor and segment, as the table of findings has it; `default_rate` is the portfolio's, a fraction.
	"""
	if findings.empty:
		return []
	telling = findings[findings["loans"] >= FEW_LOANS]
	highest = float((findings if telling.empty else telling)["default_rate_high"].max())
	axis = make_rate_axis(max(highest, default_rate))
	return [
		_plot(str(name), group.sort_values("order", kind="stable"), axis, default_rate)
		for name, group in findings.groupby("segmentation", sort=False)
	]


def _plot(name: str, segments: pd.DataFrame, axis: Axis, default_rate: float) -> SegmentPlot:
	bounds = {"default_rate_low": "low", "default_rate_high": "high"}
	return SegmentPlot(
		anchor="by-" + name.replace("_", "-"),
		heading=name_segmentation(name),
		meaning=explain_segmentation(name),
		axis=axis,
		reference=axis.place(default_rate),
		dots=place_rates(segments.rename(columns=bounds), axis, default_rate),
		table=_tabulate(name, segments),
	)


def _tabulate(name: str, segments: pd.DataFrame) -> PageTable:
	rows = list_rows(segments)
	# What the segments of an audit earn is nobody's reason to lend.
	is_audit = segments["role"].eq("audit").any()
	headers = ["Segment", "n", "Charged off", "Default rate", "95% interval", "Other factors equal, points", "Finding"]
	told = [
		[
			str(row["segment"]),
			count(row["loans"]),
			count(row["charged_off"]),
			percent(row["default_rate"]),
			percent_interval(row["default_rate_low"], row["default_rate_high"]) or NOTHING,
			with_interval(row, "effect", signed),
			str(row["finding"]),
			*([] if is_audit else [with_interval(row, "profit_contractual", money)]),
		]
		for row in rows
	]
	if not is_audit:
		headers.append("Profit per loan, imputed")
	return PageTable(f"Table: {name_segmentation(name)}", headers, told, is_folded=True)
