"""What was found of the systems, in the terminal."""

from types import MappingProxyType

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from loantap.reporting.terminal.fitting import FirstThatFits

_STYLES = MappingProxyType({"fine": "green", "note": "yellow", "fault": "bold red"})


def tabulate_findings(findings: pd.DataFrame) -> RenderableType:
  """One row per check: `where`, `check`, `outcome`, `found`, `remedy`."""
  return FirstThatFits(_tabulate(findings), _stack(findings))


def _tabulate(findings: pd.DataFrame) -> Table:
  # What does not fit is broken: a path that is cut off helps nobody.
  table = Table(
    *(Column(name, overflow="fold") for name in ("System", "Check", "Result", "Found")),
    Column("What to do", overflow="fold"),
    title="Systems",
    title_justify="left",
  )
  for where, rows in findings.groupby("where", sort=False):
    shown = str(where)
    for row in rows.itertuples():
      # As text: what a driver says may have brackets, which Rich would read as markup.
      table.add_row(Text(shown), Text(str(row.check)), _style(row.outcome), Text(str(row.found)), Text(str(row.remedy)))
      shown = ""
    table.add_section()
  return table


def _stack(findings: pd.DataFrame) -> Group:
  parts: list[RenderableType] = []
  for where, rows in findings.groupby("where", sort=False):
    table = Table.grid(Column(overflow="fold"), Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for row in rows.itertuples():
      told = "\n".join(filter(None, [str(row.found), str(row.remedy)]))
      table.add_row(Text(f"  {row.check}"), _style(row.outcome), Text(told))
    parts += [Text(str(where), style="bold"), table]
  return Group(*parts)


def _style(outcome: object) -> Text:
  return Text(str(outcome), style=_STYLES[str(outcome)])
