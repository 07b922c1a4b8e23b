"""`kedro run` with errors a person can act on."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import pandas as pd
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from loantap.model.leakage.findings import LeakageError
from loantap.model.scorer import NotForLendingError
from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project

# What a person can mend; anything else is a fault of ours and keeps its traceback.
_MENDABLE = (
    InputError,
    LeakageError,
    NotForLendingError,
    ParameterValidationError,
    DatasetError,
)


@click.group(name="loantap")
def cli() -> None:
    """Commands of the LoanTap project."""


@cli.command(params=kedro_run.params, help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, **options: Any) -> Any:
    """Run a pipeline; a mendable error becomes one message and exit code 1."""
    try:
        _require_environment(options["env"], _find_configuration(options["conf_source"]))
        _require_known([*options["pipelines"], *filter(None, [options["pipeline"]])])
        return context.invoke(kedro_run, **options)
    except _MENDABLE as error:
        # Not Kedro's own error class: it shows no message where click handles it.
        raise click.ClickException(_explain(error)) from error


def _find_configuration(source: str | None) -> Path:
    return Path(source) if source else find_project(Path.cwd()) / "conf"


def _require_environment(name: str | None, configuration: Path) -> None:
    if name and configuration.is_dir() and not (configuration / name).is_dir():
        known = sorted(path.name for path in configuration.iterdir() if path.is_dir())
        raise InputError(f"--env {name}", "unknown environment", f"Known are {', '.join(known)}")


def _require_known(names: list[str]) -> None:
    for name in names:
        if name not in pipelines:
            close = get_close_matches(name, pipelines.keys(), n=1)
            guess = f"Did you mean {close[0]}? " if close else ""
            raise InputError(
                f"--pipelines {name}",
                "unknown pipeline",
                f"{guess}Known are {', '.join(pipelines)}",
            )


def _explain(error: Exception) -> str:
    """The message, without what Kedro wraps around an error raised inside a dataset."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        if isinstance(cause, pd.errors.ParserError | UnicodeDecodeError):
            return f"{str(error).strip()}. Give a comma-separated UTF-8 file with one header line"
        cause = cause.__cause__
    return str(error)
