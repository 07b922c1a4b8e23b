"""`kedro run` with errors a person can act on."""

import os
import re
from copy import copy
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError
from omegaconf import OmegaConf

from loantap.databases.backends.interface import SourceDownError
from loantap.model.leakage.findings import LeakageError
from loantap.model.scoring.scorer import NotForLendingError
from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project
from loantap.project.interruption import RUN_VARIABLE, TRY_LATER, interruption
from loantap.project.lock import ALL_PUBLISHED, NOTHING_PUBLISHED, lock_of
from loantap.registry.connection import RegistryDownError
from loantap.selection import require_one_after_the_other, require_selection

# What a person can mend; anything else keeps its traceback.
_MENDABLE = (InputError, KedroCliError, LeakageError, NotForLendingError, ParameterValidationError, DatasetError)
# Kedro's own looks for an exception that is being handled: there is none any more, and each message
# would be "NoneType: None".
KedroCliError.show = click.ClickException.show  # type: ignore[method-assign]
_PARAMS = next(option for option in kedro_run.params if option.name == "params")


@click.group(name="loantap")
def cli() -> None:
	"""Commands of the LoanTap project."""


def split_params(context: click.Context, _: click.Parameter, given: str) -> Any:
	"""What stands behind `--params`, commas within brackets dividing a list.

	To Kedro `scoring.recommendations=[a,b]` would be two parameters.
	"""
	pieces = re.split(r",(?![^\[\]]*\])", given)
	if not any("," in piece for piece in pieces):
		return _split_at_commas(context, given)
	whole = OmegaConf.from_dotlist([piece for piece in pieces if "," in piece])
	rest = ",".join(piece for piece in pieces if "," not in piece)
	other = OmegaConf.create(_split_at_commas(context, rest) if rest else {})
	return OmegaConf.to_container(OmegaConf.merge(other, whole))


def _split_at_commas(context: click.Context, given: str) -> Any:
	return _PARAMS.callback(context, _PARAMS, given) if _PARAMS.callback else given


def _make_options() -> list[click.Parameter]:
	options = [copy(option) for option in kedro_run.params]
	for option in options:
		if option.name == "params":
			option.callback = split_params
	return options


@cli.command(params=_make_options(), help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, **options: Any) -> Any:
	"""Run a pipeline; a mendable error becomes one message and exit code 1."""
	lock = lock_of(find_project(Path.cwd()))
	lock.outcome = NOTHING_PUBLISHED
	result = None
	with interruption.listening():
		try:
			_require_environment(options["env"], _find_configuration(options["conf_source"]))
			require_selection(options, pipelines)
			require_one_after_the_other(options)
			lock.acquire()
			result = context.invoke(kedro_run, **options)
		except _MENDABLE as error:
			if interruption.received is None:
				# Not Kedro's own error class: it shows no message where click handles it.
				kind = _TryLater if _is_for_later(error) else click.ClickException
				raise kind(_explain(error, lock.outcome)) from error
		except BaseException:
			# An import may have turned it into another error.
			if interruption.received is None:
				raise
		finally:
			lock.release()
	if interruption.received is not None:
		click.echo(f"\nInterrupted by {interruption.name}: {lock.outcome}.", err=True)
		context.exit(interruption.settle())
	return result


def _find_configuration(source: str | None) -> Path:
	return Path(source) if source else find_project(Path.cwd()) / "conf"


def _require_environment(name: str | None, configuration: Path) -> None:
	if not configuration.exists():
		raise InputError(
			f"configuration {configuration}",
			"it does not exist",
			"Start in the project's folder, or name another: --conf-source=conf-loantap.tar.gz",
		)
	if name and configuration.is_dir() and not (configuration / name).is_dir():
		known = sorted(path.name for path in configuration.iterdir() if path.is_dir())
		raise InputError(f"--env {name}", "unknown environment", f"Known names: {', '.join(known)}")


class _TryLater(click.ClickException):
	exit_code = TRY_LATER


def _is_for_later(error: BaseException | None) -> bool:
	"""Whether a system is down, which the exit code tells a task."""
	while error is not None and RUN_VARIABLE in os.environ:
		if isinstance(error, SourceDownError | RegistryDownError):
			return True
		error = error.__cause__
	return False


def _explain(error: Exception, outcome: str) -> str:
	"""The message without what Kedro wraps around it."""
	cause: BaseException | None = error
	while cause is not None and not isinstance(cause, InputError):
		cause = cause.__cause__
	message = str(cause or error)
	if outcome == ALL_PUBLISHED:
		return f"{message}\nEverything of this run is published all the same: the error came later."
	if outcome not in {NOTHING_PUBLISHED, ""}:
		return f"{message}\n{outcome[0].upper()}{outcome[1:]}."
	return message
