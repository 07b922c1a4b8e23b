"""Routes of help that was offered: its answer, its outcome, and what works."""

from dataclasses import asdict
from typing import Any, Final

from apiflask import APIFlask
from flask import Response

from loantap.serving.api.answers import answer
from loantap.serving.api.bodies import read_object, read_one_of, require_fields
from loantap.serving.api.decisions import READ
from loantap.serving.api.help_schemas import HelpOffer, HelpReport, describe_choice
from loantap.serving.api.help_schemas import HelpOffers as OffersTold
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe, in_json, in_query
from loantap.serving.api.parameters import is_id, read_choice, read_count, read_text, require_known
from loantap.serving.api.problems import ProblemError
from loantap.serving.audit.chain import write_time
from loantap.serving.help.offer import Answer, Offer, Outcome, State
from loantap.serving.help.report import report_help

HELP: Final = "help"
_MOST: Final = 500


def add_help(app: APIFlask, office: Office) -> None:
    """Add the routes of help that was offered."""

    @app.get("/v1/help")
    @describe(
        app, "Help that was offered, newest first", "Help", told=OffersTold, scope=READ,
        parameters=[
            in_query("state", "Only these", type="string", enum=list(State)),
            in_query("loan_id", "Only of this loan"),
            in_query("after", "`next` of the page before"),
            in_query("limit", "How many", type="integer", minimum=1, maximum=_MOST, default=50),
        ],
    )  # fmt: skip
    def list_offers() -> Response:
        office.doors.enter(READ)
        require_known(("state", "loan_id", "after", "limit"))
        page = office.offers.list_offers(
            read_choice("state", list(State)), read_text("loan_id"), read_text("after"), read_count("limit", 50, _MOST)
        )
        return answer({"items": [tell_offer(offer) for offer in page.items], "next": page.next, "n": page.n})

    @app.get("/v1/help/report")
    @describe(app, "Take-up and outcomes of each action", "Help", told=HelpReport, scope=READ)
    def report() -> Response:
        office.doors.enter(READ)
        require_known([])
        items = [asdict(one) for one in report_help(office.offers.count())]
        return answer({"items": [one | {"simulated": one.pop("is_simulated")} for one in items]})

    @app.post("/v1/help/<offer_id>/answer")
    @describe(app, "Record what the borrower said", "Help", told=HelpOffer, scope=HELP,
              problems=(404, 409, 422), body=in_json(describe_choice("answer", Answer)))  # fmt: skip
    def answer_offer(offer_id: str) -> Response:
        visitor = office.doors.enter(HELP)
        said = Answer(_read_choice(office, "answer", Answer))
        return answer(tell_offer(office.offers.answer(_check_id(offer_id), said, visitor.as_caller())))

    @app.post("/v1/help/<offer_id>/outcome")
    @describe(app, "Record what became of the loan", "Help", told=HelpOffer, scope=HELP,
              problems=(404, 409, 422), body=in_json(describe_choice("outcome", Outcome)))  # fmt: skip
    def end_offer(offer_id: str) -> Response:
        visitor = office.doors.enter(HELP)
        outcome = Outcome(_read_choice(office, "outcome", Outcome))
        return answer(tell_offer(office.offers.end(_check_id(offer_id), outcome, visitor.as_caller())))


def tell_offer(offer: Offer) -> dict[str, Any]:
    """An offer and what came of it."""
    record = offer.record
    return {
        "id": record.id,
        "loan_id": offer.loan_id,
        "at": write_time(record.at),
        "person": record.person,
        "action": offer.action,
        "by_plan": record.public["by_plan"],
        "terms": record.public["terms"],
        "note": (record.personal or {}).get("note"),
        "simulated": offer.is_simulated,
        "state": offer.state,
        "answer": offer.answer,
        "answered_at": offer.answered_at and write_time(offer.answered_at),
        "answered_by": offer.answered_by,
        "outcome": offer.outcome,
        "ended_at": offer.ended_at and write_time(offer.ended_at),
        "ended_by": offer.ended_by,
    }


def _read_choice(office: Office, name: str, choices: type[Answer | Outcome]) -> str:
    require_known([])
    body = read_object(office.settings.max_body)
    require_fields(body, {name})
    return read_one_of(body, name, choices)


def _check_id(offer_id: str) -> str:
    if not is_id(offer_id):
        raise ProblemError("not-found", "There is no offer of this id. GET /v1/help lists them.")
    return offer_id
