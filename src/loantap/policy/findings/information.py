"""How much each factor that is known at the decision tells of the outcome, by itself.

optbinning finds the most telling bins on every second loan; their information value (IV) is
measured on the others, since it is flattered where bins were chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from loantap.features.build import build_features
from loantap.measures.intervals import compare_counts, measure_default_rates
from loantap.policy.findings.effects import control_discoveries
from loantap.policy.findings.segmentations import NOT_STATED, Role, group_professions
from loantap.policy.money.returns import name_bounds
from loantap.policy.options import FindingsOptions
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import COLUMNS, Kind

_HISTORY = "credit_history_years"
_APPLICANT = (
	"loan_amount",
	"purpose",
	"annual_income",
	"dti_pct",
	"revolving_utilisation_pct",
	"home_ownership",
	"profession",
	"employment_years",
	"open_accounts",
	"total_accounts",
	"public_records",
	"bankruptcies",
	"revolving_balance",
	"mortgage_accounts",
	_HISTORY,
	"application_type",
)
_LENDER = ("grade", "sub_grade", "interest_rate_pct", "term_months", "instalment")
_AUDIT = ("pincode", "state")
# All that is known at the decision but identifiers, free text and the month of issue, whose level
# hangs on how many of its loans are resolved.
FACTORS: Mapping[str, Role] = (
	dict.fromkeys(_APPLICANT, Role.APPLICANT) | dict.fromkeys(_LENDER, Role.LENDER) | dict.fromkeys(_AUDIT, Role.AUDIT)
)
# Categories of a smaller share are binned together.
_RARE = 0.01
# At most so many different numbers are named one by one.
_FEW_VALUES = 5
# Siddiqi, Credit Risk Scorecards, 2006.
_STRENGTHS = {"not predictive": 0.02, "weak": 0.1, "medium": 0.3}
TOO_FEW = "too few loans to say"


@dataclass(frozen=True, slots=True)
class InformationTables:
	"""One row per factor (`INFORMATION_VALUES`), and one per factor and bin (`BINS`)."""

	values: pd.DataFrame
	bins: pd.DataFrame


def measure_information(loans: pd.DataFrame, options: FindingsOptions) -> InformationTables:
	"""Best bins and information value of every factor of resolved loans, the most telling first."""
	outcome = loans["is_charged_off"].to_numpy()
	found = np.arange(len(loans)) % 2 == 0
	smallest = min(np.bincount(outcome[half], minlength=2).min() for half in (found, ~found))
	values, bins = [], []
	for name, role in FACTORS.items():
		meaning = "Length of the credit history" if name == _HISTORY else COLUMNS[name].meaning
		row: dict[str, Any] = {"factor": name, "meaning": meaning, "role": role.value}
		row |= {"loans": int((~found).sum()), "charged_off": int(outcome[~found].sum())}
		if smallest >= options.min_outcomes:
			table = _bin(loans, name, outcome, found, options)
			bins.append(table.assign(factor=name))
			row |= _measure(table)
		values.append(row)
	table = pd.DataFrame(values, columns=list(_VALUE_TYPES)).astype(_VALUE_TYPES)
	table["q_value"] = control_discoveries(table["p_value"], table["role"] == Role.AUDIT)
	strengths = np.select(
		[table["iv"].isna(), *(table["iv"] < above for above in _STRENGTHS.values())], [TOO_FEW, *_STRENGTHS], "strong"
	)
	table["strength"] = pd.Series(strengths, dtype="str")
	ranked = table.sort_values("iv", ascending=False, kind="stable", ignore_index=True)
	return InformationTables(ranked, _join_bins(bins))


_VALUE_TYPES = {
	"factor": "str",
	"meaning": "str",
	"role": "str",
	"loans": "int64",
	"charged_off": "int64",
	"bins": "Int64",
	**dict.fromkeys((*name_bounds("iv"), "iv_chance", "p_value"), "float64"),
}
_BIN_TYPES = {
	"factor": "str",
	"order": "int64",
	"bin": "str",
	"loans": "int64",
	"charged_off": "int64",
	**dict.fromkeys(name_bounds("default_rate"), "float64"),
}


def _read(loans: pd.DataFrame, name: str) -> tuple[FloatArray | IntArray, pd.Index | None]:
	"""Numbers, or places of texts in an index; none missing."""
	if name == _HISTORY:
		return build_features(loans, [name])[name].to_numpy(float), None
	if COLUMNS[name].kind not in {Kind.CATEGORY, Kind.TEXT}:
		return loans[name].to_numpy(float), None
	texts = group_professions(loans[name]) if name == "profession" else loans[name]
	return pd.factorize(texts.astype("str").fillna(NOT_STATED), sort=True)


def _bin(loans: pd.DataFrame, name: str, outcome: IntArray, found: BoolArray, options: FindingsOptions) -> pd.DataFrame:
	values, texts = _read(loans, name)
	stated = np.asarray(pd.notna(values))
	if len(pd.unique(values[found & stated])) < 2:
		labels, bins = ["stated"], np.where(stated, 0, 1)[~found]
	else:
		splits, bins = _search(values, outcome, found, options, is_text=texts is not None)
		labels = (
			_label_numbers(splits, values)
			if texts is None
			else [", ".join(str(text).replace("_", " ") for text in texts[group]) for group in splits]
		)
		# What is missing, and texts that only the others have, are in one more.
		bins = np.where((bins < 0) | (bins >= len(labels)), len(labels), bins)
	count = np.bincount(bins, minlength=len(labels) + 1)
	charged_off = np.bincount(bins, outcome[~found], len(labels) + 1).astype(np.int64)
	table = pd.DataFrame(
		{"order": np.arange(len(count)), "bin": [*labels, NOT_STATED], "loans": count, "charged_off": charged_off}
	)[count > 0]
	rates = measure_default_rates(table["charged_off"].to_numpy(), table["loans"].to_numpy())
	return table.assign(**rates.columns)


def _search(
	values: FloatArray | IntArray, outcome: IntArray, found: BoolArray, options: FindingsOptions, *, is_text: bool
) -> tuple[Any, IntArray]:
	# Its solver takes two seconds to import.
	from optbinning import OptimalBinning

	best = OptimalBinning(
		dtype="categorical" if is_text else "numerical",
		max_n_bins=options.max_bins,
		cat_cutoff=_RARE if is_text else None,
		time_limit=options.binning_seconds,
	)
	best.fit(values[found], outcome[found])
	return best.splits, best.transform(values[~found], metric="indices", metric_missing="empirical").astype(np.int64)


def _label_numbers(splits: Any, values: FloatArray | IntArray) -> list[str]:
	"""The values, such as "36" and "60", if few; else bounds."""
	numbers = np.asarray(values, dtype=float)
	there = np.unique(numbers[~np.isnan(numbers)])
	if len(there) > _FEW_VALUES:
		return _label_bands(splits)
	bins = np.digitize(there, splits)
	return [", ".join(f"{value:,g}" for value in there[bins == place]) for place in range(len(splits) + 1)]


def _label_bands(splits: Any) -> list[str]:
	edges = [f"{edge:,.0f}" if edge >= 1_000 else f"{edge:,.3g}" for edge in splits]
	if not edges:
		return ["stated"]
	between = [f"{low} to {high}" for low, high in pairwise(edges)]
	return [f"below {edges[0]}", *between, f"{edges[-1]} and more"]


def _measure(table: pd.DataFrame) -> dict[str, Any]:
	charged_off = table["charged_off"].to_numpy()
	paid = table["loans"].to_numpy() - charged_off
	if len(table) < 2:
		return {"bins": len(table), "iv": 0.0}
	index = compare_counts(paid, charged_off)
	by_chance = 1 / paid.sum() + 1 / charged_off.sum()
	return {
		"bins": len(table),
		"iv": index.psi,
		"iv_low": index.low,
		"iv_high": index.high,
		"iv_chance": index.chance,
		"p_value": float(chi2.sf(index.psi / by_chance, len(table) - 1)),
	}


def _join_bins(tables: list[pd.DataFrame]) -> pd.DataFrame:
	joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_BIN_TYPES))
	return joined[list(_BIN_TYPES)].astype(_BIN_TYPES)
