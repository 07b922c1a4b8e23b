"""What a run shows while it goes on, and at its end."""

import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from loantap.datasets import BatchedDataset, StagedDataset
from loantap.hooks.run_choices import shows_all
from loantap.hooks.saved import Catalog
from loantap.model.validation.evaluation import measure_out_of_fold
from loantap.portfolio.assembly import portfolio_origin
from loantap.registry.connection import registry_address
from loantap.reporting.terminal.details import RunResults
from loantap.reporting.terminal.run_summary import summarise_run, tabulate_findings
from loantap.tables.progress import LOGGER

_PROMOTION = re.compile(r"modeling\.(\w+)\.promotion")
_PREDICTIONS = re.compile(r"modeling\.(\w+)\.predictions")
_METRICS, _VINTAGES = "evaluation.metrics", "evaluation.vintage_analysis"
_ACCOUNT, _OFFERS_ACCOUNT = "scoring.scoring_account", "offers.offers_account"
_MODEL = ["model_name", "model_version"]
_FINDINGS = "check_sources.system_findings"
# Slower than this, a rate says less than the bar.
_TOLD_RATE = 100


def collect_results(catalog: Catalog, names: Sequence[str], project: Path) -> RunResults:
	"""What the closing summary tells."""
	saved = {name: catalog.get(name) for name in names}
	written = {n: _near(d.filepath) for n, d in saved.items() if isinstance(d, StagedDataset)}

	def load(name: str) -> Any:
		return catalog.load(name) if name in saved else None

	metrics = _load_metrics(catalog, names)
	return RunResults(
		reconciliation=load("reconciliation"),
		metrics=metrics,
		promotions={of[1]: load(name) for name in names if (of := _PROMOTION.fullmatch(name))},
		vintages=load(_VINTAGES),
		reports=[path for path in written.values() if path.parent.name == "08_reporting"],
		scores=written.get("scores"),
		decisions=_tally(saved.get("scores"), ["decision", *_MODEL]),
		scoring_account=load(_ACCOUNT),
		offers=written.get("offers"),
		offers_account=load(_OFFERS_ACCOUNT),
		offering_models=_tally(saved.get("offers"), _MODEL),
		next_steps=_tell_next_steps(names, project),
	)


def _load_metrics(catalog: Catalog, saved: Sequence[str]) -> dict[str, Any] | None:
	"""What was evaluated; of a run that only trained, what it has: out of fold."""
	if _METRICS in saved:
		found: dict[str, Any] = catalog.load(_METRICS)
		return found
	kept = [name for name in saved if isinstance(catalog.get(name), StagedDataset)]
	made = [of for name in kept if (of := _PREDICTIONS.fullmatch(name))]
	if not made:
		return None
	blocks = {of[1]: {"cv": measure_out_of_fold(catalog.load(of[0]))} for of in made}
	origin = portfolio_origin(catalog.load("reconciliation"))
	return blocks | {"origin": origin, "target": catalog.load("target")}


def _tally(made: object, columns: list[str]) -> pd.DataFrame | None:
	"""How many rows hold what, without loading a file that may exceed memory."""
	return made.tally(columns) if isinstance(made, BatchedDataset) else None


def _near(path: Path) -> Path:
	here = Path.cwd()
	return path.relative_to(here) if path.is_relative_to(here) else path


def _tell_next_steps(saved: Sequence[str], project: Path) -> str:
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


class CountingHandler(logging.Handler):
	"""Shows what any thread counts as a bar below that of the run."""

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


class Display:
	"""Shows which node runs, and at the end what came out."""

	def __init__(self) -> None:
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

	def start(self, pipeline: Pipeline) -> None:
		"""Start the bar."""
		self._progress.reset(self._task, total=len(pipeline.nodes))
		self._progress.start()
		self._counting.listen()

	def begin_node(self, node: Node) -> None:
		"""Count the node before, whose results are saved by now; name this one."""
		self._count_node()
		self._node = node
		self._started = time.perf_counter()
		self._progress.update(self._task, description=node.name)

	def show_loaded(self, dataset_name: str, data: Any) -> None:
		"""Show what was found of the systems."""
		if dataset_name == _FINDINGS:
			Console().print(tabulate_findings(data))

	def stop(self) -> None:
		"""Stop the bars of a run that has failed."""
		self._node = None
		self._stop()

	def summarise(self, run_params: dict[str, Any], catalog: Catalog, saved: Sequence[str]) -> None:
		"""Stop the bars; print what came out and where to look."""
		self._count_node()
		self._stop()
		given = run_params.get("runtime_params") or {}
		results = collect_results(catalog, saved, Path(run_params["project_path"]))
		Console().print(summarise_run(results, full=shows_all(given)))

	def _count_node(self) -> None:
		"""Leave a line with the time of the node that has ended.

		That includes saving: rows that a node hands on one by one are made then.
		"""
		if self._node is None:
			return
		seconds = time.perf_counter() - self._started
		self._progress.advance(self._task)
		task = self._progress.tasks[0]
		self._progress.console.print(
			f"{task.completed:>3.0f}/{task.total:.0f} {self._node.name:<52} {seconds:6.1f} s", highlight=False
		)
		self._node = None

	def _stop(self) -> None:
		self._counting.leave()
		self._progress.stop()
