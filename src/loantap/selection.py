"""What `kedro run` is asked to run, checked before Kedro looks for it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kedro.pipeline import Pipeline

from loantap.portfolio.errors import InputError

_DEFAULT = "__default__"
# More than these are not listed in a message: there are a hundred nodes.
_SHOWN = 16


@dataclass(frozen=True, slots=True)
class _Filter:
	"""One option of `kedro run` that picks nodes, and how its values are called."""

	option: str
	kind: str
	keyword: str


_FILTERS = {
	"node_names": _Filter("--nodes", "node", "node_names"),
	"from_nodes": _Filter("--from-nodes", "node", "from_nodes"),
	"to_nodes": _Filter("--to-nodes", "node", "to_nodes"),
	"from_inputs": _Filter("--from-inputs", "dataset", "from_inputs"),
	"to_outputs": _Filter("--to-outputs", "dataset", "to_outputs"),
	"tags": _Filter("--tags", "tag", "tags"),
	"namespaces": _Filter("--namespaces", "namespace", "node_namespaces"),
}


def require_selection(options: Mapping[str, Any], pipelines: Mapping[str, Pipeline]) -> None:
	"""Refuse a pipeline, node, dataset, tag or namespace that is not there, and an empty choice.

	Raises:
		InputError: naming the option, the value and the nearest that is known.
	"""
	names = [*(options["pipelines"] or ()), *filter(None, [options["pipeline"]])]
	for name in names:
		if name not in pipelines:
			raise _unknown("--pipelines", "pipeline", name, pipelines)
	chosen = sum((pipelines[name] for name in names or [_DEFAULT]), Pipeline([]))
	given = {name: options[name] for name in _FILTERS if options.get(name)}
	if not given:
		return
	for name, values in given.items():
		found = _FILTERS[name]
		known = set(_list_known(found, chosen))
		for value in values:
			if value not in known:
				raise _unknown(found.option, found.kind, value, known, names or [_DEFAULT])
	_require_nodes(chosen, given)


def require_one_after_the_other(options: Mapping[str, Any]) -> None:
	"""Refuse the runners that do several nodes at once.

	What a run saves is held back by the datasets of one process, and its log is that of one thread.

	Raises:
		InputError: naming the option.
	"""
	runner = options.get("runner")
	if runner and str(runner).rpartition(".")[2] != "SequentialRunner":
		given = f"--runner {runner}"
	elif options.get("is_async"):
		given = "--async"
	elif options.get("runner_params"):
		given = "--runner-params"
	else:
		return
	raise InputError(
		given,
		"nodes run one after another here: one process publishes all their output together",
		"Leave it out; fits already run in parallel, in modeling.<model>.jobs threads",
	)


def _require_nodes(chosen: Pipeline, given: Mapping[str, Any]) -> None:
	keywords = {_FILTERS[name].keyword: values for name, values in given.items()}
	try:
		chosen.filter(**keywords)
	except ValueError as error:
		told = ", ".join(f"{_FILTERS[n].option} {','.join(v)}" for n, v in given.items())
		raise InputError(told, "no node is left to run", "Leave one of them out, or choose another pipeline") from error


def _list_known(found: _Filter, chosen: Pipeline) -> Iterator[str]:
	match found.kind:
		case "node":
			yield from (node.name for node in chosen.nodes)
		case "dataset":
			yield from (chosen.datasets() if found.option == "--from-inputs" else (chosen.all_outputs()))
		case "tag":
			yield from (tag for node in chosen.nodes for tag in node.tags)
		case _:
			for node in chosen.nodes:
				parts = node.namespace.split(".") if node.namespace else []
				yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _unknown(option: str, kind: str, value: str, known: Iterable[str], searched: Iterable[str] = ()) -> InputError:
	names = sorted(known)
	close = get_close_matches(value, names, n=1)
	# Most leave out the namespace: `search_hyperparameters`.
	without = {name.rpartition(".")[2]: name for name in reversed(names)}
	close = close or [without[name] for name in get_close_matches(value, without, n=1)]
	guess = f"Did you mean {close[0]}? " if close else ""
	where = f" of {', '.join(searched)}" if searched else ""
	if len(names) <= _SHOWN:
		remedy = f"Known names: {', '.join(names)}"
	else:
		remedy = "; ".join(f"`kedro registry describe {name}` lists its nodes" for name in searched)
	return InputError(f"{option} {value}", f"unknown {kind}{where}", f"{guess}{remedy}")
