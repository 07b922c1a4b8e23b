"""How each column differs between loans paid back and loans charged off."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.measures.auc import measure_auc
from loantap.measures.intervals import measure_default_rates
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.dictionary import COLUMNS, Kind

# Columns that say the same by definition: their association tells nothing.
SAME_BY_DEFINITION: Mapping[str, str] = {
	"loan_status": "is_charged_off",
	"grade": "sub_grade",
	"funded_principal": "loan_amount",
}
# Where a row comes from says nothing of the borrower.
_RECORD_KEEPING = frozenset({"updated_at", "origin"})
MAX_LEVELS = 40
NOT_STATED = "not stated"
_OUTCOME = "is_charged_off"


@dataclass(frozen=True, slots=True)
class Exploration:
	"""Columns by outcome.

	`numbers`: one row per number or month, the most telling first: `n` (loans that state it), `missing_` (shares of the
	outcome's loans), `low_`, `median_` and `high_` (quartiles; of a month its year) of `paid` and `charged_off`, and
	`auc` with bounds (95%, Hanley and McNeil).

	`levels`: one row per level of each other column: `share_paid` and `share_charged_off` of the outcome's loans,
	`default_rate` with bounds (95% Wilson). Beyond `MAX_LEVELS` the rarest are put together.
	"""

	numbers: pd.DataFrame
	levels: pd.DataFrame


def list_explored(loans: pd.DataFrame) -> list[str]:
	"""Columns shown: not personal, not the identifier, not in `SAME_BY_DEFINITION`."""
	return [
		name
		for name in loans.columns
		if not COLUMNS[name].personal and name != "loan_id" and name not in SAME_BY_DEFINITION
	]


def explore_outcomes(loans: pd.DataFrame) -> Exploration:
	"""Compare resolved loans paid back with loans charged off, column by column."""
	outcome = loans[_OUTCOME]
	names = [name for name in list_explored(loans) if name not in _RECORD_KEEPING | {_OUTCOME}]
	told = [name for name in names if len(loans[name].unique()) > 1]
	measured = [name for name in told if COLUMNS[name].kind in {Kind.NUMBER, Kind.COUNT, Kind.MONTH, Kind.DATE}]
	numbers = pd.DataFrame([_compare(loans[name], outcome) for name in measured])
	if len(numbers):
		distance = (numbers["auc"] - 0.5).abs()
		order = distance.sort_values(ascending=False, kind="stable", na_position="last").index
		numbers = numbers.loc[order].reset_index(drop=True)
	levels = [_tabulate_levels(loans[name], outcome) for name in told if name not in measured]
	return Exploration(numbers, pd.concat(levels, ignore_index=True) if levels else pd.DataFrame())


def _compare(values: pd.Series, outcome: pd.Series) -> dict[str, object]:
	is_month = pd.api.types.is_datetime64_any_dtype(values)
	ordered = values.dt.year * 12.0 + values.dt.month if is_month else values.astype(float)
	shown = values.dt.year.astype(float) if is_month else ordered
	stated = values.notna()
	score: FloatArray = np.asarray(ordered[stated], dtype=float)
	area, low, high = measure_auc(outcome[stated].to_numpy(), score)
	row: dict[str, object] = {"column": values.name, "n": int(stated.sum())}
	for name, bad in (("paid", 0), ("charged_off", 1)):
		of = outcome == bad
		row[f"missing_{name}"] = float((~stated[of]).mean())
		quartiles = shown[of & stated].quantile([0.25, 0.5, 0.75])
		for end, value in zip(("low", "median", "high"), quartiles, strict=True):
			row[f"{end}_{name}"] = float(value)
	return row | {"auc": area, "auc_low": low, "auc_high": high}


def _tabulate_levels(values: pd.Series, outcome: pd.Series) -> pd.DataFrame:
	levels = values.astype("str").fillna(NOT_STATED)
	counts = levels.value_counts()
	if len(counts) > MAX_LEVELS:
		rare = counts.index[MAX_LEVELS - 1 :]
		levels = levels.where(~levels.isin(rare), f"{len(rare):,} other levels")
	table = outcome.groupby(levels.to_numpy()).agg(["size", "sum"])
	loans, bad = table["size"].to_numpy(), table["sum"].to_numpy("int64")
	good = loans - bad
	return pd.DataFrame(
		{
			"column": values.name,
			"level": table.index.astype("str"),
			"n": loans,
			"share_paid": good / np.maximum(good.sum(), 1),
			"share_charged_off": bad / np.maximum(bad.sum(), 1),
			**measure_default_rates(bad, loans).columns,
		}
	)
