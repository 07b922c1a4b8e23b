"""The route that decides on one application, without Flask in between (ADR 19).

Other forms of the request and whatever goes wrong are Flask's, so that one place answers errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from loantap.serving.api.office import Office
from loantap.serving.api.requests import JSON, read_bytes
from loantap.serving.api.scoring import FAULT, SCORE, SCORE_PATH, decide

if TYPE_CHECKING:
  from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_TYPES: Final = (JSON,)


def decide_directly(office: Office, app: WSGIApplication) -> WSGIApplication:
  """WSGI: decides on one application, and leaves all else to `app`."""

  def answer(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    try:
      visitor = office.doors.let_in(environ, SCORE_PATH, SCORE)
      raw = read_bytes(environ, office.settings.max_body, _TYPES)[1]
      # The view refuses a length that is none.
      body = b"" if raw is None else to_json(decide(office, visitor, raw))
    except Exception as error:  # noqa: BLE001 - the view raises it again
      environ[FAULT] = error
      return list(app(environ, start))
    if not body:
      return list(app(environ, start))
    start("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(body)))])
    return [body]

  def route(environ: WSGIEnvironment, start: StartResponse) -> object:
    is_plain = (
      environ["PATH_INFO"] == SCORE_PATH
      and environ["REQUEST_METHOD"] == "POST"
      and not environ["QUERY_STRING"]
      and environ.get("CONTENT_LENGTH")
    )
    return answer(environ, start) if is_plain else app(environ, start)

  return route  # type: ignore[return-value]
