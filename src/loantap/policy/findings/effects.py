"""One row per segment: outcome, adjusted effect, stability, profit, and a sentence of closed lists of words."""

from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from loantap.measures.intervals import Z95, measure_default_rates
from loantap.policy.findings.evidence import Evidence, YearTable, measure_stability_over_years
from loantap.policy.findings.segmentations import SEGMENTATIONS, Role
from loantap.policy.money.returns import name_bounds
from loantap.policy.options import FindingsOptions
from loantap.portfolio.arrays import FloatArray, IntArray

# Figures by the names of a table's columns.
Row: TypeAlias = dict[str, Any] | pd.Series


class Finding(StrEnum):
	"""What the loans say of a segment, other factors being equal."""

	MORE = "more defaults"
	FEWER = "fewer defaults"
	NONE = "no difference shown"
	TOO_FEW = "too few loans to say"


class Steadiness(StrEnum):
	"""Whether a segment's effect holds over the years of issue."""

	SAME_SIGN = "same sign in every year"
	NOT_SHOWN = "no difference between years shown"
	VARIES = "differs between years"
	TOO_FEW = "too few loans to say"


def tell_rate(row: Row) -> str:
	"""A default rate with its interval.

	>>> tell_rate({"default_rate": 0.2, "default_rate_low": 0.151, "default_rate_high": 0.26})
	'20.0% (15.1 to 26.0%)'
	"""
	low, high = row["default_rate_low"], row["default_rate_high"]
	return f"{row['default_rate']:.1%} ({low * 100:.1f} to {high:.1%})"


def tell_effect(row: Row) -> str:
	"""An effect in percentage points, with its interval.

	>>> tell_effect({"effect": -4.13, "effect_low": -6.27, "effect_high": -1.99})
	'-4.1 points (-6.3 to -2.0)'
	"""
	return f"{row['effect']:+.1f} points ({row['effect_low']:+.1f} to {row['effect_high']:+.1f})"


def tell_finding(row: Row) -> str:
	"""One sentence about a segment, with its figures; `row` of `tabulate_findings`."""
	name = f"{row['phrase'][0].upper()}{row['phrase'][1:]} {row['segment']}"
	if row["finding"] == Finding.TOO_FEW:
		return f"{name}: {Finding.TOO_FEW} (n = {row['loans']:,})."
	is_none = row["finding"] == Finding.NONE
	found = "no difference from other loans is shown" if is_none else f"{row['finding']} than other loans"
	told = (
		f"{name}: {row['loans']:,} loans, default rate {tell_rate(row)}; other factors equal, {found}, {tell_effect(row)}"
	)
	if row["stability"] == Steadiness.VARIES:
		told += ", though not the same in all years"
	if row["role"] == Role.AUDIT:
		return f"{told}. For audit only: nothing is lent on it."
	return f"{told}. Imputed profit per loan: {tell_profit(row)}."


def tell_profit(row: Row) -> str:
	"""Imputed profit per loan, with its interval.

	>>> tell_profit({"profit_contractual": -369.2, "profit_contractual_low": -470,
	...              "profit_contractual_high": 68})
	'-369 (-470 to +68)'
	"""
	mean, low, high = (row[name] for name in name_bounds("profit_contractual"))
	return f"{mean:+,.0f} ({low:+,.0f} to {high:+,.0f})"


def tell_answer(row: Row, *, is_audit: bool, is_refused: bool) -> str:
	"""What the loans answer to a claim; `is_refused`: it asks to lend less for what nothing may be lent on."""
	if row["finding"] == Finding.TOO_FEW:
		figures = f"Too few loans to say (n = {row['loans']:,})"
	else:
		figures = (
			f"{row['charged_off']:,} of {row['loans']:,} loans were charged off, {tell_rate(row)}, and "
			f"{row['default_rate_others']:.1%} of all others; other factors equal, {tell_effect(row)}: {row['finding']}"
		)
	if is_refused:
		leak = ""
		if row["loans"] and row["charged_off"] in {0, row["loans"]}:
			leak = (
				"All loans of the pincode ended alike, since the pincode in this data is made from "
				"the outcome: it says nothing about the next applicant. "
			)
		return (
			f"{figures}. Refused: no policy depends on the pincode. {leak}Where a pincode is true, "
			"it stands for where people live, and to refuse credit for that is redlining."
		)
	if is_audit:
		return f"{figures}. No lending depends on the pincode, whichever way it points."
	if row["finding"] == Finding.TOO_FEW:
		return f"{figures}."
	if row["finding"] == Finding.NONE and row["gap_low"] * row["gap_high"] > 0:
		if row["effect_low"] * row["effect_high"] > 0:
			figures += f". With so many claims tried, that may be chance (q = {row['q_value']:.2g})"
		else:
			figures += ". The plain difference goes with the other factors, the price among them"
	return (
		f"{figures}. Imputed profit per loan: {tell_profit(row)}; of all others {row['profit_contractual_others']:+,.0f}."
	)


def tabulate_findings(evidence: Evidence, years: dict[str, YearTable], options: FindingsOptions) -> pd.DataFrame:
	"""What is found of every segment of every segmentation; one row each, as `FINDINGS` has it.

	Effects are in percentage points; q-values are of `control_discoveries`.
	"""
	table = pd.concat([_tabulate(evidence, name, years[name]) for name in SEGMENTATIONS], ignore_index=True)
	for tested, corrected in (("p_value", "q_value"), ("heterogeneity_p_value", "heterogeneity_q_value")):
		table[corrected] = control_discoveries(table[tested], table["role"] == Role.AUDIT)
	rate = options.false_discovery_rate
	table["finding"] = name_findings(table["effect"], table["q_value"], rate)
	table["stability"] = _name_stability(table, rate)
	table["sentence"] = [tell_finding(row) for _, row in table.iterrows()]
	return table


def control_discoveries(p_values: pd.Series, audit: pd.Series) -> pd.Series:
	"""Benjamini & Hochberg (1995) over all p-values, those of the audit apart, which would loosen all others."""
	corrected = pd.Series(np.nan, index=p_values.index)
	for family in (audit, ~audit):
		there = family & p_values.notna()
		if there.any():
			corrected[there] = false_discovery_control(p_values[there])
	return corrected


def name_findings(effects: pd.Series, q_values: pd.Series, rate: float) -> pd.Series:
	"""More or fewer defaults, no difference shown, or too few loans to say."""
	names = np.select(
		[q_values.isna(), q_values >= rate, effects > 0],
		[Finding.TOO_FEW.value, Finding.NONE.value, Finding.MORE.value],
		Finding.FEWER.value,
	)
	return pd.Series(names, effects.index, dtype="str")


def measure_gaps(charged_off: IntArray, loans: IntArray, all_charged_off: int, all_loans: int) -> dict[str, FloatArray]:
	"""Default rate of each group minus that of all others, in points, nothing adjusted; the others' rate.

	With its 95% interval (Newcombe, Statistics in Medicine 1998, from Wilson's).
	"""
	others, others_bad = all_loans - loans, all_charged_off - charged_off
	with np.errstate(invalid="ignore"):
		here = measure_default_rates(charged_off, loans)
		there = measure_default_rates(others_bad, others)
	gap = here.rate - there.rate
	below = np.hypot(here.rate - here.low, there.high - there.rate)
	above = np.hypot(here.high - here.rate, there.rate - there.low)
	return {
		**here.columns,
		"default_rate_others": there.rate,
		"gap": gap * 100,
		"gap_low": (gap - below) * 100,
		"gap_high": (gap + above) * 100,
	}


def measure_profits(evidence: Evidence, codes: IntArray, groups: int) -> dict[str, FloatArray]:
	"""Mean imputed profit per loan of each group, with its 95% interval, and that of all others."""
	loans = np.bincount(codes, minlength=groups).astype(float)
	columns: dict[str, FloatArray] = {}
	for life, profit in evidence.profits.items():
		summed = np.bincount(codes, profit, groups)
		with np.errstate(invalid="ignore", divide="ignore"):
			mean = summed / loans
			squared = np.bincount(codes, (profit - mean[codes]) ** 2, groups)
			half = Z95 * np.sqrt(squared / (loans - 1) / loans)
			others = (profit.sum() - summed) / (len(profit) - loans)
		half = np.where(loans > 1, half, np.nan)
		name = f"profit_{life.value}"
		columns |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half, f"{name}_others": others}
	return columns


def _tabulate(evidence: Evidence, name: str, years: YearTable) -> pd.DataFrame:
	segmentation, segment = SEGMENTATIONS[name], evidence.segments[name].cat
	labels, codes = segment.categories, segment.codes.to_numpy()
	loans = np.bincount(codes)
	charged_off = np.bincount(codes, evidence.outcome).astype(np.int64)
	effects = [evidence.compare(name, np.array([place])) for place in range(len(labels))]
	steady = [measure_stability_over_years(years, place) for place in range(len(labels))]
	value = np.array([effect.value for effect in effects])
	error = np.array([effect.error for effect in effects])
	columns: dict[str, Any] = {
		"segmentation": name,
		"phrase": segmentation.phrase,
		"role": segmentation.role.value,
		"segment": labels.astype("str"),
		"order": np.arange(len(labels)),
		"loans": loans,
		"charged_off": charged_off,
		**measure_gaps(charged_off, loans, int(evidence.outcome.sum()), len(codes)),
		"effect": value * 100,
		"effect_low": (value - Z95 * error) * 100,
		"effect_high": (value + Z95 * error) * 100,
		"p_value": 2 * norm.sf(np.abs(value) / error),
		"years": [found.years for found in steady],
		"years_same_sign": [found.same_sign for found in steady],
		"heterogeneity_p_value": [found.p_value for found in steady],
		**measure_profits(evidence, codes, len(labels)),
	}
	return pd.DataFrame(columns)


def _name_stability(table: pd.DataFrame, rate: float) -> pd.Series:
	names = np.select(
		[
			table["heterogeneity_q_value"].isna() | (table["finding"] == Finding.TOO_FEW),
			table["heterogeneity_q_value"] < rate,
			table["years_same_sign"] == table["years"],
		],
		[Steadiness.TOO_FEW.value, Steadiness.VARIES.value, Steadiness.SAME_SIGN.value],
		Steadiness.NOT_SHOWN.value,
	)
	return pd.Series(names, table.index, dtype="str")
