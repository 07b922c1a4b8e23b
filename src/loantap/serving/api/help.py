"""Routes of the watch-list, and of the help that is offered."""

from typing import Final

from apiflask import APIFlask
from flask import Response

from loantap.serving.api.answers import answer, refuse
from loantap.serving.api.decisions import READ
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import AFTER, LIMIT, describe, in_query
from loantap.serving.api.requests import read_choice, read_count, read_limit, read_model, read_text, require_id
from loantap.serving.help.offer import (
	FILTERS,
	NEEDED,
	Ended,
	HelpOffer,
	HelpOfferPage,
	HelpProposal,
	HelpReport,
	Spoken,
	State,
	Terms,
	WatchedLoan,
	WatchlistPage,
	report_help,
)

HELP: Final = "help"
_LAST: Final = 100_000_000


def add_help(app: APIFlask, office: Office) -> None:
	"""Add the routes of the watch-list and of help."""

	@app.get("/v1/watchlist")
	@describe(
		app,
		"Running loans that may need help, by rank",
		"Help",
		told=WatchlistPage,
		scope=READ,
		problems=(404, 409),
		parameters=[
			*(in_query(name, "Only these", type="string", enum=list(of)) for name, of in FILTERS.items()),
			in_query("after", "`next` of the page before", type="integer", minimum=0, maximum=_LAST),
			LIMIT,
		],
	)
	def list_watched() -> Response:
		office.enter(READ, *FILTERS, "after", "limit")
		wanted = {name: read_choice(name, of) for name, of in FILTERS.items()}
		after, limit = read_count("after", 0, _LAST, least=0), read_limit()
		watchlist = office.watch.read()
		loans, n = watchlist.select(after, limit + 1, **wanted)
		page = WatchlistPage(
			as_of_month=None if watchlist.loans.empty else watchlist.loans["as_of_month"].iloc[0],
			simulated=watchlist.is_simulated,
			n=n,
			counts=watchlist.count(),
			items=office.offers.join(loans[:limit]),
			next=str(loans[limit - 1].rank) if len(loans) > limit else None,
		)
		return answer(page)

	@app.get("/v1/watchlist/<loan_id>")
	@describe(
		app,
		"A loan on the watch-list, its plan and the help so far",
		"Help",
		told=WatchedLoan,
		scope=READ,
		problems=(404, 409),
	)
	def get_watched(loan_id: str) -> Response:
		office.enter(READ)
		return answer(office.offers.join([office.watch.read().find(loan_id)])[0])

	@app.post("/v1/watchlist/<loan_id>/help")
	@describe(
		app,
		"Record that help was offered",
		"Help",
		told=HelpOffer,
		status=201,
		scope=HELP,
		problems=(404, 409, 422),
		body=HelpProposal,
	)
	def offer_help(loan_id: str) -> Response:
		visitor = office.enter(HELP)
		proposal = read_model(HelpProposal, office.settings.max_body)
		loan = office.watch.read().find(loan_id)
		return answer(office.offers.offer(loan, _settle(proposal, loan), visitor.as_caller()), 201)

	@app.get("/v1/help")
	@describe(
		app,
		"Help that was offered, newest first",
		"Help",
		told=HelpOfferPage,
		scope=READ,
		parameters=[
			in_query("state", "Only these", type="string", enum=list(State)),
			in_query("loan_id", "Only of this loan"),
			AFTER,
			LIMIT,
		],
	)
	def list_offers() -> Response:
		office.enter(READ, "state", "loan_id", "after", "limit")
		state, limit = read_choice("state", list(State)), read_limit()
		return answer(office.offers.list_offers(state, read_text("loan_id"), read_text("after"), limit))

	@app.get("/v1/help/report")
	@describe(app, "Take-up and outcomes of each action", "Help", told=HelpReport, scope=READ)
	def report() -> Response:
		office.enter(READ)
		return answer(report_help(office.offers.count()))

	_add_step(app, office, "answer", Spoken, "Record what the borrower said")
	_add_step(app, office, "outcome", Ended, "Record what became of the loan")


def _add_step(app: APIFlask, office: Office, step: str, body: type[Spoken | Ended], summary: str) -> None:
	@app.post(f"/v1/help/<offer_id>/{step}", endpoint=f"record_{step}")
	@describe(app, summary, "Help", told=HelpOffer, scope=HELP, problems=(404, 409, 422), body=body)
	def record(offer_id: str) -> Response:
		visitor = office.enter(HELP)
		said = read_model(body, office.settings.max_body)
		return answer(office.offers.follow(require_id(offer_id, "offer", "/v1/help"), said, visitor.as_caller()))


def _settle(proposal: HelpProposal, loan: WatchedLoan) -> HelpProposal:
	"""Without the terms where it is the plan."""
	plan = loan.plan
	if plan is not None and plan.action == proposal.action and proposal.terms in (None, plan.terms):
		return proposal.model_copy(update={"terms": None})
	if proposal.terms is None:
		if NEEDED[proposal.action]:
			refuse("invalid-body", "What is offered is not the plan.", "terms", "missing", "Give the terms and a note")
		proposal = proposal.model_copy(update={"terms": Terms()})
	if not proposal.note.strip():
		refuse("invalid-body", "What is offered is not the plan.", "note", "missing", "Say why in a note")
	return proposal
