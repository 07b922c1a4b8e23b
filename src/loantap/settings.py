"""Kedro settings: hooks, resolvers and where configuration is found."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from loantap.project.interruption import leave_at_once_while_starting

if sys.argv[1:2] == ["run"]:
	leave_at_once_while_starting()  # the next imports take seconds

from loantap.hooks import ProjectContext, ProjectSession, RunHook
from loantap.tables.column_maps.column_map import list_shipped_maps


def _today() -> str:
	return datetime.now(tz=UTC).date().isoformat()


def _optional_table(path: str | None, what: str) -> dict[str, Any]:
	"""A file that is needed whole; nothing without a path."""
	if path is None:
		return _nothing(f"{what} in LoanTap format; none was given")
	return {
		"type": "loantap.datasets.TableFileDataset",
		"filepath": _locate(path),
		"whole": True,
		"metadata": _describe(f"{what} in LoanTap format, as the file has it"),
	}


def _portfolio_table(path: str | None, columns: str | None) -> dict[str, Any]:
	"""A file of loans, its columns mapped where a map is named; nothing without a path."""
	if path is None:
		return _nothing("Portfolio of a file; none was given")
	is_shipped = columns is None or columns in list_shipped_maps()
	return {
		"type": "loantap.datasets.TableFileDataset",
		"filepath": _locate(path),
		"columns": columns if is_shipped else _locate(str(columns)),
		"metadata": _describe("Portfolio as the file has it"),
	}


def _optional_rows(path: str | None, kind: str = "loantap.datasets.TableFileDataset") -> dict[str, Any]:
	"""A file of any size; nothing when no path is given."""
	if path is None:
		return _nothing("Applications in LoanTap format; none were given")
	return {
		"type": kind,
		"filepath": _locate(path),
		"metadata": _describe("Applications in LoanTap format, as the file has them"),
	}


def _given_path(path: str | None, default: str) -> str:
	"""Relative to where the person is; else one of the project's."""
	return default if path is None else _locate(path)


def _locate(path: str) -> str:
	return str(Path(str(path)).expanduser().absolute())


def _nothing(description: str) -> dict[str, Any]:
	return {"type": "MemoryDataset", "data": None, "metadata": _describe(description)}


def _describe(description: str) -> dict[str, Any]:
	return {"description": description, "kedro-viz": {"layer": "source", "preview": False}}


HOOKS = (RunHook(),)
# Older and newer releases spell their name differently.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow", "kedro-mlflow")
SESSION_CLASS = ProjectSession
CONTEXT_CLASS = ProjectContext
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
	"base_env": "base",
	"default_run_env": "local",
	# Or a parameter given with --params empties the rest of its group where conf/local has
	# parameters.
	"merge_strategy": {"parameters": "soft", "mlflow": "soft"},
	"custom_resolvers": {
		"today": _today,
		"optional_table": _optional_table,
		"optional_rows": _optional_rows,
		"portfolio_table": _portfolio_table,
		"given_path": _given_path,
	},
}
