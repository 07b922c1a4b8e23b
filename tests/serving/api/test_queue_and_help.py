import pytest

from loantap.serving.cases.case import Cases, DecidedCase, Overrides, Reason
from loantap.serving.help.offer import HelpOffer, HelpOfferPage, HelpReport, WatchedLoan, WatchlistPage
from tests.serving.api.served import expect
from tests.serving.watched import LOANS


def test_deciding_is_a_record_of_its_own_and_the_decision_stays(own_api):
	decision = own_api.refer(application_id="q-1")
	listed = Cases.model_validate(own_api.get("/v1/cases").json)
	assert [(case.decision_id, case.application_id, case.amount) for case in listed.items] == [(decision, "q-1", 36_000)]
	assert (listed.n, listed.reasons) == (1, list(Reason))
	# Whose key has it is for nobody else.
	assert "taken_by_key" not in own_api.post(f"/v1/cases/{decision}/take").json
	body = {"decision": "approve", "reason": "income confirmed", "note": "seen\nthe payslip"}

	told = DecidedCase.model_validate(own_api.post(f"/v1/cases/{decision}/decide", body).json)

	assert (told.state, told.outcome, told.note) == ("closed", "approve", "seen\nthe payslip")
	kept = own_api.get(f"/v1/decisions/{decision}").json
	assert (kept["decision"], kept["case"]) == ("refer", "closed")
	override = kept["events"][-1]
	assert override["id"] == told.override
	assert override["public"] == {"decision": "approve", "reason": "income confirmed"}
	assert override["note"] == "seen\nthe payslip"
	counted = Overrides.model_validate(own_api.get("/v1/overrides").json)
	assert (counted.n, counted.by_outcome) == (1, {"approve": 1})
	assert counted.by_person[0].person == "tests"


@pytest.mark.parametrize(
	("body", "field"),
	[
		({"decision": "refer"}, "decision"),
		({"decision": ["approve"]}, "decision"),
		({"reason": "luck"}, "reason"),
		({"note": 5}, "note"),
		({"note": "\x00"}, "note"),
		({"note": "x" * 2_001}, "note"),
		({"by": "me"}, "by"),
	],
)
def test_a_decision_on_a_case_that_cannot_be_used_is_refused(api, body, field):
	whole = {"decision": "approve", "reason": "credit policy"} | body

	told = expect(api.post("/v1/cases/dec_0/decide", whole), 422, "invalid-body")

	assert told.errors[0].field == field


TERMS = {"emi_new": 300, "months_left_new": 44}
PLAN = {"action": "term_extension", "terms": {"emi_new": 331.5, "months_left_new": 40}}
OTHER = {"action": "term_extension", "terms": TERMS, "note": "she can pay\n300"}
OFFER = "/v1/watchlist/L-2/help"


@pytest.fixture(scope="module")
def listed(api):
	"""The tests of refusals keep no offer: they share it."""
	api.watch_loans()
	return api


def read(kind, answer, status=200):
	assert answer.status_code == status, answer.text
	return kind.model_validate(answer.json)


def test_the_list_is_told_by_rank_page_by_page_with_counts(listed):
	page = read(WatchlistPage, listed.get("/v1/watchlist?limit=2"))
	rest = read(WatchlistPage, listed.get(f"/v1/watchlist?limit=3&after={page.next}"))
	narrow = read(WatchlistPage, listed.get("/v1/watchlist?queue=reminders&action=due_date_shift"))

	assert [loan.loan_id for loan in [*page.items, *rest.items]] == [row[0] for row in LOANS]
	assert (page.n, rest.next, f"{page.as_of_month:%Y-%m}", page.simulated) == (5, None, "2017-03", True)
	assert page.counts["level"] == {"critical": 2, "serious": 1, "watch": 2}
	assert ([loan.loan_id for loan in narrow.items], narrow.n, narrow.counts) == (["L-5"], 1, page.counts)


@pytest.mark.parametrize("wrong", ["queue=x", "level=none", "action=help", "after=-1", "limit=501", "x=1"])
def test_a_filter_that_cannot_be_used_is_named(listed, wrong):
	told = expect(listed.get(f"/v1/watchlist?{wrong}"), 400, "bad-parameter")

	assert told.errors[0].field == wrong.partition("=")[0]


def test_an_offer_is_found_by_loan_and_state_and_only_one_of_a_loan_is_open(own_api):
	"""Over this API, the dashboard's own test goes the whole way from offer to report."""
	own_api.watch_loans()
	made = read(HelpOffer, own_api.post(OFFER, PLAN), 201)
	assert f"{made.at:%Y-%m-%d %H:%M} UTC ({made.id})" in expect(own_api.post(OFFER, OTHER), 409, "conflict").detail
	done = read(HelpOffer, own_api.post(f"/v1/help/{made.id}/answer", {"answer": "declined"}))

	assert (made.by_plan, made.simulated, made.state, done.state) == (True, True, "offered", "declined")
	assert read(WatchedLoan, own_api.get("/v1/watchlist/L-2")).offers == [done]
	assert read(HelpOfferPage, own_api.get("/v1/help?state=declined&loan_id=L-2")).items == [done]
	[report] = read(HelpReport, own_api.get("/v1/help/report")).items
	assert (report.action, report.simulated, report.take_up.share) == ("term_extension", True, 0)
	other = read(HelpOffer, own_api.post(OFFER, OTHER), 201)
	assert (other.by_plan, other.terms.emi_new, other.note) == (False, 300, OTHER["note"])
	# An action that has no terms needs the note alone.
	assert not read(
		HelpOffer, own_api.post("/v1/watchlist/L-4/help", {"action": "reminder", "note": "first"}), 201
	).by_plan


@pytest.mark.parametrize(
	("changes", "field"),
	[
		({"action": "none"}, "body"),
		({"action": "luck"}, "action"),
		({"by": "me"}, "by"),
		({"note": " "}, "note"),
		({"note": "\x00"}, "note"),
		({"note": "x" * 2_001}, "note"),
		({"terms": []}, "terms"),
		({"terms": None}, "terms"),
		({"terms": {"emi_new": 300}}, "body"),
		({"action": "reminder"}, "body"),
		*(({"terms": TERMS | {"emi_new": bad}}, "terms.emi_new") for bad in (0, True, "300", 1e9, 10**400)),
		*(({"terms": TERMS | {"months_left_new": bad}}, "terms.months_left_new") for bad in (0, 1.5, 481)),
		({"answer": "maybe"}, "answer"),
		({"answer": "accepted", "by": 1}, "by"),
		({"outcome": ["x"]}, "outcome"),
	],
)
def test_a_body_that_cannot_be_used_is_refused_by_field(listed, changes, field):
	step = next(iter(changes))
	follows = step in {"answer", "outcome"}
	path, body = (f"/v1/help/hlp_0/{step}", changes) if follows else ("/v1/watchlist/L-3/help", OTHER | changes)

	assert expect(listed.post(path, body), 422, "invalid-body").errors[0].field == field
	assert listed.get("/v1/help").json["n"] == 0


def test_what_is_not_there_is_said_with_the_remedy(own_api):
	for answer in (own_api.get("/v1/watchlist"), own_api.get("/v1/watchlist/L-1"), own_api.post(OFFER, OTHER)):
		assert "kedro run --pipelines early_warning" in expect(answer, 404, "not-found").detail
	own_api.watch_loans()
	assert "GET /v1/watchlist" in expect(own_api.get("/v1/watchlist/L-9é"), 404, "not-found").detail
	for offer_id in ("hlp_0", "hé", "x" * 101):
		gone = own_api.post(f"/v1/help/{offer_id}/answer", {"answer": "accepted"})
		assert "GET /v1/help" in expect(gone, 404, "not-found").detail
	(own_api.office.settings.reports / "help_plans.parquet").write_bytes(b"no parquet")
	assert "help_plans.parquet" in expect(own_api.get("/v1/watchlist"), 409, "conflict").detail
