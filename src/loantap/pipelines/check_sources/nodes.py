"""Nodes of the `check_sources` pipeline."""

import pandas as pd

from loantap.databases.inspection import Inspection, Outcome, TargetSystem
from loantap.databases.source_table import SourceTable
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import IngestionOptions


def plan_inspection(
	loans: SourceTable,
	applications: SourceTable,
	loan_events: SourceTable,
	output: TargetSystem,
	options: IngestionOptions,
) -> Inspection:
	"""A look at every system, to be taken as it is saved."""
	end_of_day = options.day + pd.Timedelta(days=1)
	return Inspection((loans, applications, loan_events), output, end_of_day)


def require_usable_systems(findings: pd.DataFrame) -> None:
	"""Fail with InputError, naming the systems at fault, where any check did."""
	faults = findings[findings["outcome"] == Outcome.FAULT]
	if len(faults):
		raise InputError(
			"check_sources",
			f"{len(faults)} of {len(findings)} checks failed: {'; '.join(faults['where'])}",
			"Correct what the table above reports and check again",
		)
