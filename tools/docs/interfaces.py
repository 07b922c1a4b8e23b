"""Reference of what is used from outside: the HTTP API, the columns, the commands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final
from unittest.mock import Mock

import click

from loantap.cli import run
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.serving.api.worker import make_app
from loantap.serving.settings import read_settings
from tools.docs.markdown import code, make_table, take_summary
from tools.docs.parameters import describe_type
from tools.docs.pipelines import PROJECT

_WIDTH: Final = 100


def load_openapi() -> dict[str, Any]:
	"""The document that the API serves at `/openapi.json`; nothing that decides is needed for it."""
	app = make_app(Mock(settings=read_settings({}, PROJECT)))
	with app.app_context():
		document: Any = app.spec
		return dict(document)


def render_api() -> str:
	"""Every route by its subject, then every model that is sent or answered."""
	document = load_openapi()
	routes = [(path, method, told) for path, of in document["paths"].items() for method, told in of.items()]
	parts = [f"# HTTP API\n\n{document['info']['description']} The API serves this at `/openapi.json` and `/docs`.\n"]
	for tag in (each["name"] for each in document["tags"]):
		parts.append(f"## {tag}\n")
		rows = [_describe_route(*route) for route in sorted(routes) if tag in route[2]["tags"]]
		parts.append(make_table(("route", "does", "takes", "answers", "problems"), rows))
	parts.append("## Models\n")
	for name, schema in sorted(document["components"]["schemas"].items()):
		if fields := schema.get("properties"):
			parts.append(f"### {name.rpartition('__')[2]}\n\n{take_summary(schema.get('description'))}\n")
			parts.append(
				make_table(
					("field", "is", "meaning"),
					((code(field), describe_type(of, {}), of.get("description", "")) for field, of in fields.items()),
				)
			)
	return "\n".join(parts)


def _describe_route(path: str, method: str, told: Mapping[str, Any]) -> tuple[str, ...]:
	summary = ". ".join(told[name].rstrip(".") for name in ("summary", "description") if told.get(name))
	taken = [code(each["name"]) for each in told.get("parameters", ())] + _list_models(told.get("requestBody", {}))
	answered = [model for status in ("200", "201") for model in _list_models(told["responses"].get(status, {}))]
	problems = [status for status in told["responses"] if status >= "400"]
	return (
		f"`{method.upper()} {path}`",
		summary,
		", ".join(taken),
		", ".join(dict.fromkeys(answered)),
		", ".join(problems),
	)


def _list_models(content: Mapping[str, Any]) -> list[str]:
	return [describe_type(each.get("schema", {}), {}) for each in content.get("content", {}).values()]


def render_dictionary() -> str:
	"""Every column of the portfolio, by the table that it arrives in."""
	tables: dict[str, list[Column]] = {}
	for column in COLUMNS.values():
		tables.setdefault(f"{column.table} ({column.system})" if column.table else "Derived", []).append(column)
	parts = [
		"# Data dictionary\n\nThe columns of the portfolio. One not known when a loan is decided is never a feature.\n"
	]
	for table, columns in tables.items():
		parts.append(f"## {table}\n")
		rows = (
			(
				code(column.name),
				column.meaning,
				f"{column.kind}, {column.unit}" if column.unit else str(column.kind),
				_describe_values(column),
				code(column.source_name) if column.source_name else "",
				"yes" if column.known_at_decision else "**no**",
				"**personal**" if column.personal else "",
			)
			for column in columns
		)
		parts.append(
			make_table(("column", "meaning", "kind, unit", "valid", "name at source", "known at decision", ""), rows)
		)
	return "\n".join(parts)


def _describe_values(column: Column) -> str:
	chosen = column.categories or column.listed or column.values
	if chosen:
		return code(*chosen) + (", others" if column.listed else "")
	bounds = [
		f"{words} {bound:,.10g}" for words, bound in (("from", column.minimum), ("to", column.maximum)) if bound is not None
	]
	told = [
		" ".join(bounds),
		f"from {column.earliest}" if column.earliest else "",
		"or missing" if column.nullable else "",
	]
	return ", ".join(each for each in told if each)


def render_commands() -> str:
	"""What `make` can do, and the help of every console command."""
	goals = re.findall(r"^([a-z-]+):.*?## (.*)$", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
	parts = [
		"# Commands\n\n## make\n",
		make_table(("command", "does"), ((code(f"make {name}"), text) for name, text in goals)),
	]
	for name, command in list_commands().items():
		parts.append(f"## {name}\n")
		parts.extend(f"```text\n{text}\n```\n" for text in _list_helps(command, name))
	return "\n".join(parts)


def list_commands() -> dict[str, click.Command]:
	"""`kedro run` and the console scripts of pyproject.toml."""
	project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
	found = {name: target.split(":") for name, target in project["scripts"].items()}
	return {"kedro run": run} | {name: getattr(import_module(of), function) for name, (of, function) in found.items()}


def _list_helps(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
	context = click.Context(command, parent, info_name=name, terminal_width=_WIDTH)
	yield command.get_help(context).strip()
	if isinstance(command, click.Group):
		for below in command.list_commands(context):
			if found := command.get_command(context, below):
				yield from _list_helps(found, below, context)
