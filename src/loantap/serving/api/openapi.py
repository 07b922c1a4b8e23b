"""The OpenAPI document, from descriptions beside routes and the data dictionary."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from apiflask import APIFlask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from loantap.features.definitions import DECIDES, FEATURE_SETS, MODELS
from loantap.policy.score_table import APPLICATION_ID
from loantap.portfolio.dictionary import COLUMNS, Column, Kind
from loantap.serving.api.answers import KINDS, PROBLEM_JSON
from loantap.serving.api.requests import MOST
from loantap.serving.api.schemas import Problem
from loantap.serving.desk.desk import OFFERS
from loantap.serving.desk.fields import EXAMPLE, application_columns, make_example

JSON: Final = "application/json"
_REF: Final = "#/components/schemas/"
# Of an app: the models that its routes tell or are told.
_MODELS: Final = "loantap.models"
_ALWAYS: Final = (400, 500, 503)
_WITH_KEY: Final = (401, 403, 429)
ABOUT: Final = (
	"Decisions on loan applications, kept before they are answered. A field is named as in a "
	"LoanTap file. Every error is a problem document (RFC 9457) that names the field and what to "
	"do. Send a key as `Authorization: Bearer lt_...`; `loantap-keys create` makes one."
)
REPEATABLE: Final = {
	"name": "Idempotency-Key",
	"in": "header",
	"description": "The same key and the same request get the same answer, decided once.",
	"schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}

_View = TypeVar("_View", bound=Callable[..., Any])


def describe(
	app: APIFlask,
	summary: str,
	tag: str,
	*,
	told: type[BaseModel] | str,
	status: int = 200,
	scope: str | None = None,
	is_open: bool = False,
	body: type[BaseModel] | Mapping[str, Any] | None = None,
	parameters: Sequence[Mapping[str, Any]] = (),
	problems: Sequence[int] = (),
) -> Callable[[_View], _View]:
	"""A decorator that describes a route.

	`told` is the model or content type of its answer, `body` the model or content of what it is sent, `problems` the
	statuses beside those of any route.
	"""
	models = app.extensions.setdefault(_MODELS, {Problem})
	models.update(model for model in (told, body) if isinstance(model, type))
	content = in_json(refer(body.__name__)) if isinstance(body, type) else body
	responses: dict[int, Any] = {status: {"description": "Done", "content": _content(told)}}
	statuses = {*_ALWAYS, *problems, *(() if is_open else _WITH_KEY)}
	if content is not None:
		statuses |= {413, 415}
	for each in sorted(statuses):
		told_there = told if each == 503 and is_open and status == 200 else Problem
		responses[each] = {
			"description": _name_problems(each),
			"content": _content(told_there, PROBLEM_JSON if told_there is Problem else JSON),
		}
	more: dict[str, Any] = {"parameters": [dict(parameter) for parameter in parameters]}
	if content is not None:
		more["requestBody"] = {"required": True, "content": dict(content)}
	annotate = app.doc(
		summary=summary,
		description=f"Needs a key with the scope `{scope}`." if scope else None,
		tags=[tag],
		responses=responses,
		security=None if is_open else "key",
		extensions=more,
	)

	def decorate(view: _View) -> _View:
		# The library's wrapper is for asynchronous views.
		vars(view)["_spec"] = vars(annotate(view))["_spec"]
		return view

	return decorate


def in_query(name: str, told: str, **schema: Any) -> dict[str, Any]:
	"""A parameter of the query."""
	return {"name": name, "in": "query", "description": told, "schema": schema or {"type": "string"}}


AFTER: Final = in_query("after", "`next` of the page before")
LIMIT: Final = in_query("limit", "How many", type="integer", minimum=1, maximum=MOST, default=50)


def in_json(schema: Mapping[str, Any]) -> dict[str, Any]:
	"""A body in JSON."""
	return {JSON: {"schema": dict(schema)}}


def refer(name: str) -> dict[str, str]:
	"""A reference to a schema of the document."""
	return {"$ref": f"{_REF}{name}"}


def complete(app: APIFlask, document: dict[str, Any] | str) -> dict[str, Any] | str:
	"""The document with its schemas, made once for all routes."""
	if isinstance(document, str):  # it would be one in YAML
		return document
	schemas = dict(_make_schemas(frozenset(app.extensions[_MODELS])))
	for name, namespace in (("Application", DECIDES), ("Applicant", OFFERS)):
		columns = FEATURE_SETS[MODELS[namespace]].columns
		schemas[name] = describe_application(tuple(COLUMNS[column] for column in columns))
	document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
	return document


def describe_application(needed: tuple[Column, ...]) -> dict[str, Any]:
	"""JSON Schema of an application that must have some columns."""
	properties = {
		APPLICATION_ID: {
			"description": "Identifier of the application, which is given back",
			"type": ["string", "integer", "null"],
			"maxLength": 100,
		}
	}
	for name, column in application_columns().items():
		properties[name] = _describe_field(column)
	return {
		"type": "object",
		"description": "An application, its fields named as in a LoanTap file",
		"properties": properties,
		"required": [str(column.source_name) for column in needed],
		"additionalProperties": False,
		"example": make_example(needed),
	}


def _describe_field(column: Column) -> dict[str, Any]:
	told = column.meaning + (f", in {column.unit}" if column.unit else "")
	described: dict[str, Any] = {"description": told}
	if column.name in EXAMPLE:
		described["examples"] = [EXAMPLE[column.name]]
	text: dict[str, Any] = {"type": "string", "maxLength": 500}
	if column.categories:
		text = {"type": "string", "enum": list(column.categories)}
	if column.kind is Kind.MONTH:
		text |= {"description": "A month such as Jan-2015 or 2015-01-01"}
	options = [text]
	if column.kind in (Kind.NUMBER, Kind.COUNT):
		number: dict[str, Any] = {"type": "integer" if column.kind is Kind.COUNT else "number"}
		if column.values:
			number["enum"] = [int(value) for value in column.values]
		else:
			number |= {"minimum": column.minimum, "maximum": column.maximum}
		options = [number, text | {"description": "As it is written in a LoanTap file"}]
	if column.nullable:
		options.append({"type": "null"})
	return described | {"anyOf": options}


@lru_cache(maxsize=1)
def _make_schemas(models: frozenset[type[BaseModel]]) -> Mapping[str, Any]:
	# As read: a field with a default is left out of some answers.
	modes = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
	_, made = models_json_schema(modes, ref_template=f"{_REF}{{model}}")  # type: ignore[arg-type]
	schemas: dict[str, Any] = made["$defs"]
	return schemas


def _content(told: type[BaseModel] | str, kind: str = JSON) -> dict[str, Any]:
	if isinstance(told, str):
		return {told: {"schema": {"type": "string"}}}
	return {kind: {"schema": refer(told.__name__)}}


def _name_problems(status: int) -> str:
	titles = [f"{title} (`{kind}`)" for kind, (of, title) in KINDS.items() if of == status]
	return "; ".join(titles)
