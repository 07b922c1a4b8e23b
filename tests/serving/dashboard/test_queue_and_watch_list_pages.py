import re

import httpx
import pytest

from loantap.serving.cases.case import Reason
from loantap.serving.keys.keys import Scope
from tests.serving.api.served import EVERYTHING
from tests.serving.dashboard.screen import Screen, answer_with, choose, fill, list_buttons, press, read_all

# The other pages have more to show where the API does not answer.
PAGES = ("queue", "decisions", "score", "batch", "policy", "watch_list")


def decline(app, reason):
	fill(app, "radio", "Decision", "decline")
	return press(fill(app, "selectbox", "Reason", reason), "Record the decision")


def test_a_case_is_taken_decided_with_a_reason_and_leaves_the_queue(api, screen):
	case = api.refer(application_id="q-1")
	taken = press(screen.open("queue"), "Take")
	said = read_all(taken)
	assert "**q-1** · 36,000 · PD" in said
	assert "Taken (1)" in said
	for told in ("Expected NPV", "above the highest that is approved", "<td>Yearly income</td>"):
		assert told in said

	undecided = press(taken, "Record the decision")
	assert "Choose a decision and a reason." in read_all(undecided)
	assert api.get("/v1/cases?state=taken").json["n"] == 1

	done = decline(undecided, Reason.TOO_MUCH_DEBT)
	assert f"{case}: decline is recorded." in read_all(done)
	assert "Taken (0)" in read_all(done)
	event = api.get(f"/v1/decisions/{case}").json["events"][-1]
	assert (event["kind"], event["person"]) == ("case_decided", "tests")


def test_a_case_that_is_given_back_is_open_again(api, screen):
	api.refer()

	back = press(press(screen.open("queue"), "Take"), "Give back")

	assert "Open (1)" in read_all(back)
	assert "Taken (0)" in read_all(back)


def test_another_person_is_told_who_has_a_case_and_cannot_decide_it(api, screen):
	case = api.refer()
	app = screen.open("queue", api.make_key("Meera Iyer", [Scope.READ, Scope.DECIDE]))
	api.post(f"/v1/cases/{case}/take")

	# Her page is from before, and still offers it.
	app = press(app, "Take")

	assert "tests has it." in read_all(app)
	assert "Record the decision" not in list_buttons(app)


def test_a_key_that_may_not_decide_only_looks(api, screen):
	api.refer()

	app = screen.open("queue", api.make_key("Reader", [Scope.READ]))

	assert "decide" in read_all(app)
	assert "Take" not in list_buttons(app)


def test_the_queue_goes_on_and_comes_back_page_by_page(api, screen, monkeypatch):
	monkeypatch.setattr("loantap.serving.dashboard.pages.queue._PAGE", 2)
	assert "Open (0)" in screen.read("queue")
	for n in range(3):
		api.refer(application_id=f"q-{n}")
	api.refer(application_id="large", loan_amnt=36_500, installment=1247.48)
	app = screen.open("queue")
	assert "1 to 2 of 4." in read_all(app)

	app = press(app, "Next page")
	said = read_all(app)
	assert "3 to 4 of 4." in said
	assert "**q-2**" in said
	assert "**q-0**" not in said

	assert "**q-0**" in read_all(press(app, "Previous page"))
	# In another order the list begins at its first page.
	app = press(app, "Next page")
	said = read_all(choose(app, "radio", "Order", "Largest amount first"))
	assert "1 to 2 of 4." in said
	assert said.index("**large**") < said.index("**q-0**")


def test_a_refusal_is_told_at_its_case_and_what_was_written_stays(api, screen):
	api.refer()
	app = press(screen.open("queue"), "Take")
	app.text_area[0].set_value(" ")

	app = decline(app, Reason.OTHER)

	assert "Say why in a note" in read_all(app)
	assert app.radio[1].value == "decline"


@pytest.mark.parametrize("page", PAGES)
def test_without_a_champion_each_page_says_what_to_run(page, empty_screen):
	[told] = empty_screen.open(page).error

	assert "there is no champion. Train one with `kedro run`" in told.value


@pytest.mark.parametrize("page", PAGES)
def test_a_key_that_asked_too_often_is_told_how_long_to_wait(page, api, screen):
	slow = api.make_key("Slow", EVERYTHING, rate=1)

	[told] = screen.open(page, slow).warning

	assert re.search(r"Too many requests with this key\.\*\* Wait \d+ seconds", told.value)


@pytest.mark.parametrize("page", PAGES)
def test_without_the_api_each_page_says_so(page, down):
	assert "The API is not running" in down.read(page)


@pytest.mark.parametrize("page", PAGES)
def test_a_key_that_was_revoked_is_to_be_replaced(page, monkeypatch, tmp_path):
	gone = {"/v1/key": (401, {"type": "urn:loantap:problem:no-key", "title": "Unknown key"})}
	screen = Screen(monkeypatch, httpx.MockTransport(answer_with(gone)), tmp_path)

	assert "revoked" in screen.read(page)


@pytest.fixture
def watched(api):
	api.watch_loans()
	return api


def test_the_list_tells_each_loan_and_its_plan_and_filters_it(watched, screen):
	app = screen.open("watch_list")
	said = read_all(app)
	for told in (
		"Simulated: these loans",
		"As of 2017-03: restructuring 2",
		"n = 5",
		"**2 · L-2** · serious, SMA-0 · restructuring",
		"Reason 2.",
		"Utilisation 40 to 61.5",
		"polyline%20points%3D%222.0%2C22.0%22",
		"First seen 2017-01, escalated 2017-03",
		"12-month PD 31%",
		"Plan: Extend by 12 months: EMI 412 to 332; costs 210, avoids 640",
		"Plan: Why none.",
	):
		assert told in said

	said = read_all(choose(app, "selectbox", "Queue", "reminders"))
	assert "n = 2" in said
	assert "L-5" in said
	assert "L-2" not in said
	# The filter is kept while a loan is open.
	assert "n = 2" in read_all(press(press(app, "Open L-5"), "Back to the list"))


def test_the_plan_is_offered_answered_and_ended_and_then_counts(watched, screen):
	app = press(screen.open("watch_list"), "Open L-2")
	assert "331.50" in read_all(app)
	app = press(app, "Record that the plan was offered")
	assert "L-2: Term extension is recorded as offered." in read_all(app)
	assert "Record that the plan was offered" not in list_buttons(app)
	app = press(choose(app, "radio", "Answer", "accepted"), "Record the answer")
	app = press(choose(app, "radio", "Outcome", "caught_up"), "Record the outcome")

	[offer] = watched.get("/v1/help").json["items"]
	said = [offer[name] for name in ("person", "by_plan", "answer", "outcome")]
	assert said == ["tests", True, "accepted", "caught_up"]
	said = read_all(app)
	assert "Term extension was offered by tests on 20" in said
	assert "<td>Term extension (simulated)</td>" in said
	assert "100% [21%, 100%], n 1 (few)" in said
	# It is over: something else can be offered.
	assert "Record that the plan was offered" in list_buttons(app)


def test_something_else_is_offered_with_its_terms_and_a_note(watched, screen):
	app = choose(press(screen.open("watch_list"), "Open L-4"), "selectbox", "Action", "due_date_shift")
	app = choose(app, "number_input", "Days later", 9)
	refused = press(app, "Record it")
	assert "Say why in a note" in read_all(refused)

	press(choose(refused, "text_area", "Why not the plan", "paid on the 5th"), "Record it")

	[offer] = watched.get("/v1/help?loan_id=L-4").json["items"]
	assert (offer["action"], offer["terms"]["shift_days"], offer["note"]) == ("due_date_shift", 9, "paid on the 5th")


def test_a_key_that_may_not_help_only_looks(watched, screen):
	app = press(screen.open("watch_list", watched.make_key("Reader", [Scope.READ])), "Open L-2")

	assert "no right to record help" in read_all(app)
	assert "Record" not in "".join(list_buttons(app))


def test_before_a_run_it_says_what_to_run(screen):
	assert "kedro run --pipelines early_warning" in screen.read("watch_list")
