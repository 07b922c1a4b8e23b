import json
import threading
import time

import pytest

from loantap.serving.api.envelope import Envelope, RequestLog, Slots
from loantap.serving.api.office import RateLimit
from loantap.serving.errors import AuditUnavailableError
from loantap.serving.keys.keys import Scope
from tests.serving.api.served import SCORE, expect


@pytest.mark.parametrize("given", ["", "Bearer lt_x_y", "Basic abc", "Bearer é"])
def test_without_a_valid_key_nothing_is_answered(api, given):
	headers = {"Authorization": given.encode().decode("latin-1")} if given else {}
	answer = api.client.post(SCORE, json=api.make_application(), headers=headers)

	assert "loantap-keys create" in expect(answer, 401, "no-key").detail
	assert answer.headers["WWW-Authenticate"] == 'Bearer realm="LoanTap"'


ROUTES = {
	Scope.SCORE: "POST applications/score, POST applications/score-batch, POST offers",
	Scope.READ: "GET decisions, GET decisions/x, POST decisions/x/replay, GET cases, GET overrides, GET watchlist, "
	"GET watchlist/x, GET help, GET help/report, GET model, GET policy, GET policies, POST policies/x/try",
	Scope.DECIDE: "POST cases/x/take, POST cases/x/give-back, POST cases/x/decide",
	Scope.HELP: "POST watchlist/x/help, POST help/x/answer, POST help/x/outcome",
	Scope.ADMIN: "POST policies, POST policies/x/activate, POST policies/rollback, DELETE decisions/x/personal",
}


@pytest.mark.parametrize(
	("scope", "route"), [(scope, route) for scope, routes in ROUTES.items() for route in routes.split(", ")]
)
def test_each_route_needs_its_scope(api, scope, route):
	method, path = route.split()
	others = api.make_key("narrow", [other for other in Scope if other is not scope])

	told = expect(api.ask(method, f"/v1/{path}", others), 403, "wrong-scope")

	assert f"--scope {scope}" in told.detail


def test_a_key_says_who_it_is(api):
	told = api.get("/v1/key", api.make_key("desk", [Scope.READ])).json

	assert (told["owner"], told["person"], told["scopes"]) == ("desk", "desk", ["read"])


def test_a_delegate_names_the_person_it_acts_for(api):
	text = api.make_key("dashboard", [Scope.DELEGATE, Scope.SCORE, Scope.READ])
	person = {"LoanTap-Person": "Zoë Officer".encode().decode("latin-1")}

	decision = api.score(key=text, headers=person).json

	assert api.find(decision)["person"] == "Zoë Officer"


def test_another_key_may_not_act_for_somebody(api):
	answer = api.score(headers={"LoanTap-Person": "Ann"})

	assert "delegate" in expect(answer, 403, "wrong-scope").detail


@pytest.mark.parametrize(
	("name", "value"),
	[
		*(("LoanTap-Person", wrong) for wrong in (" ", "x" * 201, "a\x7fb", "\xff")),
		*(("Idempotency-Key", wrong) for wrong in ("x" * 256, "a b")),
		*(("X-Request-ID", wrong) for wrong in ("x" * 101, "<script>")),
	],
)
def test_a_header_that_cannot_be_used_is_refused(api, name, value):
	text = api.make_key("dashboard", [Scope.DELEGATE, Scope.SCORE])

	answer = api.score(key=text, headers={name: value})

	assert expect(answer, 400, "bad-header").errors[0].field == name


def test_a_key_that_asks_too_often_waits_and_others_go_on(api):
	slow = api.make_key("slow", [Scope.SCORE], rate=3)
	statuses = [api.score(key=slow).status_code for _ in range(4)]

	answer = api.score(key=slow)

	assert statuses == [200, 200, 200, 429]
	expect(answer, 429, "too-many-requests")
	assert 1 <= int(answer.headers["Retry-After"]) <= 60
	assert api.score().status_code == 200
	assert b"loantap_limited_total 2.0" in api.client.get("/metrics").data


def test_the_rate_is_shared_by_the_processes_and_begins_anew_each_minute(monkeypatch):
	clock = [100.0]
	monkeypatch.setattr(time, "monotonic", lambda: clock[0])
	rates = RateLimit(processes=2)

	assert [rates.ask("a", 4) for _ in range(3)] == [0, 0, 60]
	clock[0] += 30
	assert rates.ask("a", 4) == 30
	assert rates.ask("b", 1) == 0
	clock[0] += 30
	assert rates.ask("a", 4) == 0


def test_a_request_id_is_given_back_or_made(api):
	given, *made = (
		api.client.get("/healthz", headers=headers).headers["X-Request-ID"]
		for headers in ({"X-Request-ID": "trace:1.a-b"}, {}, {})
	)

	assert given == "trace:1.a-b"
	assert made[0] != made[1]


@pytest.mark.parametrize("path", ["/healthz", SCORE])
def test_every_answer_carries_headers_of_safety_and_no_cors(api, path):
	headers = api.client.get(path, headers={"Origin": "https://elsewhere.example"}).headers

	assert headers["X-Content-Type-Options"] == "nosniff"
	assert headers["X-Frame-Options"] == "DENY"
	assert headers["Cache-Control"] == "no-store"
	assert "default-src 'none'" in headers["Content-Security-Policy"]
	assert not [name for name, _ in headers if name.startswith("Access-Control")]


def test_a_bug_is_answered_without_a_word_of_it(api, monkeypatch, caplog):
	def fail(*_):
		raise RuntimeError("Clock maker of Nowhere Lane")

	monkeypatch.setattr(type(api.office.desk), "standing", property(fail))
	answer = api.post(SCORE, {})

	told = expect(answer, 500, "bug")
	assert told.request_id in told.detail
	assert "Clock maker" not in answer.text + caplog.text
	assert "RuntimeError at " in caplog.text


def test_without_a_record_there_is_no_answer(api, monkeypatch):
	def fail(*_):
		raise AuditUnavailableError("audit.db", "the disk is full", "Make room")

	monkeypatch.setattr(api.office.store, "append_made", fail)
	answer = api.score()

	assert "the disk is full. Make room" in expect(answer, 503, "no-record").detail
	assert answer.headers["Retry-After"] == "2"


def test_what_waits_too_long_for_a_slot_is_refused_and_watchers_are_let_in(api):
	working, go_on = threading.Event(), threading.Event()

	def work(environ, start):
		if environ["PATH_INFO"] == "/slow":
			working.set()
			go_on.wait(10)
		start("200 OK", [])
		return [b"done"]

	slots = Slots(1, room=1, patience=0.05)
	envelope = Envelope(work, api.office.metrics, slots, log=False)
	answers = {}

	def ask(path):
		def start(status, headers, exc=None):
			answers[path] = status + dict(headers).get("Retry-After", "")

		environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
		return b"".join(envelope(environ, start))

	slow = threading.Thread(target=ask, args=("/slow",))
	slow.start()
	working.wait(10)
	refused = json.loads(ask("/other"))
	ask("/healthz")
	go_on.set()
	slow.join()
	ask("/after")

	assert refused["type"] == "urn:loantap:problem:overloaded"
	assert answers == {"/slow": "200 OK", "/other": "503 SERVICE UNAVAILABLE1", "/healthz": "200 OK", "/after": "200 OK"}


def test_a_line_of_log_names_route_key_and_time_and_nobody(own_api, capfd):
	api = own_api
	log = api.app.wsgi_app._log = RequestLog()
	api.post(f"{SCORE}?offers=true", api.make_application(application_id="A-5"))
	api.get("/v1/decisions?application_id=A-5")
	log.flush()

	lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "route" in line]
	assert [(line["method"], line["route"], line["status"]) for line in lines] == [
		("POST", SCORE, 200),
		("GET", "/v1/decisions", 200),
	]
	assert set(lines[0]) == {"at", "level", "event", "method", "route", "status", "ms", "key", "request_id"}
	assert lines[0]["key"] == api.key.split("_")[1]
