"""One run at a time: the project is locked until the run has ended."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline

from loantap.datasets import SourceTableDataset, TargetTableDataset
from loantap.datasets.staged import FilePublishable
from loantap.hooks.publication import find_own_journal, recover
from loantap.hooks.saved import Catalog
from loantap.portfolio.errors import InputError
from loantap.project.folder import from_project
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED, ProjectLock, lock_of
from loantap.registry import runs


class ExclusiveUse:
  """The project's lock."""

  def __init__(self) -> None:
    self._lock: ProjectLock | None = None

  @property
  def is_held(self) -> bool:
    """Whether a run of this process has the project to itself."""
    return self._lock is not None

  def take(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
    """Take the lock, put right what killed runs left, and see that outputs can be written.

    Raises:
        InputError: another run has the lock, or an output cannot be written.
    """
    lock = lock_of(Path(run_params["project_path"]))
    if not lock.is_held:
      lock.acquire()
    self._lock = lock
    recover(lock)
    datasets = [catalog.get(name) for name in sorted(pipeline.all_outputs())]
    outputs = [d.filepath for d in datasets if isinstance(d, FilePublishable)]
    tables = (d.file for d in datasets if isinstance(d, TargetTableDataset))
    databases = {file for file in tables if file is not None}
    require_writable([*outputs, *sorted(databases)])
    lock.note(
      outputs=tuple(from_project(path, lock.project) for path in outputs),
      databases=tuple(from_project(path, lock.project) for path in sorted(databases)),
    )

  def note_mlflow_run(self) -> None:
    """Note beside the lock which run of MLflow ends if this one is killed."""
    if self._lock is not None:
      self._lock.note(mlflow_run=runs.active_run_id())

  def tell_failure(self, catalog: Catalog, saved: Sequence[str]) -> None:
    """Let the lock say what a failed run has published."""
    if self._lock is not None and self._lock.outcome != ALL_PUBLISHED:
      self._lock.outcome = _describe_outcome(self._lock, catalog, saved)

  def tell_success(self) -> None:
    """Let the lock say that all is published."""
    if self._lock is not None:
      self._lock.outcome = ALL_PUBLISHED

  def release(self) -> None:
    """Let the next run begin."""
    if self._lock is not None:
      self._lock.release()
    self._lock = None


def _describe_outcome(lock: ProjectLock, catalog: Catalog, saved: Sequence[str]) -> str:
  journal = find_own_journal(lock.folder)
  if journal is not None and journal.committed:
    return "its tables are published, and the rest of its results with the next run"
  if journal is not None:
    return (
      "whether its tables are published is not known, since the warehouse did not "
      "answer; the next run finds out, and publishes the rest with them or nothing"
    )
  sources = [name for name in saved if isinstance(catalog.get(name), SourceTableDataset)]
  if not sources:
    return NOTHING_PUBLISHED
  return f"{NOTHING_PUBLISHED}. The embedded sources are new already: {', '.join(sources)}"


def require_writable(paths: Iterable[Path]) -> None:
  """Refuse, before the first step, what would fail at the last.

  Raises:
      InputError: a folder of these files cannot be made, or not be written to.
  """
  for folder in sorted({path.parent for path in paths}):
    present = next(each for each in (folder, *folder.parents) if each.exists())
    if not present.is_dir():
      problem = f"{present} is a file, not a folder"
    elif not os.access(present, os.W_OK | os.X_OK):
      problem = f"{present} cannot be written to"
    else:
      continue
    raise InputError(f"folder {folder}", problem, "Give yourself the right to write there, or name another place")
