import pandas as pd
import pytest

from loantap.model.scoring.scorer import REASONS
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.serving.api import worker
from loantap.serving.api.schemas import Decision, Offers
from loantap.serving.desk.standing import find_today
from tests.conftest import MADE_UP_LOAN
from tests.serving.api.served import OFFERS, SCORE, expect


def test_a_decision_says_what_why_by_which_model_and_under_which_policy(api):
	told = Decision.model_validate(api.decide(application_id="A-1"))

	assert told.application_id == "A-1"
	assert told.model.model_dump() == {"name": "loantap-lending-demo", "version": "3", "origin": "simulated"}
	assert told.policy.version == "npv 2026-11"
	assert told.simulated
	assert 300 <= told.score <= 900


def test_nothing_personal_is_in_the_part_that_stays(api):
	told = api.decide(**MADE_UP_LOAN | {"application_id": "A-77"})

	said = str(api.office.store.find(told["id"]).public)
	for value in ("Clock maker", "Nowhere Lane", "A-77", "60000", *told["reasons"]):
		assert value not in said


@pytest.fixture(scope="module")
def rows(simulated_loans):
	"""Some are broken."""
	columns = [c for c in portfolio_columns() if c.name != "loan_status"]
	rendered = render(simulated_loans.head(100), columns).to_dict("records")
	rows = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rendered]
	rows[3]["dti"] = -1
	rows[5]["term"] = "48 months"
	return rows


def test_alone_and_in_a_batch_an_application_is_answered_as_in_a_file(api, rows):
	scores = api.office.desk.standing.underwriter.underwrite(pd.DataFrame(rows), find_today())

	results = api.decide_all(rows)

	assert [result["row"] for result in results] == list(range(len(rows)))
	for row, result, expected in zip(rows, results, scores.to_dict("records"), strict=True):
		assert result["decision"] == expected["decision"]
		answer = api.post(SCORE, row)
		if expected["decision"] == "invalid":
			assert answer.status_code == 422
			continue
		alone = answer.json
		for name in ("decision", "score", "reasons", "model", "policy", "case"):
			assert alone[name] == result[name]
		assert alone["score"] == expected["score"]
		assert alone["reasons"] == [expected[name] for name in REASONS if expected[name]]
		for name in ("probability_of_default", "expected_npv"):
			near = pytest.approx(expected[name], rel=0, abs=1e-9)
			assert alone[name] == near
			assert result[name] == near


def test_offers_come_with_a_decision_where_they_are_asked_for(api):
	body = api.make_application()

	asked = api.post(f"{SCORE}?offers=true", body).json
	not_asked = api.post(f"{SCORE}?offers=false", body).json

	assert "offers" not in not_asked
	assert asked["offers"] == api.post(OFFERS, body).json["offers"]
	Decision.model_validate(asked)


def test_offers_are_those_of_a_file(api, rows):
	maker = api.office.desk.standing.maker

	for row in rows[10:30]:
		answer = api.post(OFFERS, {k: row[k] for k in row if k in maker.columns})
		told = Offers.model_validate(answer.json)
		made = maker.make_offers_batch(pd.DataFrame([row]), 0, find_today())
		assert [offer.amount for offer in told.offers] == [None if pd.isna(amount) else amount for amount in made["amount"]]
		assert [offer.reason for offer in told.offers] == made["reason"].astype("str").tolist()
		assert told.model.name == "loantap-application-demo"


def test_the_same_request_under_an_idempotency_key_gets_the_same_bytes(api):
	body, headers = api.make_application(), {"Idempotency-Key": "once"}

	first = api.post(f"{SCORE}?offers=true", body, headers=headers)
	second = api.post(f"{SCORE}?offers=true", body, headers=headers)

	assert first.data == second.data


def test_another_request_under_a_used_idempotency_key_is_refused(api):
	headers = {"Idempotency-Key": "used"}
	api.score(headers=headers)

	for path, change in ((SCORE, {"dti": 3}), (f"{SCORE}?offers=true", {}), (OFFERS, {})):
		answer = api.post(path, api.make_application(**change), headers=headers)
		assert answer.status_code == 409
		assert answer.json["type"].endswith("idempotency-conflict")


_OWN = {"id", "at", "request_id"}


@pytest.fixture
def without_view(monkeypatch):
	"""The view decides nothing itself, so that what is decided was decided directly."""

	def refuse(*_, **__):
		raise AssertionError("the view was asked")

	monkeypatch.setattr("loantap.serving.api.scoring.decide", refuse)


def ask(api, is_direct, **more):
	"""A query string sends the request to the view."""
	given = {"json": api.make_application()} | more
	return api.ask("POST", SCORE if is_direct else f"{SCORE}?offers=false", **given)


def without_own(answer):
	return {name: value for name, value in answer.json.items() if name not in _OWN}


def test_a_plain_request_does_not_reach_the_view(api, without_view):
	assert ask(api, True).status_code == 200


def test_another_form_of_it_does(api, without_view):
	assert ask(api, False).status_code == 500


@pytest.mark.parametrize(
	("status", "more"),
	[
		(200, {}),
		(400, {"json": None, "data": b"{", "headers": {"Content-Type": "application/json"}}),
		(401, {"key": "lt_000000000000_x"}),
		(415, {"json": None, "data": b"{}", "headers": {"Content-Type": "text/plain"}}),
		(422, {"json": {"fico": 700}}),
	],
)
def test_both_answer_alike(api, status, more):
	answers = [ask(api, is_direct, **more) for is_direct in (True, False)]

	assert [answer.status_code for answer in answers] == [status, status]
	assert without_own(answers[0]) == without_own(answers[1])
	assert answers[0].content_type == answers[1].content_type
	assert {name for name, _ in answers[0].headers} == {name for name, _ in answers[1].headers}


def test_a_fault_of_ours_is_a_problem_too(api, monkeypatch):
	def fail(*_):
		raise ZeroDivisionError

	monkeypatch.setattr(worker, "decide", fail)

	expect(ask(api, True), 500, "bug")
