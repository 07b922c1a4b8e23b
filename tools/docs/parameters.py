"""Reference of parameters: the pydantic models give meaning and range, `conf/base` value and comment."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from loantap.hooks.run_parameters import RUN_PARAMETERS
from loantap.pipeline_registry import register_pipelines
from tools.docs.markdown import code, make_table, take_attributes, take_summary
from tools.docs.pipelines import PROJECT, load_configuration

_BOUNDS: Final = {
	"minimum": "at least",
	"exclusiveMinimum": "above",
	"maximum": "at most",
	"exclusiveMaximum": "below",
	"minItems": "items, at least",
	"maxItems": "items, at most",
}


def list_groups() -> dict[str, type[BaseModel]]:
	"""The model of each parameter group, by its path."""
	return dict(TypeExtractor(register_pipelines()).extract_types_from_pipelines())


def render_parameters() -> str:
	"""Run parameters, then each group with every parameter in it."""
	shipped = load_configuration()["parameters"]
	parts = [
		"# Parameters\n\nFor `kedro run --params`: run parameters, or any by its path (`modeling.lending.folds=10`).\n",
		"## Run parameters\n",
		make_table(("parameter", "meaning"), ((code(name), text) for name, text in RUN_PARAMETERS.items())),
	]
	for path, model in sorted(list_groups().items()):
		value = shipped
		for name in path.split("."):
			value = value[name]
		file = next(iter(PROJECT.glob(f"conf/base/parameters_{path.partition('.')[0]}.yml")))
		rows = _list_rows(model.model_json_schema(), value, path, _read_comments(file.read_text("utf-8")))
		parts.append(f"## {path}\n\n{take_summary(model.__doc__)} Shipped in `{file.relative_to(PROJECT)}`.\n")
		parts.append(make_table(("parameter", "as shipped", "may be", "meaning"), rows))
	return "\n".join(parts)


def _list_rows(
	schema: Mapping[str, Any], value: Any, path: str, comments: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str]]:
	definitions = schema.get("$defs", {})

	def walk(of: Mapping[str, Any], value: Any, at: str) -> Iterator[tuple[str, str, str, str]]:
		said = take_attributes(of.get("description", ""))
		for name, field in of.get("properties", {}).items():
			where, given = f"{at}.{name}", value.get(name) if isinstance(value, Mapping) else None
			below = _resolve(field, definitions)
			if "properties" in below:
				yield from walk(below, given, where)
				continue
			meaning = {text.rstrip(".") for text in (said.get(name), field.get("description"), comments.get(where)) if text}
			shown = given if given is not None or name in (value or {}) else field.get("default")
			yield (
				code(where.removeprefix(f"{path}.")),
				_show(shown),
				describe_type(field, definitions),
				"; ".join(sorted(meaning)),
			)

	yield from walk(schema, value, path)


def _resolve(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
	"""The schema that a field refers to, whether it may be left out or not."""
	for choice in (field, *field.get("anyOf", ())):
		if "$ref" in choice:
			return dict(definitions[choice["$ref"].rpartition("/")[2]])
	return field


def describe_type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
	"""What a field of a JSON schema may be, in words."""
	if "$ref" in field:
		name = field["$ref"].rpartition("/")[2]
		return describe_type(definitions[name], definitions) if name in definitions else name.rpartition("__")[2]
	if "anyOf" in field:
		return " or ".join(dict.fromkeys(describe_type(choice, definitions) for choice in field["anyOf"]))
	if "enum" in field or "const" in field:
		return code(*field.get("enum", [field.get("const")]))
	kind = field.get("format") or field.get("type", "anything")
	kinds = " or ".join(kind) if isinstance(kind, list) else str(kind)
	if kinds == "array":
		kinds = f"list of {describe_type(field.get('items', {}), definitions)}"
	bounds = [f"{words} {field[name]}" for name, words in _BOUNDS.items() if name in field]
	return ", ".join([{"null": "nothing"}.get(kinds, kinds), *bounds])


def _show(value: object) -> str:
	if value is None:
		return ""
	return code(str(value).lower() if isinstance(value, bool) else value)


def _read_comments(text: str) -> dict[str, str]:
	"""The comment beside each key, or on the lines above it, by the key's path."""
	lines = text.splitlines()
	found: dict[str, str] = {}

	def walk(node: yaml.Node, path: str) -> None:
		if not isinstance(node, yaml.MappingNode):
			return
		for key, below in node.value:
			is_merged = key.tag == "tag:yaml.org,2002:merge"
			at = path if is_merged else f"{path}.{key.value}".lstrip(".")
			if not is_merged and (comment := _find_comment(lines, key.start_mark.line)):
				found[at] = comment
			walk(below, at)

	if root := yaml.compose(text, yaml.SafeLoader):
		walk(root, "")
	return found


def _find_comment(lines: list[str], number: int) -> str:
	beside = lines[number].partition("  # ")[2]
	if beside:
		return beside
	above: list[str] = []
	while number and lines[number - 1].lstrip().startswith("# "):
		number -= 1
		above.insert(0, lines[number].lstrip(" #"))
	return " ".join(above)
