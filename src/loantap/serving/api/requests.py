"""Requests read strictly: bodies, then query parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from loantap.serving.api.answers import ProblemError, refuse, tell_field
from loantap.serving.desk.fields import FieldError

if TYPE_CHECKING:
	from _typeshed.wsgi import WSGIEnvironment

Body = TypeVar("Body", bound=BaseModel)

JSON: Final = "application/json"
CSV: Final = "text/csv"
# Objects of an application lie this deep: in a list, in the body.
_DEEPEST: Final = 12
_AFTER_NAME: Final = re.compile(rb'"\s*:')


def read_body(most: int, types: Sequence[str] = (JSON,)) -> tuple[str, bytes]:
	"""The content type and the bytes of the request at hand, of at most `most` bytes.

	`ProblemError` for another content type, or a larger body.
	"""
	given, raw = read_bytes(request.environ, most, types)
	if raw is not None:
		return given, raw
	request.max_content_length = most
	return given, request.get_data(cache=False)


def read_bytes(environ: WSGIEnvironment, most: int, types: Sequence[str]) -> tuple[str, bytes | None]:
	"""`read_body` in WSGI; no bytes where the request doesn't say how many."""
	given = environ.get("CONTENT_TYPE", "")
	if given not in types:
		given = _check_type(given, types)
	if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
		refuse(
			"wrong-type",
			"The body is compressed.",
			"Content-Encoding",
			"compressed bodies are not read",
			"Send the body as it is",
		)
	length = environ.get("CONTENT_LENGTH") or ""
	if length.isascii() and length.isdigit() and len(length) < 16:
		if int(length) > most:
			raise _tell_size(most)
		# Through the framework it takes three times as long.
		return given, environ["wsgi.input"].read(int(length))
	return given, None


def read_object(most: int) -> dict[str, Any]:
	"""The body as a JSON object; `ProblemError` where it is none."""
	return parse_object(read_body(most)[1])


def read_model(kind: type[Body], most: int) -> Body:
	"""The body as a model; `ProblemError` names each field that cannot be used."""
	try:
		return kind.model_validate(read_object(most))
	except ValidationError as error:
		wrong = [
			FieldError(".".join(map(str, one["loc"]))[:60] or "body", one["msg"], "Send it as /docs describes")
			for one in error.errors()
		]
		raise ProblemError("invalid-body", f"{wrong[0].field}: {wrong[0].problem}.", wrong) from error


def parse_object(raw: bytes) -> dict[str, Any]:
	"""A JSON object (RFC 8259) of UTF-8, no name twice, no NaN or Infinity, not deeply nested; else `ProblemError`."""
	try:
		found = from_json(raw, allow_inf_nan=False)
	except ValueError as error:
		raise _tell_json(str(error)) from error
	if type(found) is not dict:
		raise _tell_json(f"a {_name_type(found)} where an object is expected")
	# A colon follows each name: where there are as many, no name is lost.
	colons = raw.count(b":")
	if colons not in (len(found), _count_flat(found)):
		names = _count_names(found, 0)
		# Texts have colons too, but hardly ever behind a quotation mark.
		if names not in (colons, len(_AFTER_NAME.findall(raw))):
			_require_single_names(raw)
	return found


def _check_type(given: str, types: Sequence[str]) -> str:
	kind, _, options = given.partition(";")
	kind = kind.strip().lower()
	charset = options.partition("charset=")[2].split(";")[0].strip().strip('"').lower()
	if kind in types and (not charset or charset in {"utf-8", "utf8"}):
		return kind
	listed = " or ".join(types)
	shown = given if given.isprintable() and len(given) < 60 else "something else"
	raise tell_field(
		"wrong-type",
		f"The content type is {shown or 'not given'}; {listed} is expected.",
		"Content-Type",
		f"not {listed}",
		f"Send {listed} in UTF-8, and say so",
	)


def _count_flat(found: dict[str, Any]) -> int:
	lists = [value for value in found.values() if type(value) is list]
	return len(found) + sum(len(row) for rows in lists for row in rows if type(row) is dict)


def _count_names(found: object, depth: int) -> int:
	if depth > _DEEPEST:
		raise _tell_json("nested too deeply")
	if isinstance(found, dict):
		return len(found) + sum(_count_names(v, depth + 1) for v in found.values())
	if isinstance(found, list):
		return sum(_count_names(value, depth + 1) for value in found)
	return 0


def _require_single_names(raw: bytes) -> None:

	def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
		found = dict(pairs)
		if len(found) < len(pairs):
			names = [name for name, _ in pairs]
			twice = next(name for name in names if names.count(name) > 1)
			told = f"The name {_show(twice)} is there twice, so that it is not clear which counts."
			refuse("not-json", told, _show(twice), "given twice", "Give it once")
		return found

	json.loads(raw, object_pairs_hook=check)


def _tell_json(problem: str) -> ProblemError:
	remedy = "Send one JSON object (RFC 8259) in UTF-8, without NaN, Infinity, comments or commas at the end"
	return tell_field("not-json", f"The body cannot be read: {problem}.", "body", problem, remedy)


def _tell_size(most: int) -> ProblemError:
	problem = f"larger than {most:,} bytes"
	return tell_field("too-large", f"The body is {problem}.", "body", problem, "Send less at once")


def _name_type(value: object) -> str:
	names = {list: "list", str: "text", bool: "truth value", type(None): "null"}
	return names.get(type(value), "number")


def _show(text: str) -> str:
	shown = text if len(text) <= 40 else f"{text[:40]}..."
	return shown if shown.isprintable() else ascii(shown)


_FLAGS = {"true": True, "false": False}
# Items of a page.
MOST = 500
_BAD = "bad-parameter"
_LONGEST = 300
_LONGEST_ID = 100


def require_known(names: Collection[str]) -> None:
	"""Raise `ProblemError` for an unknown parameter, and for one given twice."""
	for name, values in request.args.lists():
		shown = name if name.isprintable() and len(name) <= 60 else ascii(name[:60])
		if name not in names:
			listed = ", ".join(sorted(names)) or "none"
			refuse(_BAD, f"There is no parameter {shown}.", shown, "unknown parameter", f"Known are: {listed}")
		if len(values) > 1:
			refuse(_BAD, f"The parameter {shown} is given twice.", shown, "given twice", "Give it once")


def _refuse_value(name: str, problem: str, remedy: str) -> NoReturn:
	refuse(_BAD, f"{name} cannot be used.", name, problem, remedy)


def read_flag(name: str) -> bool:
	"""A boolean parameter; false where it is not given."""
	given = request.args.get(name, "false")
	if given not in _FLAGS:
		_refuse_value(name, "neither true nor false", "Give true or false")
	return _FLAGS[given]


def read_text(name: str) -> str | None:
	"""A text parameter; None where it is not given."""
	given = request.args.get(name)
	if given is None:
		return None
	if not given or len(given) > _LONGEST or not given.isprintable():
		_refuse_value(name, f"not 1 to {_LONGEST} printable characters", "Leave it out, or give another")
	return given


def read_choice(name: str, choices: Collection[str], default: str = "") -> str:
	"""A parameter that is one of a few."""
	given = request.args.get(name)
	if given is None:
		return default
	if given not in choices:
		listed = ", ".join(choices)
		_refuse_value(name, f"not one of {listed}", "Give one of them")
	return given


def read_count(name: str, default: int, most: int, least: int = 1) -> int:
	"""A whole number from `least`."""
	given = request.args.get(name, str(default))
	if not (given.isascii() and given.isdigit() and len(given) < 10 and least <= int(given) <= most):
		_refuse_value(name, f"not a whole number from {least} to {most:,}", f"Give one from {least} to {most:,}")
	return int(given)


def is_id(text: str) -> bool:
	"""Whether a part of the path may be an id; the databases cannot look for any text."""
	return text.isascii() and text.isprintable() and len(text) <= _LONGEST_ID


def require_id(text: str, what: str, listed_at: str) -> str:
	"""A part of the path that may be an id; `ProblemError` where it cannot."""
	if not is_id(text):
		raise ProblemError("not-found", f"There is no {what} of this id. GET {listed_at} lists them.")
	return text


def read_limit() -> int:
	"""How many items a page has."""
	return read_count("limit", 50, MOST)


def read_time(name: str) -> datetime | None:
	"""A time in ISO 8601; in UTC where it has no zone."""
	given = request.args.get(name)
	if given is None:
		return None
	try:
		# A plus in a query stands for a blank.
		found = datetime.fromisoformat(given.replace(" ", "+"))
		moment = found if found.tzinfo else found.replace(tzinfo=UTC)
		return moment.astimezone(UTC)
	except (ValueError, OverflowError):
		_refuse_value(name, "not a day or a time such as 2026-11-28T09:30:00Z", "Give one in ISO 8601")
