"""What a run says when it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loantap.portfolio.dictionary import SIMULATED
from loantap.reporting.scoring_account import tell_account

_SAMPLES = {"cv": "cross-validated", "test": "test", "out_of_time": "out of time"}
_NOT_FOR_LENDING = ("benchmark", "published_replica")


def summarise_run(
    reconciliation: pd.DataFrame | None,
    metrics: Mapping[str, Any] | None,
    reports: Sequence[Path],
    scores: Path | None,
    decisions: pd.DataFrame | None = None,
    promotions: Mapping[str, Any] | None = None,
    scoring_account: Mapping[str, Any] | None = None,
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
    """
    parts: list[RenderableType] = []
    if reconciliation is not None:
        parts.append(_tabulate_rows(reconciliation))
    if metrics is not None:
        parts.append(_tabulate_metrics(metrics))
    if promotions:
        parts.append(_tell_promotions(promotions))
    if metrics is not None:
        parts.append(Text("Lineage: make viz    Search and metrics: make ui"))
    if reports:
        parts.append(Text("\n  ".join(["Reports", *map(str, reports)])))
    if scores is not None:
        parts.append(Text(f"Scores\n  {scores}"))
    if decisions is not None and len(decisions):
        parts.append(_count_decisions(decisions))
    if scoring_account is not None and (told := tell_account(scoring_account)):
        parts.append(told)
    return Group(*parts)


def _count_decisions(decisions: pd.DataFrame) -> Text:
    """How many of each decision, by which model, and whether that is one to decide with."""
    counts = decisions.groupby("decision")["rows"].sum().sort_values(ascending=False)
    said = ", ".join(f"{count:,} {decision}" for decision, count in counts.items())
    name, version = decisions["model_name"].iloc[0], decisions["model_version"].iloc[0]
    is_demo = str(name).endswith("-demo")
    warning = " - trained on SIMULATED DATA, not for decisions" if is_demo else ""
    return Text(f"  {said}, by {name} version {version}{warning}")


def _tell_promotions(promotions: Mapping[str, Any]) -> Text:
    """Of each model that may be lent on: whether the new one is in office, and why or why not."""
    lines = ["Promotion"]
    for model, promotion in promotions.items():
        if model in _NOT_FOR_LENDING:
            continue
        verdict = promotion["champion"]
        lines.append(f"  {verdict['headline']}")
        lines += [
            f"    {condition['name']}: {'yes' if condition['holds'] else 'NO'}, "
            f"{condition['evidence']}"
            for condition in verdict["conditions"]
            if verdict["promoted"] or not condition["holds"]
        ]
    return Text("\n".join(lines) if len(lines) > 1 else "")


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


def _tabulate_metrics(metrics: Mapping[str, Any]) -> Table:
    origin = metrics["origin"]
    suffix = " - SIMULATED DATA" if origin == SIMULATED else ""
    table = Table(title=f"Models{suffix}", title_justify="left", caption="* not for lending")
    for name in ("model", "sample"):
        table.add_column(name, no_wrap=True)
    for name in ("n", "AUC", "ECE", "F2", "F2 declining all", "approved"):
        table.add_column(name, justify="right", no_wrap=name != "F2 declining all")
    for model, blocks in metrics.items():
        if model == "origin":
            continue
        shown = f"{model} *" if model in _NOT_FOR_LENDING else model
        for sample, label in _SAMPLES.items():
            block = blocks.get(sample)
            if block is None:
                table.add_row(shown, label, "too few loans", "", "", "", "", "")
                continue
            table.add_row(
                shown,
                label,
                f"{block['n']:,}",
                _with_bounds(block, "roc_auc"),
                f"{block['ece']:.3f}",
                _with_bounds(block, "f2"),
                f"{block['f2_decline_all']:.3f}",
                f"{block['approval_rate']:.0%}",
            )
            shown = ""
    return table


def _with_bounds(block: Mapping[str, float], name: str) -> str:
    if f"{name}_low" not in block:
        return f"{block[name]:.3f}"
    return f"{block[name]:.3f} [{block[f'{name}_low']:.3f}, {block[f'{name}_high']:.3f}]"
