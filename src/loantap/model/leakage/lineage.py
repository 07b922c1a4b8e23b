"""What features are made of."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.options import LeakageOptions
from loantap.portfolio.dictionary import COLUMNS, Kind, Table
from loantap.portfolio.truth_columns import NEVER_A_FEATURE

_TOLERANCE: Final = 1e-12  # vectorised arithmetic may differ in the last bit
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class LaterDates:
	"""Loans whose value of a date column lies after their issue month, of `loans` that have one.

	`examples` are the `loan_id` of a few, `used_by` features of the column.
	"""

	column: str
	loans: int
	later: int
	examples: tuple[str, ...]
	used_by: tuple[str, ...]

	@property
	def share(self) -> float:
		"""Share of the loans dated after the decision."""
		return self.later / self.loans if self.loans else 0.0

	def as_dict(self) -> dict[str, Any]:
		"""Figures for a record."""
		return {
			"column": self.column,
			"loans": self.loans,
			"later": self.later,
			"examples": list(self.examples),
			"used_by": list(self.used_by),
		}


def find_later_dates(loans: pd.DataFrame) -> list[LaterDates]:
	"""Every date column of the loans against their `issue_month`."""
	found = []
	for name, column in COLUMNS.items():
		is_date = column.kind in (Kind.MONTH, Kind.DATE)
		if not is_date or name == "issue_month" or name not in loans:
			continue
		later = loans[name] > loans["issue_month"]
		shown = tuple(loans.loc[later, "loan_id"].head(_SHOWN)) if "loan_id" in loans else ()
		users = tuple(f.name for f in FEATURES.values() if name in f.uses)
		found.append(LaterDates(name, int(loans[name].notna().sum()), int(later.sum()), shown, users))
	return found


def check_dates(name: str, later: list[LaterDates], options: LeakageOptions) -> Evidence:
	"""Whether a feature is computed from values dated after the decision."""
	mine = [found for found in later if name in found.used_by and found.later]
	if not mine:
		return Evidence("dated_after_decision")
	shown = ", ".join(f"{f.column} in {f.later:,} of {f.loans:,} loans (such as {', '.join(f.examples)})" for f in mine)
	is_many = any(found.share > options.max_later_share for found in mine)
	return Evidence(
		"dated_after_decision",
		GateVerdict.CAUGHT if is_many else GateVerdict.WARNED,
		f"dated after the decision: {shown}",
		"Have the source give the value as of the decision, or quarantine these loans",
		{found.column: found.share for found in mine},
	)


def check_lineage(values: pd.Series, loans: pd.DataFrame) -> Evidence:
	"""Whether a feature is computed from the declared columns of its own loan, and nothing else.

	It is computed again from those alone, for every second loan: what reads the outcome, or another loan, comes out
	unlike.
	"""
	name = str(values.name)
	remedy = "Build it in features/build.py from columns known at the decision, and declare them"
	read = {name, *(FEATURES[name].uses if name in FEATURES else ())}
	if read & NEVER_A_FEATURE:
		problem = f"the simulator's truth, {', '.join(sorted(read & NEVER_A_FEATURE))}"
		return Evidence("lineage", GateVerdict.CAUGHT, problem, remedy)
	if name not in FEATURES:
		problem = "not declared in features/definitions.py, so its lineage is unknown"
		return Evidence("lineage", GateVerdict.CAUGHT, problem, remedy)
	later = [n for n in FEATURES[name].uses if n not in COLUMNS or COLUMNS[n].table is Table.LOAN_EVENTS]
	if later:
		problem = f"{', '.join(later)}: in no application, but of months after it, or made of outcomes"
		return Evidence("lineage", GateVerdict.CAUGHT, problem, remedy)
	own = loans.iloc[::2][list(FEATURES[name].uses)]
	try:
		again = build_features(own, [name])[name]
	except KeyError as error:
		problem = f"reads column {error}, which it does not declare"
		return Evidence("lineage", GateVerdict.CAUGHT, problem, remedy)
	differing = _count_differing(values.iloc[::2], again)
	if not differing:
		return Evidence("lineage")
	return Evidence(
		"lineage",
		GateVerdict.CAUGHT,
		f"not what its own loan's {', '.join(FEATURES[name].uses)} give: other values in "
		f"{differing:,} of {len(own):,} loans",
		remedy,
		{"differing": float(differing), "loans": float(len(own))},
	)


def _count_differing(given: pd.Series, again: pd.Series) -> int:
	if pd.api.types.is_numeric_dtype(given) and pd.api.types.is_numeric_dtype(again):
		same = np.isclose(given.to_numpy(), again.to_numpy(), rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
		return int((~same).sum())
	return int((given.astype("str") != again.astype("str")).sum())
