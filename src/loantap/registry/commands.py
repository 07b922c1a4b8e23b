"""`loantap-models`: list the registered models, show one, restore one."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from omegaconf import OmegaConf
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from loantap.model.promotion.release import is_for_lending
from loantap.portfolio.errors import InputError
from loantap.project.folder import find_project
from loantap.registry import history, locations
from loantap.registry.connection import (
	ADDRESS_VARIABLE,
	RegistryDownError,
	asking_registry,
	choose_address,
	use_registry,
)
from loantap.registry.models import ModelVersion
from loantap.registry.reading import load_version
from loantap.reporting.terminal.details import FirstThatFits

_ARTIFACTS = "tracking.experiment.create_experiment_kwargs.artifact_location"
_CAPTION = "* champion   † best of its kind, not for lending"
# Of version, kind, loans and date, in 80 columns.
_WIDTHS = (6, 8, 23, 20)


@dataclass(frozen=True, slots=True)
class _Store:
	address: str
	artifacts: str | None
	project: Path


def find_address(folder: Path, environment: str = "local") -> str:
	"""Address of the registry as `kedro run` finds it; see `choose_address`."""
	project = find_project(folder)
	return choose_address(_read_setting("server.mlflow_tracking_uri", project, environment), project)


def _read_setting(setting: str, project: Path, environment: str) -> str | None:
	"""What `mlflow.yml` of the environment, or else of `base`, says."""
	for name in (environment, "base"):
		path = project / "conf" / name / "mlflow.yml"
		if path.is_file():
			found = OmegaConf.select(OmegaConf.load(path), setting)
			if found:
				return str(found)
	return None


def _explained(command: Callable[..., None]) -> Callable[..., None]:

	@wraps(command)
	def explained(*args: Any, **options: Any) -> None:
		try:
			command(*args, **options)
		except InputError as error:
			raise click.ClickException(str(error)) from error

	return explained


@click.group()
@click.option("--registry", help=f"Address of MLflow, instead of {ADDRESS_VARIABLE} and conf/.")
@click.option("--env", default="local", envvar="KEDRO_ENV", show_default=True, help="Environment, as for `kedro run`.")
@click.pass_context
def main(context: click.Context, registry: str | None, env: str) -> None:
	"""Registered models: which there are, why one is champion, and how to go back.

	MLflow is asked where `kedro run` asks it: at MLFLOW_TRACKING_URI, or else where mlflow.yml in
	the project's conf/ says.
	"""
	project = find_project(Path.cwd())
	address = registry or find_address(project, env)
	use_registry(address)
	context.obj = _Store(address, _read_setting(_ARTIFACTS, project, env), project)
	if context.invoked_subcommand != relocate.name:
		_tell_if_moved(context.obj)


def _tell_if_moved(store: _Store) -> None:
	try:
		with asking_registry():
			locations.require_same_place(store.address, store.artifacts, store.project)
	except RegistryDownError:
		return  # what the command asks of it tells so
	except InputError as error:
		click.echo(f"Warning: {error}", err=True)


@main.command()
@click.pass_obj
@_explained
def relocate(store: _Store) -> None:
	"""Find the models again after the project was moved."""
	count = locations.relocate(store.address, store.artifacts, store.project)
	told = f"{count:,} locations changed: MLflow now keeps" if count else "Nothing to do: MLflow keeps"
	click.echo(f"{told} its files in {store.project}.")


@main.command(name="list")
@_explained
def list_models() -> None:
	"""List every version with its origin and verdict."""
	records = history.list_versions()
	Console().print(FirstThatFits(_tabulate_versions(records), _stack_versions(records)))


@main.command()
@click.argument("name")
@click.argument("version")
@_explained
def show(name: str, version: str) -> None:
	"""Show a version, and each condition of its verdict."""
	record = history.get_version(name, version)
	facts = load_version(record.model).facts
	console = Console()
	table = Table("", Column(overflow="fold"), title=str(record.model), title_justify="left", show_header=False)
	for fact, value in facts.model_dump(exclude={"profile"}).items():
		if fact != "reference":
			table.add_row(fact.replace("_", " "), Text(str(value)))
	table.add_row("verdict", Text(f"{record.outcome}: {record.reason}" if record.reason else record.outcome))
	for when, said in record.restorations.items():
		table.add_row(f"restored {when}", Text(said))
	console.print(table)
	verdicts = history.read_verdicts(record.model) or {}
	for verdict in filter(None, (verdicts.get(judged) for judged in ("challenger", "champion"))):
		console.print(_tabulate_conditions(verdict))


@main.command()
@click.argument("name")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it is written on the version.")
@_explained
def restore(name: str, version: str, reason: str) -> None:
	"""Make a version champion again that was champion before."""
	model = ModelVersion(name, version)
	displaced = history.restore(model, who=getpass.getuser(), reason=reason)
	Console().print(Text(f"{model} is champion, in place of {displaced or 'no model'}."))


@main.command()
@click.argument("name")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it is written on the version.")
@_explained
def sign(name: str, version: str, reason: str) -> None:
	"""Make a version of `--pipelines retraining` champion.

	Read first how `show` says it compares with the present one.
	"""
	model = ModelVersion(name, version)
	displaced = history.sign(model, who=getpass.getuser(), reason=reason)
	Console().print(Text(f"{model} is champion, in place of {displaced or 'no model'}."))


@main.command(name="validate")
@click.argument("name", required=False)
@click.argument("version", required=False)
@click.pass_context
@_explained
def validate_model(context: click.Context, name: str | None, version: str | None) -> None:
	"""Recompute a version's figures, or the champion's. If one differs or cannot be, end with exit code 1."""
	# Here, since other commands fit no model.
	from loantap.registry.validation import choose_version, validate_version
	from loantap.reporting.validation_page import tabulate_validation

	found = validate_version(choose_version(name, version), context.obj.project)
	failed = (f"FAILED: {part}: {why}" for part, why in found.failed.items())
	Console().print(
		tabulate_validation(found), *failed, "Not validated: " + "; ".join(found.left_out), sep="\n", markup=False
	)
	context.exit(0 if found.passes else 1)


def _tell_loans(tags: dict[str, str]) -> str:
	if "training_loans" not in tags:
		return tags.get("origin", "")
	return f"{int(tags['training_loans']):,} {tags['origin']} loans"


def _tabulate_conditions(verdict: dict[str, Any]) -> Table:
	title = verdict["headline"]
	table = Table("condition", "holds", Column("evidence", overflow="fold"), title=Text(title), title_justify="left")
	for condition in verdict["conditions"]:
		holds = "yes" if condition["holds"] else "NO"
		table.add_row(condition["name"], holds, Text(condition["evidence"]))
	return table


def _tabulate_versions(records: list[history.VersionRecord]) -> Table:
	table = Table(
		"model",
		"version",
		"kind",
		"trained on",
		"registered",
		"verdict",
		title="Registered models",
		title_justify="left",
		caption=_CAPTION,
	)
	for record in records:
		table.add_row(record.model.name, *_list_facts(record))
	return table


def _stack_versions(records: list[history.VersionRecord]) -> Group:
	"""For 80 columns: a block per model, below its name."""
	parts: list[RenderableType] = [Text(f"Registered models   {_CAPTION}", style="italic")]
	for name, versions in groupby(records, key=lambda record: record.model.name):
		grid = Table.grid(*(Column(width=width) for width in _WIDTHS), Column(overflow="fold"), padding=(0, 1, 0, 0))
		for record in versions:
			version, *facts = _list_facts(record)
			grid.add_row(f"  {version}", *facts)
		parts += [Text(name, style="bold"), grid]
	return Group(*parts)


def _list_facts(record: history.VersionRecord) -> list[str]:
	star = (" *" if is_for_lending(record.model.name) else " †") if record.is_champion else ""
	return [
		f"{record.model.version}{star}",
		record.tags.get("kind", ""),
		_tell_loans(record.tags),
		f"{record.created:%Y-%m-%d %H:%M} UTC",
		record.outcome,
	]


if __name__ == "__main__":
	main()
