"""Reference of pipelines and datasets, from the registry of pipelines and the catalog."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, settings
from kedro.pipeline.node import Node

from loantap.pipeline_registry import register_pipelines
from tools.docs.markdown import code, make_table, take_summary

PROJECT: Final = Path(__file__).parents[2]
_LAYERS: Final = "source raw intermediate primary feature model_input models model_output reporting".split()


def load_configuration() -> OmegaConfigLoader:
	"""The configuration as it is shipped."""
	configure_project("loantap")
	return OmegaConfigLoader(str(PROJECT / "conf"), env="base", **settings.CONFIG_LOADER_ARGS)


def render_pipelines() -> str:
	"""Every pipeline with its nodes, what they read and what they write."""
	pipelines = register_pipelines()
	whole = {name: set(pipeline.nodes) for name, pipeline in pipelines.items()}
	singles = {name: nodes for name, nodes in whole.items() if f"loantap.pipelines.{name}" in sys.modules}
	parts = [
		"# Pipelines\n\n`kedro run --pipelines NAME` runs one. A dataset is described under [datasets](datasets.md).\n"
	]
	parts.append("## Composites\n")
	parts.append(
		make_table(
			("pipeline", "is"),
			(
				(code("kedro run" if name == "__default__" else name), _list_parts(nodes, singles))
				for name, nodes in whole.items()
				if name not in singles
			),
		)
	)
	known = set().union(*singles.values())
	for name, nodes in whole.items():
		# A composite has a section where it has nodes of its own, as `retraining` has.
		if name in singles or not nodes <= known:
			parts.append(f"## {name}\n")
			own = nodes if name in singles else nodes - known
			parts.append(_render_nodes([node for node in pipelines[name].nodes if node in own]))
	return "\n".join(parts)


def _list_parts(nodes: set[Any], singles: Mapping[str, set[Any]]) -> str:
	own = "" if nodes <= set().union(*singles.values()) else ", and nodes of its own, below"
	return code(*(name for name, part in singles.items() if part <= nodes)) + own


def _render_nodes(nodes: Iterable[Node]) -> str:
	return make_table(
		("node", "does", "reads", "writes"),
		((code(node.name), take_summary(node.func.__doc__), _link(node.inputs), _link(node.outputs)) for node in nodes),
	)


def _link(names: Iterable[str]) -> str:
	return ", ".join(dict.fromkeys(code(name) for name in names)) or "nothing"


def render_datasets() -> str:
	"""Every dataset of the catalog by layer: what it holds, of which type, and where."""
	catalog = load_configuration()["catalog"]
	parts = [
		"# Datasets\n\nBy layer. `{model}` stands for `benchmark`, `published_replica`, `lending` or `application`.\n"
	]
	for layer in _LAYERS:
		rows = (
			(code(name), entry["metadata"]["description"], _name_type(entry), _find_place(entry))
			for name, entry in sorted(catalog.items())
			if entry["metadata"]["kedro-viz"]["layer"] == layer
		)
		parts += [f"## {layer}\n", make_table(("dataset", "holds", "type", "file or table"), rows)]
	return "\n".join(parts)


def _name_type(entry: Mapping[str, Any]) -> str:
	inner = entry.get("dataset", {}).get("type", "")
	return code(*(kind.rpartition(".")[2] for kind in (entry["type"], inner) if kind))


def _find_place(entry: Mapping[str, Any]) -> str:
	path = entry.get("filepath") or entry.get("dataset", {}).get("filepath")
	table = ".".join(str(entry[name]) for name in ("system", "table") if name in entry)
	return code(path or table) if path or table else ""
