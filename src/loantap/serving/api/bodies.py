"""Bodies of requests, read strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from loantap.serving.api.problems import ProblemError, refuse, tell_field
from loantap.serving.desk.fields import FieldError

if TYPE_CHECKING:
  from _typeshed.wsgi import WSGIEnvironment

Body = TypeVar("Body", bound=BaseModel)

JSON: Final = "application/json"
CSV: Final = "text/csv"
_UTF8: Final = {"utf-8", "utf8"}
# Objects of an application lie this deep: in a list, in the body.
_DEEPEST: Final = 12
_AFTER_NAME: Final = re.compile(rb'"\s*:')


def read_body(most: int, types: Sequence[str] = (JSON,)) -> tuple[str, bytes]:
  """The content type and the bytes of the request at hand, of at most `most` bytes.

  Raises:
      ProblemError: another content type, or a larger body.
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
  """A JSON object (RFC 8259) of UTF-8, no name twice, no NaN or Infinity, not deeply nested.

  Anything else raises `ProblemError`.
  """
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
  if kind in types and (not charset or charset in _UTF8):
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
  """Names of an object and of the objects in its lists."""
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
