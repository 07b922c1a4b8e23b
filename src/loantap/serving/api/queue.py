"""Routes of the refer queue."""

from typing import Any, Final

from apiflask import APIFlask
from flask import Response

from loantap.policy.application_ids import APPLICATION_ID
from loantap.serving.api.answers import answer
from loantap.serving.api.bodies import read_model
from loantap.serving.api.case_schemas import Case as CaseTold
from loantap.serving.api.case_schemas import CaseDecision, Cases, DecidedCase
from loantap.serving.api.case_schemas import Overrides as OverridesTold
from loantap.serving.api.decisions import READ
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe, in_json, in_query, refer
from loantap.serving.api.parameters import is_id, read_choice, read_count, read_text, require_known
from loantap.serving.api.problems import ProblemError
from loantap.serving.audit.chain import write_time
from loantap.serving.cases.case import Case, QueuedCase, Reason, State
from loantap.serving.cases.cases import Overrides
from loantap.serving.cases.queue import Order

DECIDE: Final = "decide"
_MOST: Final = 500


def add_queue(app: APIFlask, office: Office) -> None:
    """Add the routes of the refer queue."""

    @app.get("/v1/cases")
    @describe(
        app, "Referred decisions that wait for a person", "Queue", told=Cases, scope=READ,
        problems=(409,),
        parameters=[
            in_query("state", "Which", type="string", enum=list(State), default="open"),
            in_query("order", "The oldest or the largest first", type="string",
                     enum=list(Order), default="age"),
            in_query("after", "`next` of the page before"),
            in_query("limit", "How many", type="integer", minimum=1, maximum=_MOST, default=50),
        ],
    )  # fmt: skip
    def list_cases() -> Response:
        office.doors.enter(READ)
        require_known(("state", "order", "after", "limit"))
        state = State(read_choice("state", list(State), State.OPEN))
        order = Order(read_choice("order", list(Order), Order.AGE))
        page = office.cases.list_cases(state, order, _read_cursor(), read_count("limit", 50, _MOST))
        return answer(
            {
                "items": [tell_queued(queued) for queued in page.items],
                "next": page.next,
                "n": page.n,
                "reasons": list(Reason),
            }
        )

    @app.post("/v1/cases/<decision_id>/take")
    @describe(app, "Take a case, so that nobody else has it", "Queue", told=CaseTold, scope=DECIDE,
              problems=(404, 409))  # fmt: skip
    def take_case(decision_id: str) -> Response:
        visitor = office.doors.enter(DECIDE)
        require_known([])
        return answer(tell_case(office.cases.take(_check_id(decision_id), visitor.as_caller())))

    @app.post("/v1/cases/<decision_id>/give-back")
    @describe(app, "Give a case back", "Queue", told=CaseTold, scope=DECIDE,
              problems=(404, 409))  # fmt: skip
    def give_case_back(decision_id: str) -> Response:
        visitor = office.doors.enter(DECIDE)
        require_known([])
        given = office.cases.give_back(_check_id(decision_id), visitor.as_caller())
        return answer(tell_case(given))

    @app.post("/v1/cases/<decision_id>/decide")
    @describe(
        app, "Decide a case that one has taken", "Queue", told=DecidedCase, scope=DECIDE,
        problems=(404, 409, 422), body=in_json(refer("CaseDecision")),
    )  # fmt: skip
    def decide_case(decision_id: str) -> Response:
        visitor = office.doors.enter(DECIDE)
        require_known([])
        said, caller = read_model(CaseDecision, office.settings.max_body), visitor.as_caller()
        note = said.note or ""
        case, record = office.cases.decide(_check_id(decision_id), caller, said.decision, said.reason, note)
        return answer(tell_case(case) | {"note": note or None, "override": record.id})

    @app.get("/v1/overrides")
    @describe(app, "What people decided, counted", "Queue", told=OverridesTold, scope=READ)
    def count_overrides() -> Response:
        office.doors.enter(READ)
        require_known([])
        return answer(tell_overrides(office.cases.count_overrides()))


def tell_case(case: Case) -> dict[str, Any]:
    """A case."""
    times = {
        name: None if moment is None else write_time(moment)
        for name, moment in (
            ("opened_at", case.opened_at), ("taken_at", case.taken_at),
            ("expires_at", case.expires_at), ("closed_at", case.closed_at),
        )
    }  # fmt: skip
    return {
        "decision_id": case.decision_id,
        "state": case.state,
        "amount": case.amount,
        "taken_by": case.taken_by,
        "outcome": case.outcome,
        "reason": case.reason,
        **times,
    }


def tell_queued(queued: QueuedCase) -> dict[str, Any]:
    """A case of the queue, with what was decided."""
    public, personal = queued.decision.public, queued.decision.personal or {}
    return tell_case(queued.case) | {
        APPLICATION_ID: personal.get(APPLICATION_ID),
        "probability_of_default": public["probability_of_default"],
        "score": public["score"],
        "expected_npv": public["expected_npv"],
        "reasons": personal.get("reasons", []),
    }


def tell_overrides(overrides: Overrides) -> dict[str, Any]:
    """What people decided, counted."""

    def list_by(name: str, counts: Any) -> list[dict[str, Any]]:
        return [{name: key, "outcome": outcome, "n": n} for (key, outcome), n in counts.items()]

    return {
        "n": overrides.n,
        "by_outcome": dict(overrides.by_outcome),
        "by_reason": list_by("reason", overrides.by_reason),
        "by_person": list_by("person", overrides.by_person),
    }


def _check_id(decision_id: str) -> str:
    if not is_id(decision_id):
        raise ProblemError("not-found", "There is no case of this id. GET /v1/cases lists them.")
    return decision_id


def _read_cursor() -> str | None:
    return read_text("after")
