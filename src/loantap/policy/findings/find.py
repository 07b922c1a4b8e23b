"""All findings about a portfolio, and what drives default: every factor by its adjusted strength."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.measures.intervals import Z95, measure_default_rates
from loantap.policy.findings.claims import judge_claims
from loantap.policy.findings.effects import control_discoveries, tabulate_findings
from loantap.policy.findings.evidence import (
	FACTORS,
	Evidence,
	YearTable,
	follow_driver,
	gather_evidence,
	tabulate_years,
)
from loantap.policy.findings.segmentations import SEGMENTATIONS
from loantap.policy.money.returns import Estimate, name_bounds
from loantap.policy.options import FindingsOptions

DRIVES = "drives default"
NOT_SHOWN = "no effect shown"
TOO_FEW = "too few loans to say"


def tabulate_drivers(evidence: Evidence, years: dict[str, YearTable], options: FindingsOptions) -> pd.DataFrame:
	"""Every factor that is not for the audit only, strongest first, over all years and in each.

	Its strength is the standard deviation, over the loans, of the adjusted default rates of its segments, in percentage
	points, less what chance adds; in a year it is that of `follow_driver`.

	One row per factor for all years (`year` 0), then one per year, as `DRIVERS` has it.
	"""
	rows = [row for name in FACTORS for row in _describe(evidence, name, years[name])]
	table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
	whole = table["year"] == 0
	table["q_value"] = control_discoveries(table["p_value"].where(whole), table["role"].eq("-"))
	names = np.select(
		[table["strength"].isna(), ~whole, table["q_value"] < options.false_discovery_rate],
		[TOO_FEW, "", DRIVES],
		NOT_SHOWN,
	)
	table["finding"] = pd.Series(names, table.index, dtype="str")
	strongest = table[whole].sort_values("strength", ascending=False, kind="stable")["factor"]
	ranks = {factor: rank for rank, factor in enumerate(strongest, start=1)}
	table["rank"] = table["factor"].map(ranks).astype("int64")
	return table.sort_values(["rank", "year"], ignore_index=True)


_COLUMNS = {
	"factor": "str",
	"phrase": "str",
	"role": "str",
	"year": "int64",
	"loans": "int64",
	**dict.fromkeys((*name_bounds("strength"), "p_value"), "float64"),
	"lowest_segment": "str",
	"lowest_rate": "float64",
	"highest_segment": "str",
	"highest_rate": "float64",
}


def _describe(evidence: Evidence, name: str, years: YearTable) -> list[dict[str, Any]]:
	segmentation = SEGMENTATIONS[name]
	named = {"factor": name, "phrase": segmentation.phrase, "role": segmentation.role.value}
	whole = named | {"year": 0, "loans": len(evidence.outcome), **_judge(evidence, name)}
	strength, errors = follow_driver(years)
	return [whole] + [
		named
		| {
			"year": int(year),
			"loans": int(years.loans[:, place].sum()),
			**Estimate(*(100 * (at + np.array([0, -Z95, Z95]) * errors[place]))).named("strength"),
		}
		for place, (year, at) in enumerate(zip(years.years, strength, strict=True))
	]


def _judge(evidence: Evidence, name: str) -> dict[str, Any]:
	segment = evidence.segments[name].cat
	judged = np.flatnonzero(evidence.is_enough(np.bincount(segment.codes)))
	if len(judged) < 2 or not evidence.adjusted:
		return {"lowest_segment": "", "highest_segment": ""}
	factor, labels = evidence.adjusted[name], segment.categories
	rates = factor.rates[judged]
	lowest, highest = judged[rates.argmin()], judged[rates.argmax()]
	return {
		**Estimate(*(100 * bound for bound in factor.measure_strength())).named("strength"),
		"p_value": factor.p_value,
		"lowest_segment": labels[lowest],
		"lowest_rate": factor.rates[lowest],
		"highest_segment": labels[highest],
		"highest_rate": factor.rates[highest],
	}


@dataclass(frozen=True, slots=True)
class Findings:
	"""What the loans say: a row per segment, per segment and issue year, per driver and year, per claim."""

	segments: pd.DataFrame
	years: pd.DataFrame
	drivers: pd.DataFrame
	claims: pd.DataFrame


def find_all(loans: pd.DataFrame, profits: pd.DataFrame, scenario: str, options: FindingsOptions) -> Findings:
	"""Everything that is found of a portfolio, from one regression; see `gather_evidence`."""
	evidence = gather_evidence(loans, profits, scenario, options)
	tables = {name: tabulate_years(evidence, name, options.min_outcomes_per_year) for name in SEGMENTATIONS}
	return Findings(
		segments=tabulate_findings(evidence, tables, options),
		years=pd.concat([_list_years(evidence, name, table) for name, table in tables.items()], ignore_index=True),
		drivers=tabulate_drivers(evidence, tables, options),
		claims=judge_claims(evidence, options),
	)


def _list_years(evidence: Evidence, name: str, table: YearTable) -> pd.DataFrame:
	"""An effect is the excess of charge-offs, beside that of all other loans of the year."""
	others = table.loans.sum(axis=0) - table.loans
	segment, year = np.nonzero(table.is_enough & (others > 0))
	loans, charged_off = table.loans[segment, year], table.charged_off[segment, year]
	to_others = 100 * (loans / others[segment, year] + 1)
	effect = table.excess[segment, year] * to_others
	half = Z95 * np.sqrt(table.variance[segment, year]) * to_others
	return pd.DataFrame(
		{
			"segmentation": name,
			"segment": evidence.segments[name].cat.categories.astype("str")[segment],
			"year": table.years[year].astype(np.int64),
			"loans": loans,
			"charged_off": charged_off,
			**measure_default_rates(charged_off, loans).columns,
			"effect": effect,
			"effect_low": effect - half,
			"effect_high": effect + half,
		}
	).astype({"segmentation": "str", "segment": "str"})
