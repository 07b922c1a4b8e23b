import pytest

from loantap.serving.keys.keys import Scope
from tests.serving.dashboard.screen import choose, press, read_all
from tests.serving.watched import write_watchlist


@pytest.fixture
def watched(api):
  write_watchlist(api.office.settings.reports)
  return api


def test_the_list_tells_each_loan_and_its_plan_and_filters_it(watched, screen):
  app = screen.open("watch_list", watched.key)
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
  app = press(screen.open("watch_list", watched.key), "Open L-2")
  assert "331.50" in read_all(app)
  app = press(app, "Record that the plan was offered")
  assert "L-2: Term extension is recorded as offered." in read_all(app)
  assert "Record that the plan was offered" not in [button.label for button in app.button]
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
  assert "Record that the plan was offered" in [button.label for button in app.button]


def test_something_else_is_offered_with_its_terms_and_a_note(watched, screen):
  app = choose(press(screen.open("watch_list", watched.key), "Open L-4"), "selectbox", "Action", "due_date_shift")
  app = choose(app, "number_input", "Days later", 9)
  refused = press(app, "Record it")
  assert "Say why in a note" in read_all(refused)

  press(choose(refused, "text_area", "Why not the plan", "paid on the 5th"), "Record it")

  [offer] = watched.get("/v1/help?loan_id=L-4").json["items"]
  assert (offer["action"], offer["terms"]["shift_days"], offer["note"]) == ("due_date_shift", 9, "paid on the 5th")


def test_a_key_that_may_not_help_only_looks(watched, screen):
  reader = watched.make_key("Reader", [Scope.READ])
  app = press(screen.open("watch_list", reader), "Open L-2")

  assert "no right to record help" in read_all(app)
  assert "Record" not in "".join(button.label for button in app.button)


def test_before_a_run_it_says_what_to_run(api, screen):
  assert "kedro run --pipelines early_warning" in read_all(screen.open("watch_list", api.key))
