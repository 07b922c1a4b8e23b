"""The route for batches."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NoReturn

from apiflask import APIFlask
from flask import Response, request

from loantap.policy.decisions import Decision
from loantap.policy.score_table import APPLICATION_ID
from loantap.serving.api.answers import ProblemError, refuse
from loantap.serving.api.batch_forms import Answered, read_csv, take_faults, write_csv, write_json
from loantap.serving.api.envelope import Slots
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import REPEATABLE, describe, in_json, refer
from loantap.serving.api.process import trim
from loantap.serving.api.requests import CSV, JSON, parse_object, read_body, require_known
from loantap.serving.api.schemas import Batch as ToldBatch
from loantap.serving.api.scoring import SCORE, count, find_kept
from loantap.serving.audit.records import Caller
from loantap.serving.desk.applications import Applications
from loantap.serving.desk.batch import Batch, decide_batch
from loantap.serving.desk.fields import ApplicationFields
from loantap.serving.desk.standing import find_today
from loantap.serving.errors import AuditUnavailableError

_APPLICATIONS: Final = "applications"
# Batches that may wait, and seconds that they do.
_ROOM: Final = 4
_PATIENCE: Final = 15.0
_BODY: Final = {
	"type": "object",
	"properties": {_APPLICATIONS: {"type": "array", "items": refer("Application"), "minItems": 1, "maxItems": 10_000}},
	"required": [_APPLICATIONS],
	"additionalProperties": False,
}


def add_batches(app: APIFlask, office: Office) -> None:
	"""Add the route for many applications."""
	# Two take twice the memory and no less time: one thread computes at once.
	turns = Slots(1, _ROOM, _PATIENCE)

	@app.post("/v1/applications/score-batch")
	@describe(
		app,
		"Decide on up to 10,000 applications",
		"Decide",
		told=ToldBatch,
		scope=SCORE,
		problems=(409, 422),
		parameters=[REPEATABLE],
		body={**in_json(_BODY), CSV: {"schema": {"type": "string"}}},
	)
	def score_batch() -> Response:
		visitor = office.doors.enter(SCORE)
		kind, raw = read_body(office.settings.max_batch_body, (JSON, CSV))
		require_known([])
		caller = visitor.as_caller(raw)
		if not turns.take():
			raise ProblemError(
				"overloaded",
				"Other batches are being decided. Wait some seconds, then send it again.",
				headers={"Retry-After": "5"},
			)
		try:
			told = find_kept(office, caller) or _decide_rows(office, kind, raw, caller)
			if request.accept_mimetypes.best_match([JSON, CSV]) == CSV:
				response = Response(write_csv(told), content_type=f"{CSV}; charset=utf-8")
			else:
				response = Response(write_json(told), content_type=JSON)
		finally:
			turns.give_back()
		# Nobody waits for this, nor for the answer's memory to be freed.
		response.call_on_close(partial(_tidy, office, [told]))
		return response


def _tidy(office: Office, told: list[Answered]) -> None:
	told.clear()
	trim(0)
	with suppress(AuditUnavailableError):
		office.store.tidy()


def _decide_rows(office: Office, kind: str, raw: bytes, caller: Caller) -> Answered:
	batch = _decide(office, kind, raw)
	kept = office.store.append_batch(batch.entry, batch.kept, caller)
	if kept.before:
		return kept.before
	_count(office, batch)
	return kept, batch


def _decide(office: Office, kind: str, raw: bytes) -> Batch:
	"""Half of a batch's memory is freed before records are kept."""
	standing, most = office.desk.standing, office.settings.max_batch_rows
	if kind == CSV:
		rows = read_csv(raw, standing, most)
		_require_size(rows, most)
		faults = take_faults(rows)
		applications = Applications(rows)
	else:
		rows, faults = _read_json(raw), {}
		_require_size(rows, most)
		# The name before the list has no bracket, and nothing follows it.
		applications = Applications(rows, raw[raw.index(b"[") : raw.rindex(b"]") + 1].decode())
	refused = _check_rows(applications, standing.fields, faults)
	return decide_batch(standing, applications, refused, find_today())


def _check_rows(
	applications: Applications, fields: ApplicationFields, faults: Mapping[int, list[str]]
) -> dict[int, list[str]]:
	"""Nobody knows which of two equal ids counts: the second is wrong. Rows with known `faults` are not checked."""
	refused = dict(faults)
	if refused or not fields.are_good(applications):
		for place, row in enumerate(applications.rows):
			if place not in refused and (errors := fields.check(row)):
				refused[place] = [f"{e.field}: {e.problem}. {e.remedy}" for e in errors]
	places = [place for place in range(len(applications)) if place not in refused]
	given = applications.take(APPLICATION_ID, places)
	named = [(str(one).strip(), at) for one, at in zip(given, places, strict=True) if one is not None]
	if len(dict(named)) == len(named):
		return refused
	seen: dict[str, int] = {}
	for name, place in named:
		first = seen.setdefault(name, place)
		if first != place:
			told = f"{APPLICATION_ID}: the same as that of row {first}"
			refused[place] = [f"{told}. Give each application an id of its own"]
	return refused


def _read_json(raw: bytes) -> list[dict[str, Any]]:
	body = parse_object(raw)
	rows = body.pop(_APPLICATIONS, None)
	if body:
		name = next(iter(body))[:40]
		_refuse("The body has a field that is not known.", name, "unknown field", f"Give {_APPLICATIONS} alone")
	if type(rows) is not list:
		remedy = f'Send {{"{_APPLICATIONS}": [...]}}'
		_refuse(f"The body has no list of {_APPLICATIONS}.", _APPLICATIONS, "missing, or no list", remedy)
	for place, row in enumerate(rows):
		if type(row) is not dict:
			remedy = "Give an object with the fields of an application"
			_refuse(f"Row {place} is no application.", f"{_APPLICATIONS}[{place}]", "not an object", remedy)
	return rows


def _refuse(detail: str, field: str, problem: str, remedy: str) -> NoReturn:
	refuse("invalid-body", detail, field, problem, remedy)


def _require_size(rows: Sequence[object], most: int) -> None:
	if not rows:
		_refuse("The batch has no applications.", _APPLICATIONS, "empty", "Send at least one")
	if len(rows) > most:
		raise ProblemError(
			"too-large",
			f"The batch has more than {most:,} applications. Send several "
			"batches, or score a file with `kedro run --pipeline scoring`.",
		)


def _count(office: Office, batch: Batch) -> None:
	for decision, n in batch.entry.public["counts"].items():
		if n and decision != Decision.INVALID:
			count(office, {**batch.entry.public, "decision": decision}, n)
