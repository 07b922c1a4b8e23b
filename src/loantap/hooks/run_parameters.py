"""The closed list of run parameters that a person may give with `--params`."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from loantap.portfolio.errors import InputError
from loantap.tables.column_maps.column_map import read_column_map


def flatten(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
	"""Nested mapping to one level, by dotted names (`modeling.lending.folds`)."""
	flat: dict[str, Any] = {}
	for name, value in parameters.items():
		path = f"{prefix}{name}"
		flat |= flatten(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
	return flat


RUN_PARAMETERS: Final = MappingProxyType(
	{
		"portfolio": "file of loans to build the sources from (default: the demo generator)",
		"columns": "column map of that file, a YAML file or lending_club (default: LoanTap's columns)",
		"loans": "resolved loans of the demo portfolio as of March 2017, beside which about 1.2 "
		"times as many run (default: 20000)",
		"replace_real": "true lets demo data take the place of real loans in the sources (default: false)",
		"seed": "seed of everything random (default: 42)",
		"as_of": "day of the run, YYYY-MM-DD, or the month that ends then, YYYY-MM (default: "
		"today); the snapshot of the demo portfolio, which knows no month after March 2017",
		"since": "read again what the sources changed from 2016, 2016-01 or 2016-01-15 on, or all "
		"(default: since the last good snapshot)",
		"applications": "file of applications to score, or to make offers for",
		"scores": "Parquet or CSV file the scores go to",
		"offered": "Parquet or CSV file the offers go to",
		"decisions": "Parquet file of decisions to watch that `loantap-audit export` wrote (default: the audit log)",
		"service_metrics": "file with what the API answers to GET /metrics",
		"target": "what the models foresee: charged_off, dpd_90_within_12, dpd_90_within_18 or "
		"dpd_90_within_24 (default: charged_off)",
		"external": "file of resolved loans of another time or lender to judge on",
		"summary": "full shows every table at the end of the run (default: short)",
	}
)
# Files that are made of applications.
_OUTPUTS: Final = ("scores", "offered")
# What is meant by the name of an earlier release, and by a file under the name of a pipeline. Then
# earlier names within groups.
_REAL_NAMES: Final = MappingProxyType(
	{"foreign": "external", "offers": "offered", "scoring": "scores", "sources": "portfolio"}
)
_RENAMED_IN_GROUPS: Final = MappingProxyType({"snapshot": "outcomes_as_of"})
_OUTPUT_FORMATS: Final = (".parquet", ".csv")
_TABLE_FORMATS: Final = (".csv", ".csv.gz", ".csv.zst", ".zip", ".tsv", ".txt", ".xlsx", ".parquet", ".pq", ".parq")


def check_run_parameters(given: Mapping[str, Any], groups: Iterable[str]) -> None:
	"""Refuse a parameter that nothing reads, and a file that is not there or no column map.

	`given` is what stood behind `--params`, nested; `groups` are paths, by which parameters may be overridden.

	Raises:
		InputError: naming the parameter, the nearest known one, the file, or what is wrong with a column map.
	"""
	groups = tuple(groups)
	known = [*RUN_PARAMETERS, *groups]
	for name, value in _list_given(given, groups):
		is_group = name in groups
		if name in RUN_PARAMETERS or (is_group and isinstance(value, Mapping)):
			continue
		near = [] if is_group else get_close_matches(name, known, n=1)
		close = [_REAL_NAMES[name]] if name in _REAL_NAMES else near
		guess = f"Did you mean {close[0]}? " if close else ""
		raise InputError(
			f"--params {name}",
			"it is a group of parameters, not one of them" if is_group else "unknown parameter",
			f"{guess}Known names: {', '.join(RUN_PARAMETERS)}, and <group>.<name> for the groups {', '.join(groups)}",
		)
	for name in ("portfolio", "applications", "external", "decisions", "service_metrics"):
		if given.get(name) is not None:
			_check_file(f"--params {name}", Path(str(given[name])))
	if given.get("columns") is not None:
		read_column_map(str(given["columns"]))
	for name in _OUTPUTS:
		_check_output(f"--params {name}", given.get(name), given.get("applications"))


def check_parameter_groups(parameters: Mapping[str, Any], models: Mapping[str, type[BaseModel]]) -> None:
	"""Validate every parameter group, whichever pipeline is run.

	Raises:
		InputError: naming the first parameter that cannot be used, its value and the remedy.
	"""
	_require_known_groups(parameters, models)
	for path, model in models.items():
		group = reduce(lambda found, name: found[name], path.split("."), parameters)
		try:
			model.model_validate(group)
		except ValidationError as error:
			raise _explain(path, model, error.errors(include_url=False)[0]) from error


def _require_known_groups(parameters: Mapping[str, Any], known: Iterable[str]) -> None:
	paths = tuple(known)
	roots = {path.partition(".")[0] for path in paths} | set(RUN_PARAMETERS)
	# Kedro keeps names that begin with _ for YAML anchors.
	read = {name: value for name, value in parameters.items() if not name.startswith("_")}
	for name, _ in _list_given(read, paths):
		if name.partition(".")[0] not in roots or ("." in name and name not in paths):
			close = get_close_matches(name, [*paths, *roots], n=1)
			guess = f"Did you mean {close[0]}? " if close else ""
			raise InputError(f"parameter group {name}", "nothing reads it", f"{guess}Correct its name in conf/")


def _explain(path: str, model: type[BaseModel], details: Mapping[str, Any]) -> InputError:
	names = [str(part) for part in details["loc"]]
	where = f"parameter {'.'.join([path, *names])}"
	if details["type"] == "extra_forbidden":
		fields = _find_fields(model, names[:-1])
		now = _RENAMED_IN_GROUPS.get(names[-1])
		close = [now] if now in fields else get_close_matches(names[-1], fields, n=1)
		guess = f"Did you mean {close[0]}? " if close else ""
		return InputError(where, "unknown parameter", f"{guess}Correct its name, or leave it out")
	given = details["input"]
	value = "" if isinstance(given, Mapping) else f"{given!r} cannot be used: "
	return InputError(where, f"{value}{details['msg']}", "Correct it in conf/, or after --params")


def _find_fields(model: type[BaseModel], path: Iterable[str]) -> Collection[str]:
	for name in path:
		below = model.model_fields[name].annotation if name in model.model_fields else None
		if not (isinstance(below, type) and issubclass(below, BaseModel)):
			return ()
		model = below
	return model.model_fields


def _list_given(given: Mapping[str, Any], groups: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
	for name, value in given.items():
		is_parent = any(group.startswith(f"{name}.") for group in groups)
		if is_parent and isinstance(value, Mapping):
			yield from ((f"{name}.{below}", of_group) for below, of_group in value.items())
		else:
			yield str(name), value


def _resolve(path: object) -> Path | None:
	return None if path is None else Path(str(path)).expanduser().resolve()


def _check_output(parameter: str, path: object, applications: object) -> None:
	if path is None:
		return
	if _resolve(path) == _resolve(applications):
		raise InputError(parameter, f"'{path}' is the file of applications", "Name another file")
	if Path(str(path)).suffix not in _OUTPUT_FORMATS:
		raise InputError(parameter, f"'{path}' is not a .parquet or .csv file", "Give it one of these endings")


def _check_file(parameter: str, path: Path) -> None:
	found = path.expanduser()
	try:
		found.stat()
	except PermissionError as error:
		raise InputError(
			parameter, f"file {path} cannot be reached by this user ({os.geteuid()})", "Grant the right to enter its folders"
		) from error
	except OSError:
		pass  # told below
	if found.is_dir():
		raise InputError(parameter, f"{path} is a folder", "Name a file in it")
	if not found.is_file():
		here = f"Paths are relative to {Path.cwd().name}/, where you are"
		raise InputError(parameter, f"file {path} does not exist", "Check its name" if found.is_absolute() else here)
	if found.stat().st_size == 0:
		raise InputError(parameter, f"file {path} is empty", "Give a file with a header and rows")
	if not found.name.lower().endswith(_TABLE_FORMATS):
		*others, last = _TABLE_FORMATS
		raise InputError(parameter, f"file {path} is not {', '.join(others)} or {last}", "Convert or rename it")
