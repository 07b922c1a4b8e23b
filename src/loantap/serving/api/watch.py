"""Routes of the watch-list."""

from collections.abc import Sequence
from typing import Any, Final

from apiflask import APIFlask
from flask import Response

from loantap.serving.api.answers import answer
from loantap.serving.api.bodies import read_object
from loantap.serving.api.decisions import READ
from loantap.serving.api.help import HELP, tell_offer
from loantap.serving.api.help_bodies import OFFER_BODY, read_proposal
from loantap.serving.api.help_schemas import HelpOffer, WatchlistPage
from loantap.serving.api.help_schemas import WatchedLoan as LoanTold
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe, in_json, in_query
from loantap.serving.api.parameters import read_choice, read_count, require_known
from loantap.serving.help.offer import Offer
from loantap.serving.watch.watchlist import FILTERS, TRENDS, WatchedLoan
from loantap.surveillance.help.actions import Action
from loantap.surveillance.watchlist.options import LEVELS, QUEUES

_CHOICES: Final = dict(zip(FILTERS, (QUEUES, LEVELS, tuple(Action)), strict=True))
_MOST: Final = 500
_LAST: Final = 100_000_000
_TOLD_APART: Final = {"as_of_month", "action", *TRENDS.values()}


def add_watch(app: APIFlask, office: Office) -> None:
    """Add the routes of the watch-list."""

    @app.get("/v1/watchlist")
    @describe(
        app, "Running loans that may need help, by rank", "Help", told=WatchlistPage, scope=READ,
        problems=(404, 409),
        parameters=[
            *(in_query(name, "Only these", type="string", enum=list(of)) for name, of in _CHOICES.items()),
            in_query("after", "`next` of the page before", type="integer", minimum=0, maximum=_LAST),
            in_query("limit", "How many", type="integer", minimum=1, maximum=_MOST, default=50),
        ],
    )  # fmt: skip
    def list_loans() -> Response:
        office.doors.enter(READ)
        require_known((*FILTERS, "after", "limit"))
        watchlist = office.watch.read()
        wanted = {name: read_choice(name, of) for name, of in _CHOICES.items()}
        after, limit = read_count("after", 0, _LAST, least=0), read_count("limit", 50, _MOST)
        loans, n = watchlist.select(after, limit + 1, **wanted)
        shown = loans[:limit]
        offers = office.offers.list_of([loan.facts["loan_id"] for loan in shown])
        return answer(
            {
                "as_of_month": watchlist.as_of_month,
                "simulated": watchlist.is_simulated,
                "n": n,
                "counts": {name: watchlist.count(name) for name in FILTERS},
                "items": [tell_loan(loan, offers.get(loan.facts["loan_id"], ())) for loan in shown],
                "next": str(shown[-1].facts["rank"]) if len(loans) > limit else None,
            }
        )

    @app.get("/v1/watchlist/<loan_id>")
    @describe(app, "A loan on the watch-list, its plan and the help so far", "Help", told=LoanTold, scope=READ,
              problems=(404, 409))  # fmt: skip
    def get_loan(loan_id: str) -> Response:
        office.doors.enter(READ)
        require_known([])
        loan = office.watch.read().find(loan_id)
        return answer(tell_loan(loan, office.offers.list_of([loan_id]).get(loan_id, ())))

    @app.post("/v1/watchlist/<loan_id>/help")
    @describe(app, "Record that help was offered", "Help", told=HelpOffer, status=201, scope=HELP,
              problems=(404, 409, 422), body=in_json(OFFER_BODY))  # fmt: skip
    def offer_help(loan_id: str) -> Response:
        visitor = office.doors.enter(HELP)
        require_known([])
        body = read_object(office.settings.max_body)
        proposal = read_proposal(body, office.watch.read().find(loan_id))
        return answer(tell_offer(office.offers.offer(proposal, visitor.as_caller())), 201)


def tell_loan(loan: WatchedLoan, offers: Sequence[Offer]) -> dict[str, Any]:
    """A loan of the list with its plan and the help so far."""
    told = {name: value for name, value in loan.facts.items() if name not in _TOLD_APART}
    told["trends"] = {name: _read_trend(loan.facts[column]) for name, column in TRENDS.items()}
    told["plan"] = loan.plan and {name: value for name, value in loan.plan.items() if name != "as_of_month"}
    return told | {"offers": [tell_offer(offer) for offer in offers]}


def _read_trend(text: str) -> list[float | None]:
    return [None if value == "nan" else float(value) for value in text.split()]
