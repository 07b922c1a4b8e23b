"""Routes of kept decisions, and of the refer queue."""

from collections.abc import Callable
from typing import Any, Final

from apiflask import APIFlask
from flask import Response

from loantap.policy.decisions import Decision
from loantap.portfolio.errors import InputError
from loantap.serving.api.answers import ProblemError, answer, tell_decision
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import AFTER, LIMIT, REPEATABLE, describe, in_query
from loantap.serving.api.requests import is_id, read_choice, read_limit, read_model, read_text, read_time, require_id
from loantap.serving.api.schemas import Decisions, Erasure, ErasureReason, KeptDecision, Replay
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Caller, Entry, Kind, Record
from loantap.serving.cases.case import Case, CaseDecision, Cases, DecidedCase, Overrides, State
from loantap.serving.cases.cases import Order

READ: Final = "read"
ADMIN: Final = "admin"
# An invalid application has no record of its own to replay.
_DECISIONS: Final = tuple(d.value for d in Decision if d is not Decision.INVALID)
_TEXTS: Final = {
	"application_id": "As it was given",
	"person": "For whom they were made",
	"model_version": "Of the model that scored",
	"policy_digest": "Of the policy that decided",
}


def add_decisions(app: APIFlask, office: Office) -> None:
	"""Add the routes to kept decisions."""

	@app.get("/v1/decisions/<decision_id>")
	@describe(
		app, "A decision, what went in and what happened since", "Decisions", told=KeptDecision, scope=READ, problems=(404,)
	)
	def get_decision(decision_id: str) -> Response:
		office.enter(READ)
		record = find_decision(office, decision_id)
		told = tell_decision(record) | {"person": record.person, "caller": record.caller}
		case = office.cases.find(record.id)
		told["case"] = case.state if case else None
		if record.is_erased:
			told["erased"] = True
		else:
			told["input"] = (record.personal or {})["application"]
			told |= _explain(office, record)
		told["events"] = [_tell_event(event) for event in office.store.about(record.id)]
		return answer(told)

	@app.get("/v1/decisions")
	@describe(
		app,
		"Search decisions, newest first",
		"Decisions",
		told=Decisions,
		scope=READ,
		parameters=[
			in_query("decision", "Only these", type="string", enum=list(_DECISIONS)),
			in_query("since", "Made at this time or later", type="string", format="date-time"),
			in_query("until", "Made before", type="string", format="date-time"),
			*(in_query(name, told) for name, told in _TEXTS.items()),
			AFTER,
			LIMIT,
		],
	)
	def search_decisions() -> Response:
		office.enter(READ, "decision", "since", "until", *_TEXTS, "after", "limit")
		page = office.store.search(
			decision=read_choice("decision", _DECISIONS) or None,
			since=read_time("since"),
			until=read_time("until"),
			**{name: read_text(name) for name in _TEXTS},
			after=read_text("after"),
			limit=read_limit(),
		)
		items = [tell_decision(record) | {"person": record.person} for record in page.records]
		return answer({"items": items, "next": page.next})

	@app.post("/v1/decisions/<decision_id>/replay")
	@describe(
		app,
		"Decide once more with the model and policy of the time",
		"Decisions",
		told=Replay,
		scope=READ,
		problems=(404, 409, 410),
		parameters=[REPEATABLE],
	)
	def replay_decision(decision_id: str) -> Response:
		visitor = office.enter(READ)
		record = find_decision(office, decision_id)
		_require_kept(record)
		replayed = office.desk.replayer.replay(record)
		is_same = not replayed.differences
		public = {"same": is_same, "differences": replayed.differences}
		entry = Entry(Kind.REPLAY, public, subject=record.id)
		kept = office.store.append([entry], visitor.as_caller(b""))[0]
		told = {"id": kept.id, "original": replayed.original, "replayed": replayed.replayed}
		return answer({**kept.public, **told})

	@app.delete("/v1/decisions/<decision_id>/personal")
	@describe(
		app,
		"Erase personal data; the decision itself stays",
		"Decisions",
		told=Erasure,
		scope=ADMIN,
		problems=(404, 409, 422),
		body=ErasureReason,
	)
	def erase_personal(decision_id: str) -> Response:
		visitor = office.enter(ADMIN)
		reason = read_model(ErasureReason, office.settings.max_body).reason
		record = find_decision(office, decision_id)
		n = office.store.erase(visitor.as_caller(), reason, record_ids=[record.id])
		return answer({"id": record.id, "erased": n})


def find_decision(office: Office, decision_id: str) -> Record:
	"""A kept decision; `ProblemError` where there is none."""
	record = office.store.find(decision_id) if is_id(decision_id) else None
	if record is None or record.kind is not Kind.DECISION:
		raise ProblemError("not-found", "There is no decision of this id. GET /v1/decisions searches them.")
	return record


def _require_kept(record: Record) -> None:
	if record.is_erased:
		raise ProblemError(
			"erased",
			"The application was erased, so that it cannot be decided once more. The decision "
			"itself stands: GET it without /replay.",
		)


def _tell_event(record: Record) -> dict[str, Any]:
	told = {
		"id": record.id,
		"kind": record.kind.value,
		"at": write_time(record.at),
		"person": record.person,
		"public": record.public,
	}
	note = (record.personal or {}).get("note")
	return told | {"note": note} if note else told


def _explain(office: Office, record: Record) -> dict[str, Any]:
	"""None, and why, without the model."""
	try:
		return office.desk.replayer.explain(record)
	except InputError as error:
		return {"base_points": None, "contributions": [], "unexplained": str(error)}


DECIDE: Final = "decide"


def add_queue(app: APIFlask, office: Office) -> None:
	"""Add the routes of the refer queue."""

	@app.get("/v1/cases")
	@describe(
		app,
		"Referred decisions that wait for a person",
		"Queue",
		told=Cases,
		scope=READ,
		problems=(409,),
		parameters=[
			in_query("state", "Which", type="string", enum=list(State), default="open"),
			in_query("order", "The oldest or the largest first", type="string", enum=list(Order), default="age"),
			AFTER,
			LIMIT,
		],
	)
	def list_cases() -> Response:
		office.enter(READ, "state", "order", "after", "limit")
		state = State(read_choice("state", list(State), State.OPEN))
		order = Order(read_choice("order", list(Order), Order.AGE))
		return answer(office.cases.list_cases(state, order, read_text("after"), read_limit()))

	@app.post("/v1/cases/<decision_id>/decide")
	@describe(
		app,
		"Decide a case that one has taken",
		"Queue",
		told=DecidedCase,
		scope=DECIDE,
		problems=(404, 409, 422),
		body=CaseDecision,
	)
	def decide_case(decision_id: str) -> Response:
		visitor = office.enter(DECIDE)
		said = read_model(CaseDecision, office.settings.max_body)
		case, record = office.cases.decide(_check(decision_id), said, visitor.as_caller())
		return answer(DecidedCase(**dict(case), note=said.note or None, override=record.id))

	@app.get("/v1/overrides")
	@describe(app, "What people decided, counted", "Queue", told=Overrides, scope=READ)
	def count_overrides() -> Response:
		office.enter(READ)
		return answer(office.cases.count_overrides().model_dump(exclude_unset=True))

	_add_step(app, office, "take", office.cases.take, "Take a case, so that nobody else has it")
	_add_step(app, office, "give-back", office.cases.give_back, "Give a case back")


def _add_step(app: APIFlask, office: Office, step: str, act: Callable[[str, Caller], Case], summary: str) -> None:
	@app.post(f"/v1/cases/<decision_id>/{step}", endpoint=f"{step}_case")
	@describe(app, summary, "Queue", told=Case, scope=DECIDE, problems=(404, 409))
	def change(decision_id: str) -> Response:
		visitor = office.enter(DECIDE)
		return answer(act(_check(decision_id), visitor.as_caller()))


def _check(decision_id: str) -> str:
	return require_id(decision_id, "case", "/v1/cases")
