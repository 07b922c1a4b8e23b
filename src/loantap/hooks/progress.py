"""What a run shows while it goes on."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from loantap.hooks.results import collect_results
from loantap.hooks.run_choices import shows_all
from loantap.hooks.saved import Catalog
from loantap.reporting.terminal.run_summary import summarise_run, tabulate_findings
from loantap.tables.progress import LOGGER

_FINDINGS = "check_sources.system_findings"
# Slower than this, a rate says less than the bar.
_TOLD_RATE = 100


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
