"""What happens around a run: guards before it, a transaction over it, a record of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.validation.type_extractor import TypeExtractor
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from loantap.datasets import RegisteredModelDataset, SourceTableDataset, StagedDataset
from loantap.datasets.staged import Publishable
from loantap.portfolio.assembly import portfolio_origin
from loantap.portfolio.errors import InputError
from loantap.portfolio.run_parameters import check_parameter_groups, check_run_parameters
from loantap.registry import runs
from loantap.reporting.run_summary import summarise_run

Catalog = CatalogProtocol[Any, Any]
_PLAIN_WIDTH = 132


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


class GuardHook:
    """Refuses, before any node runs, what cannot end well."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check what was given with `--params`, and every parameter group, read or not."""
        loader = context.config_loader
        models = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
        check_run_parameters(loader.runtime_params or {}, models)
        check_parameter_groups(loader["parameters"], models)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Check that `sources` writes to embedded databases only, and that inputs exist."""
        for node in pipeline.nodes:
            if "sources" in node.tags:
                _require_embedded(node, catalog)
        for name in sorted(pipeline.inputs()):
            if not _is_parameter(name):
                _require_input(name, catalog)


def _require_embedded(node: Node, catalog: Catalog) -> None:
    for name in node.outputs:
        dataset = catalog.get(name)
        if isinstance(dataset, SourceTableDataset) and not dataset.is_embedded:
            raise InputError(
                f"pipeline sources, {name}",
                f"the credentials of {dataset.system} are those of a real system, and demo or file "
                f"rows are never written into one",
                "Run `--pipelines training`, which only reads the sources, or use `--env base`",
            )


def _require_input(name: str, catalog: Catalog) -> None:
    dataset = catalog.get(name)
    if name == "applications" and isinstance(dataset, MemoryDataset):
        raise InputError(
            "pipeline scoring",
            "no applications are given",
            "Add --params applications=FILE.csv,scores=FILE.parquet",
        )
    if name != "portfolio_csv" and not catalog.exists(name):
        raise InputError(
            f"dataset {name}",
            f"it does not exist yet ({dataset})",
            "Run the pipeline that makes it first; `kedro run` runs all of them in order",
        )


class _SavedDatasets:
    """Remembers which datasets a run saved, in order."""

    def __init__(self) -> None:
        self._saved: list[str] = []

    @hook_impl
    def after_context_created(self) -> None:
        """Start with nothing saved."""
        self._saved = []

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Remember what was saved."""
        self._saved.append(dataset_name)


class TransactionHook(_SavedDatasets):
    """Publishes what a run saved when it has succeeded; forgets it when it has not."""

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, catalog: Catalog) -> None:
        """Publish the files; the models follow when the record is complete."""
        for dataset in _publishable(catalog, self._saved):
            if not isinstance(dataset, RegisteredModelDataset):
                dataset.publish()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, catalog: Catalog) -> None:
        """Leave the last good outputs and aliases where they are."""
        for dataset in _publishable(catalog, self._saved):
            dataset.discard()


def _publishable(catalog: Catalog, names: list[str]) -> list[Publishable]:
    datasets = (catalog.get(name) for name in dict.fromkeys(names))
    return [dataset for dataset in datasets if isinstance(dataset, Publishable)]


class RecordHook(_SavedDatasets):
    """Records a training run in MLflow: parameters, metrics, candidates, plots, origin, commit."""

    def __init__(self, project: Path) -> None:
        super().__init__()
        self._project = project

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Log the parameter groups the run uses, and the commit its code is at."""
        if not runs.is_recording():
            return
        commit = runs.git_commit(self._project)
        runs.log_tags({"git_commit": commit or "unknown"})
        for name in sorted(filter(_is_parameter, pipeline.inputs())):
            group = catalog.load(name)
            runs.log_parameters(group.model_dump(mode="json"), name.removeprefix("params:"))

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: Catalog) -> None:
        """Log what was found, before anything is published."""
        if not runs.is_recording():
            return
        origin = portfolio_origin(catalog.load("reconciliation"))
        runs.log_tags({"origin": origin})
        runs.rename(f"{origin} {run_params['run_id'][:16]}")
        for name in self._saved:
            dataset = catalog.get(name)
            if name.endswith(".candidates"):
                runs.log_candidates(catalog.load(name), name.removesuffix(".candidates"))
            if name == "metrics":
                runs.log_metrics(catalog.load(name))
            # The exploration page holds a row of the portfolio: it stays here.
            if (
                name != "eda"
                and isinstance(dataset, StagedDataset)
                and "08_reporting" in dataset.filepath.parts
            ):
                folder = dataset.filepath.parent.name
                runs.log_file(
                    dataset.current,
                    dataset.filepath.name,
                    None if folder == "08_reporting" else folder,
                )


class PromotionHook(_SavedDatasets):
    """Moves champion aliases, last of all."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: Catalog) -> None:
        """Point the champions at the versions this run saved."""
        for dataset in _publishable(catalog, self._saved):
            dataset.publish()


class ProgressHook(_SavedDatasets):
    """Shows which node runs, and at the end what came out and where to look."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._started = 0.0

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Start the bar."""
        self._progress.reset(self._task, total=len(pipeline.nodes))
        self._progress.start()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Name the node."""
        self._started = time.perf_counter()
        self._progress.update(self._task, description=node.name)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Count the node; leave a line with its time."""
        seconds = time.perf_counter() - self._started
        self._progress.advance(self._task)
        task = self._progress.tasks[0]
        self._progress.console.print(
            f"{task.completed:>3.0f}/{task.total:.0f} {node.name:<45} {seconds:6.1f} s",
            highlight=False,
        )

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Stop the bar."""
        self._progress.stop()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: Catalog) -> None:
        """Stop the bar; print rows per source, headline metrics, reports, what to open next."""
        self._progress.stop()
        saved = {name: catalog.get(name) for name in self._saved}
        written = {n: d.filepath for n, d in saved.items() if isinstance(d, StagedDataset)}
        # Into a file or a pipe the tables keep their width rather than being squeezed to 80.
        console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
        console.print(
            summarise_run(
                catalog.load("reconciliation") if "reconciliation" in self._saved else None,
                catalog.load("metrics") if "metrics" in self._saved else None,
                [path for path in written.values() if path.parent.name == "08_reporting"],
                written.get("scores"),
                catalog.load("scores") if "scores" in written else None,
            )
        )
