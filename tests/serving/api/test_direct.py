import pytest

from loantap.serving.api import direct
from tests.serving.api.served import SCORE

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
  return {name: value for name, value in (answer.json or {}).items() if name not in _OWN}


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

  monkeypatch.setattr(direct, "decide", fail)

  answer = ask(api, True)

  assert answer.status_code == 500
  assert (answer.json or {})["type"] == "urn:loantap:problem:bug"
