"""What is wrong with applications that cannot be scored, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from loantap.portfolio.contradictions import Contradiction
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.loantap_format import ReadColumn, list_faults, list_problems
from loantap.portfolio.values import show_value


def say_problem(column: Column, value: str, reason: str) -> str:
    """One problem of one application."""
    return f"{column.source_name} '{value}': {reason}"


def describe_invalid(
    applications: pd.DataFrame,
    read: Mapping[str, ReadColumn],
    contradictions: Sequence[Contradiction],
) -> dict[int, str]:
    """All that is wrong with each application that cannot be scored, by its place, from 0.

    Args:
        applications: in LoanTap format.
        read: their columns, by canonical name.
        contradictions: found between them.
    """
    problems: dict[int, list[str]] = {}
    for name, column in read.items():
        described = list_problems(applications[COLUMNS[name].source_name], COLUMNS[name], column)
        rows = np.flatnonzero(column.faults).tolist()
        for row, value, reason in zip(rows, described["value"], described["reason"], strict=True):
            problems.setdefault(row, []).append(say_problem(COLUMNS[name], value, reason))
    for found in contradictions:
        tied = COLUMNS[found.column]
        value = show_value(applications[tied.source_name].iloc[found.row])
        problems.setdefault(found.row, []).append(say_problem(tied, value, found.reason))
    # Of a row that could not be read nothing is known, so all else about it is noise.
    faults = list_faults(applications).to_numpy()
    problems |= {int(row): [str(faults[row])] for row in np.flatnonzero(pd.notna(faults))}
    return {row: "; ".join(said) for row, said in problems.items()}
