"""Run parameters held against one another, the day, and what the run does."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import pandas as pd
from pydantic import BaseModel

from loantap.hooks.run_parameters import flatten
from loantap.portfolio.errors import InputError
from loantap.portfolio.target import Target

# Datasets that a run parameter is the path of; the others are fields of parameter groups.
_DATASETS: Final = MappingProxyType(
	{
		"portfolio": "sources.portfolio_file",
		"columns": "sources.portfolio_file",
		"applications": "applications",
		"scores": "scores",
		"offered": "offers",
		"external": "evaluation.external_loans",
		"decisions": "monitoring.decision_reader",
		"service_metrics": "monitoring.service_counts",
	}
)
_PIPELINES: Final = MappingProxyType(
	{
		"portfolio": "sources",
		"columns": "sources",
		"loans": "sources",
		"replace_real": "sources",
		"since": "ingestion",
		"target": "feature_engineering",
		"external": "evaluation",
		"applications": "scoring",
		"scores": "scoring",
		"offered": "offers",
		"decisions": "monitoring",
		"service_metrics": "monitoring",
	}
)
_DAY: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_YES, _NO = (True, "true", "True"), (False, "false", "False")
_SHORT, _FULL = "short", "full"
_NO_EFFECT = "it would have no effect"


def check_choices(given: Mapping[str, Any], latest: date) -> None:
	"""Refuse a parameter without a value, two that contradict each other, and a day after `latest`.

	Raises:
		InputError: naming the parameter and what to do.
	"""
	for name, value in flatten(given).items():
		if value is None or (isinstance(value, str) and not value.strip()):
			raise InputError(
				f"--params {name}",
				"there is no value after it",
				"Give one, or leave the parameter out; a shell variable may be empty",
			)
	_require_one_source(given)
	for name, needed, lack in (
		("scores", "applications", "are no applications to score"),
		("offered", "applications", "are no applications to make offers for"),
		("columns", "portfolio", "is no file to map"),
	):
		if name in given and needed not in given:
			raise InputError(f"--params {name}", f"there {lack}", f"Add {needed}=FILE.csv, or leave it out")
	if "decisions" in given and "applications" in given:
		problem = "the applications bring decisions of their own"
		raise InputError("--params decisions", problem, "Leave one of the two out")
	target = find_target_asked(given)
	if "external" in given and target.window_months:
		problem = f"its loans are resolved ones, which {target} is not about"
		raise InputError("--params external", problem, "Leave it out, or the target")
	if "as_of" in given:
		_require_day(given["as_of"], latest)


def find_target_asked(given: Mapping[str, Any]) -> Target:
	"""The target of the run; an unknown one is left to the check of its group."""
	group = given.get("feature_engineering")
	asked = given.get("target", group.get("target") if isinstance(group, Mapping) else None)
	return Target(asked) if asked in list(Target) else Target.CHARGED_OFF


def replaces_real(given: Mapping[str, Any]) -> bool:
	"""Whether demo data may take the place of real sources; InputError for an answer neither yes nor no."""
	value = given.get("replace_real", False)
	if value not in (*_YES, *_NO):
		raise InputError("--params replace_real", f"{value!r} is not true or false", "Give true or false")
	return value in _YES


def shows_all(given: Mapping[str, Any]) -> bool:
	"""Whether the run's summary shows every table it has; InputError for neither of the two summaries."""
	value = given.get("summary", _SHORT)
	if value not in (_SHORT, _FULL):
		raise InputError("--params summary", f"'{value}' is not {_SHORT} or {_FULL}", f"Give {_SHORT} or {_FULL}")
	return bool(value == _FULL)


def check_readers(given: Mapping[str, Any], models: Mapping[str, type[BaseModel]], names: Collection[str]) -> None:
	"""Refuse a parameter that nothing of this run reads: who gave it expects it to count.

	`models`: those of each parameter group, by path. `names`: datasets and parameters (`params:...`) of the run's
	nodes.

	Raises:
		InputError: naming the parameter and the pipeline that reads it.
	"""
	groups = {path: model for path, model in models.items() if f"params:{path}" in names}
	for name in given:
		if name == "summary":  # of every run
			continue
		if name in _DATASETS:
			is_read = _DATASETS[name] in names
		elif name == "replace_real":
			is_read = "sources.portfolio_file" in names
		elif any(path.partition(".")[0] == name for path in models):
			_require_group(name, given[name], groups, models)
			continue
		else:
			is_read = any(name in model.model_fields for model in groups.values())
		if not is_read:
			raise _unread(f"--params {name}", _PIPELINES.get(name, ""))


def _require_group(
	name: str, value: object, groups: Mapping[str, type[BaseModel]], models: Mapping[str, type[BaseModel]]
) -> None:
	below = [path for path in models if path.startswith(f"{name}.")]
	asked = [name]
	if below and isinstance(value, Mapping):
		asked = [f"{name}.{part}" for part in value]
	for path in asked:
		if path not in groups:
			raise _unread(f"--params {path}", name)


def _unread(where: str, pipeline: str) -> InputError:
	remedy = "Leave it out"
	if pipeline:
		remedy += f", or run the pipeline that reads it: --pipelines {pipeline}"
	return InputError(where, f"no step of this run reads it: {_NO_EFFECT}", remedy)


def _require_one_source(given: Mapping[str, Any]) -> None:
	for name in ("loans", "replace_real"):
		if "portfolio" in given and name in given:
			raise InputError(
				f"--params portfolio, {name}",
				f"they contradict each other: portfolio reads a file, and {name} is for the demo",
				"Leave one of them out",
			)


def _require_day(value: object, latest: date) -> None:
	"""A day, or a month, which stands for its last day; one that is past."""
	where = "--params as_of"
	found = _DAY.fullmatch(value) if isinstance(value, str) else None
	try:
		day = date(int(found[1]), int(found[2]), int(found[3] or 1)) if found else None
	except ValueError:
		day = None
	if found is None or day is None:
		raise InputError(
			where,
			f"'{value}' is not a day or a month",
			"Give YYYY-MM-DD, such as 2016-01-15, or YYYY-MM for the last day of a month",
		)
	last = day if found[3] else (pd.Timestamp(day) + pd.offsets.MonthEnd()).date()
	if last > latest:
		raise InputError(where, f"{value} is still to come", "Give a day that is past, or leave it out for today")
