"""What a run says when it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.terminal.metrics_table import NOT_FOR_LENDING, tabulate_metrics
from loantap.reporting.terminal.scoring_account import tell_account

_DECLINES_NOBODY = (
    "The policy as shipped declines nobody: however high the PD, an application is approved or "
    "referred to a loan officer"
)


def summarise_run(
    reconciliation: pd.DataFrame | None,
    metrics: Mapping[str, Any] | None,
    reports: Sequence[Path],
    scores: Path | None,
    decisions: pd.DataFrame | None = None,
    promotions: Mapping[str, Any] | None = None,
    scoring_account: Mapping[str, Any] | None = None,
    vintages: Mapping[str, Any] | None = None,
    next_steps: str = "",
    *,
    declines: bool = True,
) -> RenderableType:
    """Rows per source, headline metrics, where the reports lie, what to open next.

    Args:
        reconciliation: account of rows per source; None when the run did not ingest.
        metrics: `metrics.json`; None when the run did not evaluate.
        reports: pages and files written.
        scores: file of scores; None when the run did not score.
        decisions: how many rows of that file (`rows`) hold each `decision`, `model_name` and
            `model_version`.
        promotions: `promotion.json` of each model that was made.
        scoring_account: `scoring_account.json`; None when the run did not score.
        vintages: `vintage_analysis.json`; None when the run did not evaluate.
        next_steps: commands to see more, those that work where the run was started.
        declines: whether the policy has a band that declines.
    """
    parts: list[RenderableType] = []
    if reconciliation is not None:
        parts.append(_tabulate_rows(reconciliation))
    if metrics is not None:
        parts.append(tabulate_metrics(metrics))
    if promotions:
        parts.append(_tell_promotions(promotions))
    parts += _tell_external(vintages or {"models": {}})
    if metrics is not None and next_steps:
        parts.append(Text(next_steps))
    if reports:
        parts.append(Text("\n  ".join(["Reports", *map(str, reports)])))
    if scores is not None:
        parts.append(Text(f"Scores\n  {scores}"))
    if decisions is not None and len(decisions):
        parts += [_count_decisions(decisions), *([] if declines else [_indent(_DECLINES_NOBODY)])]
    if scoring_account is not None and (told := tell_account(scoring_account)):
        parts.append(told)
    return Group(*parts)


def _count_decisions(decisions: pd.DataFrame) -> RenderableType:
    """How many of each decision, by which model, and whether that is one to decide with."""
    counts = decisions.groupby("decision")["rows"].sum().sort_values(ascending=False)
    said = ", ".join(f"{count:,} {decision}" for decision, count in counts.items())
    name, version = decisions["model_name"].iloc[0], decisions["model_version"].iloc[0]
    is_demo = str(name).endswith("-demo")
    warning = " - trained on SIMULATED DATA, not for decisions" if is_demo else ""
    return _indent(f"{said}, by {name} version {version}{warning}")


def _tell_promotions(promotions: Mapping[str, Any]) -> RenderableType:
    """Of each model that may be lent on: whether the new one is champion, and why or why not."""
    lines: list[RenderableType] = []
    for model, promotion in promotions.items():
        if model in NOT_FOR_LENDING:
            continue
        verdict = promotion["champion"]
        lines.append(_indent(verdict["headline"]))
        lines += [
            _indent(
                f"{condition['name']}: {'yes' if condition['holds'] else 'NO'}, "
                f"{condition['evidence']}",
                by=4,
            )
            for condition in verdict["conditions"]
            if verdict["promoted"] or not condition["holds"]
        ]
    return Group(Text("Promotion"), *lines) if lines else Text("")


def _tell_external(vintages: Mapping[str, Any]) -> list[RenderableType]:
    """The models on an external sample, beside the interest rate alone; nothing without one."""
    found = {n: m["external"] for n, m in vintages["models"].items() if "external" in m}
    if not found:
        return []
    any_ = next(iter(found.values()))
    head = (
        f"External sample: {any_['n']:,} loans issued {any_['first_issue_month']} to "
        f"{any_['last_issue_month']}, {any_['charged_off']:,} charged off"
    )
    lines = [
        _indent(
            f"{row['model_name']} version {row['model_version']}: AUC "
            f"{_bounded(row, 'roc_auc')}, the interest rate alone {_bounded(row, 'rate_roc_auc')}, "
            f"gain {_bounded(row, 'auc_gain')}; "
            + (
                "it was trained on none of them"
                if row["is_overlap_checked"]
                else "whether it was trained on any of them CANNOT BE CHECKED"
            )
        )
        for row in found.values()
    ]
    return [Text(head), *lines]


def _bounded(row: Mapping[str, float], name: str) -> str:
    return f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"


def _indent(text: str, by: int = 2) -> Padding:
    """A paragraph all of whose lines are indented, however many the terminal makes of it."""
    return Padding(Text(text), (0, 0, 0, by))


def _tabulate_rows(reconciliation: pd.DataFrame) -> Table:
    table = Table(title="Rows per source", title_justify="left")
    table.add_column("source table")
    table.add_column("origin")
    for name in ("extracted", "kept", "quarantined"):
        table.add_column(name, justify="right")
    for row in reconciliation.itertuples():
        origin = Text("SIMULATED", style="bold yellow") if row.origin == SIMULATED else "real"
        table.add_row(
            str(row.table), origin, f"{row.extracted:,}", f"{row.kept:,}", f"{row.quarantined:,}"
        )
    return table
