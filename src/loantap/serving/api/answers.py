"""Answers: those made from kept records, so that they can be repeated, and problems (RFC 9457)."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from flask import Flask, Response, request
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException

from loantap.policy.decisions import Decision
from loantap.policy.score_table import APPLICATION_ID
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Record
from loantap.serving.desk.fields import FieldError

PROBLEM_JSON: Final = "application/problem+json"
REQUEST_ID: Final = "loantap.request_id"

KINDS: Final = {
	"not-json": (400, "The body is not JSON"),
	"not-csv": (400, "The body is not a CSV file of applications"),
	"bad-parameter": (400, "A parameter cannot be used"),
	"bad-header": (400, "A header cannot be used"),
	"no-key": (401, "No valid API key"),
	"wrong-scope": (403, "The API key may not do this"),
	"four-eyes": (403, "Another person must do this"),
	"not-found": (404, "There is no such thing"),
	"wrong-method": (405, "The address does not take this method"),
	"conflict": (409, "It is not in a state that allows this"),
	"idempotency-conflict": (409, "The idempotency key was used for another request"),
	"erased": (410, "Personal data was erased"),
	"too-large": (413, "The body is too large"),
	"wrong-type": (415, "The content type cannot be read"),
	"invalid-application": (422, "The application cannot be scored"),
	"invalid-body": (422, "The body cannot be used"),
	"too-many-requests": (429, "Too many requests"),
	"bug": (500, "The request could not be answered"),
	"no-model": (503, "There is no model to decide with"),
	"no-record": (503, "The audit log cannot be written"),
	"overloaded": (503, "Too much is asked at once"),
}
_BY_STATUS: Final = {400: "bad-header", 404: "not-found", 405: "wrong-method", 413: "too-large"}

logger = logging.getLogger(__name__)


class ProblemError(Exception):
	"""A request that cannot be answered, of one of `KINDS`; `errors` are about single fields."""

	def __init__(
		self, kind: str, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
	) -> None:
		super().__init__(detail)
		self.kind = kind
		self.detail = detail
		self.errors = tuple(errors)
		self.headers = dict(headers or {})

	@property
	def status(self) -> int:
		"""HTTP status."""
		return KINDS[self.kind][0]


def tell_field(kind: str, detail: str, field: str, problem: str, remedy: str) -> ProblemError:
	"""What is wrong with one field of a request."""
	return ProblemError(kind, detail, [FieldError(field, problem, remedy)])


def refuse(kind: str, detail: str, field: str, problem: str, remedy: str) -> NoReturn:
	"""Refuse a request for one field."""
	raise tell_field(kind, detail, field, problem, remedy)


def write_problem(error: ProblemError, path: str, request_id: str) -> bytes:
	"""The problem document as JSON."""
	status, title = KINDS[error.kind]
	document: dict[str, object] = {
		"type": f"urn:loantap:problem:{error.kind}",
		"title": title,
		"status": status,
		"detail": error.detail,
		"instance": path,
		"request_id": request_id,
	}
	if error.errors:
		document["errors"] = error.errors
	return to_json(document)


def answer_problem(error: ProblemError) -> Response:
	"""The answer to the request at hand."""
	body = write_problem(error, request.path, str(request.environ.get(REQUEST_ID, "")))
	return Response(body, error.status, error.headers, content_type=PROBLEM_JSON)


def answer_problems(app: Flask) -> None:
	"""Have an app answer every error with a problem, never a stack trace."""

	@app.errorhandler(ProblemError)
	def _problem(error: ProblemError) -> Response:
		return answer_problem(error)

	@app.errorhandler(HTTPException)
	def _refused(error: HTTPException) -> Response:
		status = error.code or 500
		if status == 500:
			return answer_problem(_note_bug(getattr(error, "original_exception", None)))
		kind = _BY_STATUS.get(status, "bad-header" if status < 500 else "bug")
		headers = {k: v for k, v in error.get_headers() if k in {"Allow", "Retry-After"}}
		return answer_problem(ProblemError(kind, str(error.description), headers=headers))


def _note_bug(error: BaseException | None) -> ProblemError:
	"""The text may quote personal data: only the place is logged."""
	request_id = request.environ.get(REQUEST_ID, "")
	frames = traceback.extract_tb(error.__traceback__) if error else []
	where = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
	logger.error("Request %s failed: %s at %s", request_id, type(error).__name__, where)
	return ProblemError("bug", f"This is our fault. Tell the platform team the request id {request_id}.")


JSON: Final = "application/json"
NO_OFFERS: Final = "no_offers"


def answer(content: object, status: int = 200) -> Response:
	"""An answer in JSON."""
	return Response(to_json(content), status, content_type=JSON)


def tell_decision(record: Record) -> dict[str, Any]:
	"""A decision as it was answered when it was made."""
	public, personal = record.public, record.personal or {}
	told = {
		"id": record.id,
		"at": write_time(record.at),
		APPLICATION_ID: personal.get(APPLICATION_ID),
		"probability_of_default": public["probability_of_default"],
		"score": public["score"],
		"decision": public["decision"],
		"reasons": personal.get("reasons", []),
		"expected_npv": public["expected_npv"],
		"model": public["model"],
		"policy": public["policy"],
		"simulated": public["simulated"],
		"case": "open" if public["decision"] == Decision.REFER else None,
	}
	return told | {name: personal[name] for name in ("offers", NO_OFFERS) if name in personal}


def tell_offers(record: Record) -> dict[str, Any]:
	"""Offers as they were answered when they were made."""
	public, personal = record.public, record.personal or {}
	return {
		"id": record.id,
		"at": write_time(record.at),
		APPLICATION_ID: personal.get(APPLICATION_ID),
		"offers": personal.get("offers", []),
		"model": public["model"],
		"policy": public["policy"],
		"simulated": public["simulated"],
	}
