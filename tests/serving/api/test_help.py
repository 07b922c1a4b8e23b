import pytest

from loantap.serving.api.help_schemas import HelpOffer, HelpOffers, HelpReport, WatchedLoan, WatchlistPage
from tests.serving.api.test_bad_requests import expect
from tests.serving.watched import LOANS, write_watchlist

EXTEND = {"action": "term_extension", "terms": {"emi_new": 300, "months_left_new": 44.0}, "note": "she can pay\n300"}


@pytest.fixture(scope="module")
def listed(api):
    """An API with a list that the tests of refusals share."""
    write_watchlist(api.office.settings.reports)
    return api


@pytest.fixture
def watched(own_api):
    write_watchlist(own_api.office.settings.reports)
    return own_api


def offer(api, loan_id="L-2", **body):
    answer = api.post(f"/v1/watchlist/{loan_id}/help", {"action": "term_extension"} | body)
    assert answer.status_code == 201, answer.text
    return HelpOffer.model_validate(answer.json)


def test_the_list_is_told_by_rank_page_by_page_with_counts_and_plans(watched):
    page = WatchlistPage.model_validate(watched.get("/v1/watchlist?limit=2").json)
    rest = WatchlistPage.model_validate(watched.get(f"/v1/watchlist?limit=3&after={page.next}").json)

    assert [loan.loan_id for loan in [*page.items, *rest.items]] == [row[0] for row in LOANS]
    assert (page.n, rest.next, page.as_of_month, page.simulated) == (5, None, "2017-03", True)
    assert page.counts["level"] == {"critical": 2, "serious": 1, "watch": 2}
    assert page.items[0].trends["utilisation"] == [40, None, 61.5]
    assert (page.items[1].plan.emi_new, page.items[1].plan.emi_later) == (331.5, None)
    narrow = WatchlistPage.model_validate(watched.get("/v1/watchlist?queue=reminders&action=due_date_shift").json)
    assert ([loan.loan_id for loan in narrow.items], narrow.n, narrow.counts) == (["L-5"], 1, page.counts)


@pytest.mark.parametrize("wrong", ["queue=x", "level=none", "action=help", "after=-1", "after=x", "limit=501", "x=1"])
def test_a_filter_that_cannot_be_used_is_named(listed, wrong):
    told = expect(listed.get(f"/v1/watchlist?{wrong}"), 400, "bad-parameter")

    assert told.errors[0].field == wrong.partition("=")[0]


def test_the_plan_is_offered_at_its_terms_answered_and_ended(watched):
    made = offer(watched)
    assert (made.by_plan, made.terms, made.note) == (True, {"emi_new": 331.5, "months_left_new": 40}, None)
    assert (made.loan_id, made.person, made.simulated, made.state) == ("L-2", "tests", True, "offered")
    public = watched.office.store.find(made.id).public
    assert (public["planned"], public["pd_12m"], public["loss_avoided"]) == ("term_extension", 0.31, 640)

    said = HelpOffer.model_validate(watched.post(f"/v1/help/{made.id}/answer", {"answer": "accepted"}).json)
    done = HelpOffer.model_validate(watched.post(f"/v1/help/{made.id}/outcome", {"outcome": "caught_up"}).json)

    assert (said.state, said.answered_by, said.outcome) == ("accepted", "tests", None)
    assert (done.state, done.outcome, done.ended_by) == ("ended", "caught_up", "tests")
    loan = WatchedLoan.model_validate(watched.get("/v1/watchlist/L-2").json)
    assert loan.offers == [done]
    assert HelpOffers.model_validate(watched.get("/v1/help?state=ended&loan_id=L-2").json).items == [done]
    assert watched.get("/v1/help?loan_id=L-1").json["n"] == 0
    [report] = HelpReport.model_validate(watched.get("/v1/help/report").json).items
    assert (report.action, report.offered, report.simulated, report.take_up.share) == ("term_extension", 1, True, 1)
    assert report.outcomes["accepted"]["caught_up"].is_small


@pytest.mark.parametrize(
    ("loan", "body", "terms"),
    [
        ("L-2", EXTEND, {"emi_new": 300, "months_left_new": 44}),
        ("L-2", {"action": "reminder", "note": "first"}, {}),
        ("L-4", {"action": "due_date_shift", "terms": {"shift_days": 1}, "note": "paid on the 5th"}, {"shift_days": 1}),
    ],
)
def test_something_else_than_the_plan_is_offered_with_a_note(watched, loan, body, terms):
    made = offer(watched, loan, **body)

    assert (made.by_plan, made.terms, made.note) == (False, terms, body["note"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": "none"}, "action"), ({"action": None}, "action"), ({"by": "me"}, "by"), ({"note": None}, "note"),
        ({"note": " "}, "note"), ({"note": 5}, "note"), ({"terms": []}, "terms"), ({"terms": None}, "terms.emi_new"),
        ({"terms": {"emi_new": 300}}, "terms.months_left_new"), ({"action": "reminder"}, "terms.emi_new"),
        *(({"terms": EXTEND["terms"] | {"emi_new": bad}}, "terms.emi_new") for bad in (0, -1, True, "300", 10**400)),
        *(({"terms": EXTEND["terms"] | {"months_left_new": bad}}, "terms.months_left_new") for bad in (0, 1.5, 481)),
    ],
)  # fmt: skip
def test_what_cannot_be_offered_is_refused_by_field(listed, changes, field):
    loan = "L-3" if "terms" in changes and not changes["terms"] else "L-2"

    told = expect(listed.post(f"/v1/watchlist/{loan}/help", EXTEND | changes), 422, "invalid-body")

    assert told.errors[0].field == field
    assert listed.get("/v1/help").json["n"] == 0


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("answer", {"answer": "maybe"}, "answer"), ("answer", {"answer": "accepted", "by": 1}, "by"),
        ("outcome", {"outcome": ["defaulted"]}, "outcome"), ("outcome", {}, "outcome"),
    ],
)  # fmt: skip
def test_an_answer_or_outcome_that_cannot_be_used_is_refused(api, path, body, field):
    assert expect(api.post(f"/v1/help/hlp_0/{path}", body), 422, "invalid-body").errors[0].field == field


def test_a_second_offer_or_answer_is_refused_with_what_was_done(watched):
    made = offer(watched)
    again = expect(watched.post("/v1/watchlist/L-2/help", {"action": "term_extension"}), 409, "conflict")
    assert f"tests offered term_extension on {made.at:%Y-%m-%d %H:%M} UTC ({made.id})" in again.detail

    watched.post(f"/v1/help/{made.id}/answer", {"answer": "declined"})
    again = expect(watched.post(f"/v1/help/{made.id}/answer", {"answer": "accepted"}), 409, "conflict")
    assert "tests recorded declined" in again.detail


def test_what_is_not_there_is_said_with_the_remedy(own_api):
    for method, path in (("GET", ""), ("GET", "/L-1"), ("POST", "/L-1/help")):
        body = {"json": {"action": "reminder"}} if method == "POST" else {}
        told = expect(own_api.ask(method, f"/v1/watchlist{path}", **body), 404, "not-found")
        assert "kedro run --pipelines early_warning" in told.detail
    write_watchlist(own_api.office.settings.reports)
    assert "GET /v1/watchlist" in expect(own_api.get("/v1/watchlist/L-9é"), 404, "not-found").detail
    for offer_id in ("hlp_0", "h\u00e9", "x" * 101):
        gone = own_api.post(f"/v1/help/{offer_id}/answer", {"answer": "accepted"})
        assert "GET /v1/help" in expect(gone, 404, "not-found").detail
    (own_api.office.settings.reports / "help_plans.parquet").write_bytes(b"no parquet")
    assert "help_plans.parquet" in expect(own_api.get("/v1/watchlist"), 409, "conflict").detail
