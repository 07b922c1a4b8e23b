"""Nodes of the `check_sources` pipeline."""

from __future__ import annotations

import pandas as pd

from loantap.datasets.inspection import Outcome, inspect_source, inspect_target
from loantap.datasets.source_table import SourceTable
from loantap.datasets.targets.target_system import TargetSystem
from loantap.portfolio.errors import InputError
from loantap.portfolio.options import IngestionOptions


def inspect_systems(
    loans: SourceTable,
    applications: SourceTable,
    loan_events: SourceTable,
    output: TargetSystem,
    options: IngestionOptions,
) -> pd.DataFrame:
    """What was found of each system, one row per check: where, check, outcome, found, remedy."""
    end_of_day = options.day + pd.Timedelta(days=1)
    findings = [
        finding
        for source in (loans, applications, loan_events)
        for finding in inspect_source(source, end_of_day)
    ]
    return pd.DataFrame([*findings, inspect_target(output)])


def require_usable_systems(findings: pd.DataFrame) -> None:
    """Fail where any check did.

    Raises:
        InputError: naming the systems at fault.
    """
    faults = findings[findings["outcome"] == Outcome.FAULT]
    if len(faults):
        raise InputError(
            "check_sources",
            f"{len(faults)} of {len(findings)} checks failed: {'; '.join(faults['where'])}",
            "Mend what the table above says and check again",
        )
