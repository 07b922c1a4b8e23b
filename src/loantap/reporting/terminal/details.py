"""Every table of a run's summary, for `summary=full`."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.terminal.metrics_table import NOT_FOR_LENDING, tabulate_metrics
from loantap.reporting.terminal.results import RunResults


def list_details(results: RunResults) -> Iterator[RenderableType]:
  """Every table of the summary."""
  if results.reconciliation is not None:
    yield _tabulate_rows(results.reconciliation)
  if results.metrics is not None:
    yield tabulate_metrics(results.metrics)
  if lines := list(_tell_promotions(results.promotions)):
    yield Group(Text("Promotion"), *lines)
  yield from _tell_external(results.external())
  if results.reports:
    yield Text("\n  ".join(["Reports", *map(str, results.reports)]))


def _tell_promotions(promotions: Mapping[str, Any]) -> Iterator[RenderableType]:
  for model, promotion in promotions.items():
    if model in NOT_FOR_LENDING:
      continue
    verdict = promotion["champion"]
    yield _indent(verdict["headline"])
    for condition in verdict["conditions"]:
      answer = "yes" if condition["holds"] else "NO"
      yield _indent(f"{condition['name']}: {answer}, {condition['evidence']}", by=4)


def _tell_external(found: Mapping[str, Mapping[str, Any]]) -> Iterator[RenderableType]:
  if not found:
    return
  any_ = next(iter(found.values()))
  yield Text(
    f"External sample: {any_['n']:,} loans issued {any_['first_issue_month']} to "
    f"{any_['last_issue_month']}, {any_['charged_off']:,} charged off"
  )
  for row in found.values():
    overlap = (
      "it was trained on none of them"
      if row["is_overlap_checked"]
      else "whether it was trained on any of them CANNOT BE CHECKED"
    )
    yield _indent(
      f"{row['model_name']} version {row['model_version']}: AUC {_bounded(row, 'roc_auc')}, the interest rate "
      f"alone {_bounded(row, 'rate_roc_auc')}, gain {_bounded(row, 'auc_gain')}; {overlap}"
    )


def _bounded(row: Mapping[str, float], name: str) -> str:
  return f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"


def _indent(text: str, by: int = 2) -> Padding:
  return Padding(Text(text), (0, 0, 0, by))


def _tabulate_rows(reconciliation: pd.DataFrame) -> Table:
  table = Table(title="Rows per source", title_justify="left")
  table.add_column("source table")
  table.add_column("origin")
  names = ["extracted", "kept", "running", "left_out", "quarantined"]
  # Of a book without running loans they are not worth their width.
  for name in ("running", "left_out"):
    if not reconciliation[name].any():
      names.remove(name)
  for name in names:
    table.add_column(name.replace("_", " "), justify="right")
  for row in reconciliation.itertuples():
    origin = Text("SIMULATED", style="bold yellow") if row.origin == SIMULATED else "real"
    table.add_row(str(row.table), origin, *(f"{getattr(row, name):,}" for name in names))
  return table
