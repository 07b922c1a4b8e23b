"""One run at a time: what is done before its first step, and however it ends."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.pipeline import Pipeline

from loantap.datasets import SourceTableDataset, TargetTableDataset
from loantap.datasets.staged import FilePublishable
from loantap.hooks.publication import find_own_journal, recover
from loantap.hooks.saved import Catalog, SavedDatasets
from loantap.portfolio.errors import InputError
from loantap.project.folder import from_project
from loantap.project.interruption import interruption
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED, ProjectLock, lock_of
from loantap.registry import runs


class RunHook(SavedDatasets):
    """Has the project to itself from before the first step until the run has ended."""

    def __init__(self) -> None:
        super().__init__()
        self._lock: ProjectLock | None = None
        self._arguments: dict[str, Any] = {}

    @hook_impl(wrapper=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> Generator[None, None, None]:
        """Take the lock, put right what killed runs left, and see that outputs can be written."""
        lock = lock_of(Path(run_params["project_path"]))
        if not lock.is_held:
            lock.acquire()
        self._lock = lock
        self._arguments = {"run_params": run_params, "pipeline": pipeline, "catalog": catalog}
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
        yield
        lock.note(mlflow_run=runs.active_run_id())

    @hook_impl
    def before_node_run(self) -> None:
        """End here, if an interruption was lost in an import or a destructor."""
        interruption.obey()

    @hook_impl(wrapper=True)
    def after_pipeline_run(self) -> Generator[None, None, None]:
        """Let the next run begin when all is published, recorded and shown."""
        yield
        if self._lock is not None:
            self._lock.outcome = ALL_PUBLISHED
        self._end()

    def fail(self, session_hooks: Any, error: BaseException) -> None:
        """Tell every hook that the run has ended badly; Kedro does so of errors in nodes only."""
        if self._lock is None:
            return
        with interruption.deferred():
            try:
                if self._lock.outcome != ALL_PUBLISHED:
                    self._lock.outcome = self._describe_outcome(self._lock)
                session_hooks.on_pipeline_error(error=error, **self._arguments)
            finally:
                self._end()

    def _describe_outcome(self, lock: ProjectLock) -> str:
        journal = find_own_journal(lock.folder)
        if journal is not None and journal.committed:
            return "its tables are published, and the rest of its results with the next run"
        if journal is not None:
            return (
                "whether its tables are published is not known, since the warehouse did not "
                "answer; the next run finds out, and publishes the rest with them or nothing"
            )
        catalog = self._arguments["catalog"]
        sources = [n for n in self._saved if isinstance(catalog.get(n), SourceTableDataset)]
        if not sources:
            return NOTHING_PUBLISHED
        return f"{NOTHING_PUBLISHED}. The embedded sources are new already: {', '.join(sources)}"

    def _end(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._lock, self._arguments = None, {}


class ProjectSession(KedroSession):
    """As Kedro's own; hooks are told of a failure wherever it arises, and of Ctrl-C."""

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run a pipeline; see `KedroSession.run`."""
        try:
            result: dict[str, Any] = super().run(*args, **kwargs)
        except BaseException as error:
            for plugin in self._hook_manager.get_plugins():
                if isinstance(plugin, RunHook):
                    plugin.fail(self._hook_manager.hook, error)
            raise
        return result


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
        raise InputError(
            f"folder {folder}",
            problem,
            "Give yourself the right to write there, or name another place",
        )
