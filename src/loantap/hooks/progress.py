"""What a run shows while it goes on and when it has ended."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from loantap.datasets import BatchedDataset, StagedDataset
from loantap.hooks.run_choices import shows_all
from loantap.hooks.saved import Catalog, SavedDatasets
from loantap.model.validation.evaluation import measure_out_of_fold
from loantap.policy.decisions import Decision
from loantap.portfolio.assembly import portfolio_origin
from loantap.registry.connection import registry_address
from loantap.reporting.terminal.results import RunResults
from loantap.reporting.terminal.run_summary import summarise_run
from loantap.reporting.terminal.system_findings import tabulate_findings
from loantap.tables.progress import LOGGER

_PROMOTION = re.compile(r"modeling\.(\w+)\.promotion")
_PREDICTIONS = re.compile(r"modeling\.(\w+)\.predictions")
_METRICS, _VINTAGES = "evaluation.metrics", "evaluation.vintage_analysis"
_ACCOUNT, _FINDINGS = "scoring.scoring_account", "check_sources.system_findings"


# Slower than this, a rate says less than the bar.
_TOLD_RATE = 100


class CountingHandler(logging.Handler):
    """Shows what is counted as a bar of its own below that of the run, from whatever thread.

    Args:
        progress: the display.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._task: TaskID | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Move the bar; called under the handler's lock. See `Progress.tell` for the fields."""
        fields = vars(record)
        done, total = fields.get("done"), fields.get("total")
        if done is None or total is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("", total=total)
        rate = f"{fields['rate']:,.0f} a second" if fields["rate"] >= _TOLD_RATE else ""
        label = ", ".join(filter(None, (fields["label"], rate)))
        self._progress.update(self._task, description=f"  {label}", completed=done, total=total)
        if done >= total:
            self.clear()

    def clear(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def listen(self) -> None:
        """Show what is counted from now on, instead of logging it."""
        LOGGER.addHandler(self)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False

    def leave(self) -> None:
        """Leave the logger as it was found."""
        self.acquire()
        try:
            self.clear()
        finally:
            self.release()
        LOGGER.removeHandler(self)
        LOGGER.setLevel(logging.NOTSET)
        LOGGER.propagate = True


class ProgressHook(SavedDatasets):
    """Shows which node runs, and at the end what came out and where to look."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._counting = CountingHandler(self._progress)
        self._node: Node | None = None
        self._started = 0.0

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Start the bar."""
        self._progress.reset(self._task, total=len(pipeline.nodes))
        self._progress.start()
        self._counting.listen()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Count the node before, whose results are saved by now; name this one."""
        self._count_node()
        self._node = node
        self._started = time.perf_counter()
        self._progress.update(self._task, description=node.name)

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Show what was found of the systems, good or bad."""
        if dataset_name == _FINDINGS:
            Console().print(tabulate_findings(data))

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Stop the bars."""
        self._node = None
        self._stop()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: Catalog) -> None:
        """Stop the bars; print what came out and where to look."""
        self._count_node()
        self._stop()
        given = run_params.get("runtime_params") or {}
        results = self._collect_results(catalog, Path(run_params["project_path"]))
        Console().print(summarise_run(results, full=shows_all(given)))

    def _collect_results(self, catalog: Catalog, project: Path) -> RunResults:
        saved = {name: catalog.get(name) for name in self._saved}
        written = {n: _near(d.filepath) for n, d in saved.items() if isinstance(d, StagedDataset)}

        def load(name: str) -> Any:
            return catalog.load(name) if name in saved else None

        metrics = self._load_metrics(catalog)
        return RunResults(
            reconciliation=load("reconciliation"),
            metrics=metrics,
            promotions=self._load_promotions(catalog),
            vintages=load(_VINTAGES),
            reports=[path for path in written.values() if path.parent.name == "08_reporting"],
            scores=written.get("scores"),
            decisions=_tally_decisions(saved.get("scores")),
            scoring_account=load(_ACCOUNT),
            declines="scores" not in saved or _declines(catalog),
            next_steps=_tell_next_steps(self._saved, project),
        )

    def _count_node(self) -> None:
        """Count the node that has ended; leave a line with its time, saving included.

        Rows that a node hands on one by one are made while they are saved.
        """
        if self._node is None:
            return
        seconds = time.perf_counter() - self._started
        self._progress.advance(self._task)
        task = self._progress.tasks[0]
        self._progress.console.print(
            f"{task.completed:>3.0f}/{task.total:.0f} {self._node.name:<52} {seconds:6.1f} s",
            highlight=False,
        )
        self._node = None

    def _load_metrics(self, catalog: Catalog) -> dict[str, Any] | None:
        """What was evaluated; of a run that only trained, what it has: out of fold."""
        if _METRICS in self._saved:
            found: dict[str, Any] = catalog.load(_METRICS)
            return found
        kept = [name for name in self._saved if isinstance(catalog.get(name), StagedDataset)]
        made = [of for name in kept if (of := _PREDICTIONS.fullmatch(name))]
        if not made:
            return None
        blocks = {of[1]: {"cv": measure_out_of_fold(catalog.load(of[0]))} for of in made}
        return blocks | {"origin": portfolio_origin(catalog.load("reconciliation"))}

    def _load_promotions(self, catalog: Catalog) -> dict[str, Any]:
        """What was decided on each model this run made, by model."""
        return {
            of[1]: catalog.load(name) for name in self._saved if (of := _PROMOTION.fullmatch(name))
        }

    def _stop(self) -> None:
        self._counting.leave()
        self._progress.stop()


def _tally_decisions(scores: object) -> pd.DataFrame | None:
    """How many of each decision a run took, without loading a file that may exceed memory."""
    if not isinstance(scores, BatchedDataset):
        return None
    return scores.tally(["decision", "model_name", "model_version"])


def _near(path: Path) -> Path:
    """A path from where the person is, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _tell_next_steps(saved: Sequence[str], project: Path) -> str:
    """Commands that work where the run was started: a packaged run has no Makefile."""
    has_make = (project / "Makefile").is_file()
    if any(map(_PREDICTIONS.fullmatch, saved)) or _METRICS in saved:
        if not has_make:
            address = registry_address().replace(f"sqlite:///{Path.cwd()}/", "sqlite:///")
            return f"mlflow ui --backend-store-uri {address} (search and metrics)"
        explore = "make viz (lineage), make ui (search and metrics)"
        if _METRICS in saved:
            return f"{explore}\nkedro run --pipelines scoring --params applications=FILE.csv"
        return f"kedro run --pipelines evaluation (reports)\n{explore}"
    if has_make and {"reconciliation", "sources.portfolio"} & set(saved):
        return "kedro run --pipelines training (models and reports)"
    return ""


def _declines(catalog: Catalog) -> bool:
    bands = catalog.load("params:scoring").policy.bands
    return any(band.decision == Decision.DECLINE for band in bands)
