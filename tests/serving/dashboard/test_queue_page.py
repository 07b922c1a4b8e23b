import re

import httpx
import pytest

from loantap.serving.cases.case import Reason
from loantap.serving.keys.keys import Scope
from tests.serving.api.served import EVERYTHING
from tests.serving.api.test_queue import refer
from tests.serving.dashboard.screen import Screen, answer_with, choose, fill, press, read_all

# The other pages have more to show where the API does not answer.
PAGES = ("queue", "decisions", "score", "batch", "policy", "watch_list")


def decline(app, reason):
  fill(app, "radio", "Decision", "decline")
  return press(fill(app, "selectbox", "Reason", reason), "Record the decision")


def test_a_case_is_taken_decided_with_a_reason_and_leaves_the_queue(api, screen):
  case = refer(api, application_id="q-1")
  taken = press(screen.open("queue", api.key), "Take")
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
  refer(api)

  back = press(press(screen.open("queue", api.key), "Take"), "Give back")

  assert "Open (1)" in read_all(back)
  assert "Taken (0)" in read_all(back)


def test_another_person_is_told_who_has_a_case_and_cannot_decide_it(api, screen):
  case = refer(api)
  app = screen.open("queue", api.make_key("Meera Iyer", [Scope.READ, Scope.DECIDE]))
  api.post(f"/v1/cases/{case}/take")

  # Her page is from before, and still offers it.
  app = press(app, "Take")

  assert "tests has it." in read_all(app)
  assert "Record the decision" not in [button.label for button in app.button]


def test_a_key_that_may_not_decide_only_looks(api, screen):
  refer(api)
  reader = api.make_key("Reader", [Scope.READ])

  app = screen.open("queue", reader)

  assert "decide" in read_all(app)
  assert "Take" not in [button.label for button in app.button]


def test_the_queue_goes_on_and_comes_back_page_by_page(api, screen, monkeypatch):
  monkeypatch.setattr("loantap.serving.dashboard.pages.queue._PAGE", 2)
  assert "Open (0)" in screen.read("queue", api.key)
  for n in range(3):
    refer(api, application_id=f"q-{n}")
  refer(api, application_id="large", loan_amnt=36_500, installment=1247.48)
  app = screen.open("queue", api.key)
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
  refer(api)
  app = press(screen.open("queue", api.key), "Take")
  app.text_area[0].set_value(" ")

  app = decline(app, Reason.OTHER)

  assert "Say why in a note" in read_all(app)
  assert app.radio[1].value == "decline"


@pytest.mark.parametrize("page", PAGES)
def test_without_a_champion_each_page_says_what_to_run(page, empty_screen):
  screen, key = empty_screen

  [told] = screen.open(page, key).error

  assert "there is no champion. Train one with `kedro run`" in str(told.value)


@pytest.mark.parametrize("page", PAGES)
def test_a_key_that_asked_too_often_is_told_how_long_to_wait(page, api, screen):
  slow = api.make_key("Slow", EVERYTHING, rate=1)

  [told] = screen.open(page, slow).warning

  assert re.search(r"Too many requests with this key\.\*\* Wait \d+ seconds", str(told.value))


@pytest.mark.parametrize("page", PAGES)
def test_without_the_api_each_page_says_so(page, down):
  assert "The API is not running" in down.read(page, "lt_x_y")


@pytest.mark.parametrize("page", PAGES)
def test_a_key_that_was_revoked_is_to_be_replaced(page, monkeypatch, tmp_path):
  gone = {"/v1/key": (401, {"type": "urn:loantap:problem:no-key", "title": "Unknown key"})}
  screen = Screen(monkeypatch, httpx.MockTransport(answer_with(gone)), tmp_path)

  assert "revoked" in screen.read(page, "lt_x_y")
