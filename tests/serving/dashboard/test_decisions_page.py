import re

import pytest

from loantap.serving.api.schemas import Contribution
from loantap.serving.cases.case import Outcome, Reason
from loantap.serving.dashboard.client import Decision
from loantap.serving.dashboard.decision_view import list_steps, write_letter, write_sheet, write_waterfall
from tests.serving.dashboard.screen import choose, list_buttons, press, read_all


def find(screen, decision):
	return choose(screen.open("decisions"), "text_input", "Decision id", decision)


def test_without_decisions_the_page_says_what_to_do(screen):
	assert "Score an application, or search for less." in screen.read("decisions")


def test_a_decision_is_found_by_its_application_and_opened(api, screen):
	api.decide(application_id="A-1")
	wanted = api.decide(application_id="A-2")["id"]

	app = choose(screen.open("decisions"), "text_input", "Application id", "A-2")
	assert "A-2" in read_all(app)
	assert "A-1" not in read_all(app)

	said = read_all(choose(app, "selectbox", "Open", wanted))
	assert wanted in said
	assert "loantap-lending-demo 3" in said
	assert "<td>Yearly income</td><td class=num>60,000" in said


def test_a_replay_says_that_it_is_the_same_and_is_an_event(api, screen):
	made = api.decide()["id"]
	app = find(screen, made)

	assert "The same decision comes out again." in read_all(press(app, "Replay"))

	said = read_all(find(screen, made))
	assert "replay" in said


def test_what_was_erased_cannot_be_replayed(api, screen):
	made = api.decide()["id"]
	api.ask("DELETE", f"/v1/decisions/{made}/personal", json={"reason": "asked for"})

	app = find(screen, made)

	assert "Its personal data was erased: it cannot be replayed." in read_all(app)
	assert "Replay" not in list_buttons(app)
	assert not app.get("download_button")


def test_what_a_person_decided_stands_first(api, screen):
	case = api.refer()
	api.post(f"/v1/cases/{case}/take")
	api.post(f"/v1/cases/{case}/decide", {"decision": "decline", "reason": Reason.TOO_MUCH_DEBT})

	page = find(screen, case)

	assert "**tests decided: decline.** Reason: too much other debt." in page.info[0].value
	assert [one.label for one in page.get("download_button")] == ["Decision sheet", "Letter to the applicant"]


def test_an_unknown_id_is_one_message(screen):
	app = find(screen, "dec_nothing")

	assert [*app.warning, *app.error]


NOTE = "the neighbour called"
INTERNAL = (NOTE, "Meera", "fraud", "robability", "Score", "secret-model", "npv 2026-11")


REFERRED = {
	"id": "dec_1",
	"at": "2026-11-28T10:00:00Z",
	"decision": "refer",
	"simulated": True,
	"reasons": ["the amount is above the highest", "The yearly income: <b>1</b>"],
	"case": None,
	"application_id": None,
	"probability_of_default": 0.2,
	"score": 600,
	"expected_npv": None,
	"model": {"name": "secret-model", "version": "1", "origin": "real"},
	"policy": {"version": "npv 2026-11", "digest": "0"},
}


def decide(outcome, reason):
	said = {"note": NOTE, "person": "Meera Iyer", "public": {"decision": outcome, "reason": reason}}
	event = {"id": "ovr_1", "kind": "case_decided", "at": "2026-12-01T09:00:00Z"} | said
	return Decision.model_validate(REFERRED | {"events": [event]})


def test_the_letter_names_reasons_but_nothing_of_the_model():
	letter = write_letter(Decision.model_validate(REFERRED | {"decision": "decline"}))

	assert "The yearly income: &lt;b&gt;1&lt;/b&gt;" in letter
	assert "SIMULATED" in letter
	for internal in INTERNAL:
		assert internal not in letter


def test_what_the_api_tells_of_a_case_becomes_a_letter(api):
	case = api.refer(application_id="A-9")
	api.post(f"/v1/cases/{case}/take")
	said = {"decision": "decline", "reason": Reason.OTHER, "note": NOTE}
	api.post(f"/v1/cases/{case}/decide", said)
	made = Decision.model_validate(api.get(f"/v1/decisions/{case}").json)

	letter = write_letter(made)

	assert "We are sorry that we cannot offer you this loan." in letter
	assert "Your application A-9" in letter
	# Why a person had to decide is past; what weighed against the applicant is not.
	assert "above the highest that is approved" in made.reasons[0]
	assert "above the highest that is approved" not in letter
	assert all(reason in letter for reason in made.reasons[1:])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_letter_tells_what_stays_in_the_house(outcome, reason):
	letter = write_letter(decide(outcome, reason))

	for internal in (*INTERNAL, "the highest"):
		assert internal not in letter
	is_withdrawn = (outcome, reason) == ("decline", Reason.WITHDRAWN)
	assert ("What weighed most" in letter) == (outcome == "decline" and not is_withdrawn)
	assert ("we do not go on" in letter) == is_withdrawn
	assert ("can be approved" in letter) == (outcome == "approve")
	assert "<p>01 December 2026</p>" in letter


def test_a_fact_that_a_person_named_is_the_reason():
	letter = write_letter(decide("decline", Reason.TOO_MUCH_DEBT))

	assert "<ul><li>There is too much other debt.</li></ul>" in letter


def test_the_sheet_has_both_decisions_and_no_zero_for_what_is_not_known():
	sheet = write_sheet([("Yearly income", "60,000")], decide("decline", Reason.POLICY))

	for told in (
		"Yearly income</th><td>60,000",
		"over the life of the loan</th><td>none",
		"Decision</th><td>Decline",
		"Decided by</th><td>Meera Iyer",
		"credit policy",
		"Decision of model and policy</th><td>Refer to a person",
	):
		assert told in sheet


def make(*points):
	return [Contribution(feature="f", label=f"fact {n}", points=p) for n, p in enumerate(points)]


def test_the_largest_come_first_and_the_steps_add_up_to_what_the_features_do():
	points = [0.01, -5.0, *(1.0 + n / 10 for n in range(14))]

	steps = list_steps(make(*points))

	assert steps[0] == ("fact 1", -5.0)
	assert steps[-1][0] == "all others"
	assert len(steps) == 11
	assert sum(step[1] for step in steps) == pytest.approx(sum(points))


def test_features_of_one_fact_are_one_step():
	assert list_steps([*make(2.0), *make(1.5)]) == [("fact 0", 3.5)]


def test_each_bar_begins_where_the_one_before_it_ends():
	written = write_waterfall(600.0, make(-10.0, 5.0), 595)

	assert "<th scope=row>Fact 0</th><td class=num>▼ -10.0</td>" in written
	assert "▲ +5.0" in written
	assert re.findall(r'"(up|down)" style="left:([\d.]+)%;width:([\d.]+)%', written) == [
		("down", "0.00", "100.00"),
		("up", "0.00", "50.00"),
	]
	assert ">595</td><td></td></tr></table>" in written
