from loantap.serving.cases.case import Reason
from tests.serving.api.test_queue import refer
from tests.serving.dashboard.screen import choose, press, read_all


def test_without_decisions_the_page_says_what_to_do(api, screen):
  assert "Score an application, or search for less." in read_all(screen.open("decisions", api.key))


def test_a_decision_is_found_by_its_application_and_opened(api, screen):
  api.decide(application_id="A-1")
  wanted = api.decide(application_id="A-2")["id"]

  app = choose(screen.open("decisions", api.key), "text_input", "Application id", "A-2")
  assert "A-2" in read_all(app)
  assert "A-1" not in read_all(app)

  said = read_all(choose(app, "selectbox", "Open", wanted))
  assert wanted in said
  assert "loantap-lending-demo 3" in said
  assert "<td>Yearly income</td><td class=num>60,000" in said


def test_a_replay_says_that_it_is_the_same_and_is_an_event(api, screen):
  made = api.decide()["id"]
  app = choose(screen.open("decisions", api.key), "text_input", "Decision id", made)

  assert "The same decision comes out again." in read_all(press(app, "Replay"))

  said = read_all(choose(screen.open("decisions", api.key), "text_input", "Decision id", made))
  assert "replay" in said


def test_what_was_erased_cannot_be_replayed(api, screen):
  made = api.decide()["id"]
  api.ask("DELETE", f"/v1/decisions/{made}/personal", json={"reason": "asked for"})

  app = choose(screen.open("decisions", api.key), "text_input", "Decision id", made)

  assert "Its personal data was erased: it cannot be replayed." in read_all(app)
  assert "Replay" not in [button.label for button in app.button]
  assert not app.get("download_button")


def test_what_a_person_decided_stands_first(api, screen):
  case = refer(api)
  api.post(f"/v1/cases/{case}/take")
  api.post(f"/v1/cases/{case}/decide", {"decision": "decline", "reason": Reason.TOO_MUCH_DEBT})

  page = choose(screen.open("decisions", api.key), "text_input", "Decision id", case)

  assert "**tests decided: decline.** Reason: too much other debt." in str(page.info[0].value)
  assert [one.label for one in page.get("download_button")] == ["Decision sheet", "Letter to the applicant"]


def test_an_unknown_id_is_one_message(api, screen):
  app = choose(screen.open("decisions", api.key), "text_input", "Decision id", "dec_nothing")

  assert [*app.warning, *app.error]
