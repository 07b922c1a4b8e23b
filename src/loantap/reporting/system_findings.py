"""What was found of the systems, as a table to read in a terminal."""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd
from rich.table import Column, Table
from rich.text import Text

_STYLES = MappingProxyType({"fine": "green", "note": "yellow", "fault": "bold red"})


def tabulate_findings(findings: pd.DataFrame) -> Table:
    """One row per check, with what to do where something is wrong.

    Args:
        findings: `where`, `check`, `outcome`, `found`, `remedy`.
    """
    # What does not fit is broken: a path that is cut off helps nobody.
    table = Table(
        *(Column(name, overflow="fold") for name in ("System", "Check", "Result", "Found")),
        Column("What to do", overflow="fold"),
        title="Systems",
    )
    previous = ""
    for row in findings.itertuples():
        where = "" if row.where == previous else str(row.where)
        if where and previous:
            table.add_section()
        outcome = Text(str(row.outcome), style=_STYLES[str(row.outcome)])
        # As text: what a driver says may have brackets in it, which Rich would read as markup.
        table.add_row(
            Text(where), Text(str(row.check)), outcome, Text(str(row.found)), Text(str(row.remedy))
        )
        previous = str(row.where)
    return table
