"""Routes that decide: one application, a batch, offers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from apiflask import APIFlask
from flask import Response, request

from loantap.portfolio import contradictions
from loantap.serving.api.answers import NO_OFFERS, ProblemError, answer, tell_decision, tell_offers
from loantap.serving.api.office import Office, Visitor
from loantap.serving.api.openapi import REPEATABLE, describe, in_json, in_query, refer
from loantap.serving.api.requests import parse_object, read_body, read_flag, require_known
from loantap.serving.api.schemas import Decision, Offers
from loantap.serving.audit.records import Caller, Entry, Record
from loantap.serving.audit.writer import require_same
from loantap.serving.desk.fields import FieldError, tell_remedy
from loantap.serving.desk.standing import InvalidApplicationError, Standing, find_today

SCORE: Final = "score"
SCORE_PATH: Final = "/v1/applications/score"
# Set before the view is called.
FAULT: Final = "loantap.fault"
_OFFERS: Final = "offers"


def add_scoring(app: APIFlask, office: Office) -> None:
	"""Add the routes for one application."""

	@app.post(SCORE_PATH)
	@describe(
		app,
		"Decide on one application",
		"Decide",
		told=Decision,
		scope=SCORE,
		problems=(409, 422),
		body=in_json(refer("Application")),
		parameters=[in_query(_OFFERS, "Whether to make offers too", type="boolean"), REPEATABLE],
	)
	def score_application() -> Response:
		if FAULT in request.environ:
			raise request.environ[FAULT]
		visitor = office.doors.enter(SCORE)
		raw = read_body(office.settings.max_body)[1]
		with_offers = False
		if request.query_string:
			require_known([_OFFERS])
			with_offers = read_flag(_OFFERS)
		return answer(decide(office, visitor, raw, with_offers=with_offers))

	@app.post("/v1/offers")
	@describe(
		app,
		"Make offers to an applicant",
		"Decide",
		told=Offers,
		scope=SCORE,
		problems=(409, 422),
		body=in_json(refer("Applicant")),
		parameters=[REPEATABLE],
	)
	def make_offers() -> Response:
		visitor = office.doors.enter(SCORE)
		raw = read_body(office.settings.max_body)[1]
		require_known([])
		caller = visitor.as_caller(raw)
		kept = find_kept(office, caller)
		if kept:
			return answer(tell_offers(kept[0]))
		application = parse_object(raw)
		standing = office.desk.standing
		_require_offers(standing)
		_require_valid(standing.offer_fields.check(application))
		try:
			entry = standing.offer(application, find_today())
		except InvalidApplicationError as error:
			raise _tell_invalid(error) from error
		return answer(tell_offers(office.store.append([entry], caller)[0]))


def decide(office: Office, visitor: Visitor, raw: bytes, *, with_offers: bool = False) -> dict[str, Any]:
	"""Decide on one application, keep the decision, tell it.

	`ProblemError` where it is no application, or cannot be scored; `NotReadyError` without a model;
	`AuditUnavailableError` where it could not be kept.
	"""
	caller = visitor.as_caller(raw)
	kept = find_kept(office, caller)
	if kept:
		return tell_decision(kept[0])
	application = parse_object(raw)
	standing = office.desk.standing
	today = find_today()
	_require_valid(standing.fields.check(application))

	def make() -> Entry:
		try:
			return standing.decide(application, today)
		except InvalidApplicationError as error:
			raise _tell_invalid(error) from error

	if with_offers:
		entry = make()
		personal = {**(entry.personal or {}), **_try_offers(standing, application, today)}
		record = office.store.append([Entry(entry.kind, entry.public, personal)], caller)[0]
	else:
		record = office.store.append_made(make, caller)
	count(office, record.public)
	return tell_decision(record)


def _try_offers(standing: Standing, application: Mapping[str, Any], today: pd.Timestamp) -> dict[str, Any]:
	"""The decision stands where there are none."""
	try:
		_require_offers(standing)
		_require_valid(standing.offer_fields.check(application))
		return {_OFFERS: standing.list_offers(application, today)}
	except ProblemError as error:
		reason = error.detail
	except InvalidApplicationError as error:
		reason = _tell_invalid(error).detail
	return {_OFFERS: [], NO_OFFERS: reason}


def find_kept(office: Office, caller: Caller) -> list[Record]:
	"""What was answered before under a request's idempotency key; [] for nothing.

	`IdempotencyConflictError` where it was another request's.
	"""
	if caller.idempotency_key is None:
		return []
	kept = office.store.find_idempotent(caller.key_id, caller.idempotency_key)
	require_same(kept, caller)
	return kept


def _require_valid(errors: Sequence[FieldError]) -> None:
	if errors:
		raise ProblemError("invalid-application", _say(errors), errors)


def _require_offers(standing: Standing) -> None:
	if standing.maker is None:
		raise ProblemError(
			"no-model",
			"There is no champion of the model that offers are priced with. Train one with `make run`; see /readyz.",
		)


def _tell_invalid(error: InvalidApplicationError) -> ProblemError:
	errors = [
		FieldError(str(column.source_name), reason, contradictions.tell_remedy(column.name, reason) or tell_remedy(column))
		for column, _, reason in error.problems
	]
	return ProblemError("invalid-application", _say(errors), errors)


def count(office: Office, public: Mapping[str, Any], n: int = 1) -> None:
	"""Count decisions, by the public part of their record."""
	model = public["model"]
	office.metrics.count_decision(public["decision"], model["name"], model["version"], public["policy"]["version"], n)


def _say(errors: Sequence[FieldError]) -> str:
	first = errors[0]
	more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
	return f"{first.field}: {first.problem}{more}."
