"""Routes of the refer queue."""

from collections.abc import Callable
from typing import Final

from apiflask import APIFlask
from flask import Response

from loantap.serving.api.answers import answer
from loantap.serving.api.bodies import read_model
from loantap.serving.api.decisions import READ
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import AFTER, LIMIT, describe, in_query
from loantap.serving.api.parameters import read_choice, read_limit, read_text, require_id
from loantap.serving.audit.records import Caller
from loantap.serving.cases.case import Case, CaseDecision, Cases, DecidedCase, Overrides, State
from loantap.serving.cases.queue import Order

DECIDE: Final = "decide"


def add_queue(app: APIFlask, office: Office) -> None:
  """Add the routes of the refer queue."""

  @app.get("/v1/cases")
  @describe(
    app,
    "Referred decisions that wait for a person",
    "Queue",
    told=Cases,
    scope=READ,
    problems=(409,),
    parameters=[
      in_query("state", "Which", type="string", enum=list(State), default="open"),
      in_query("order", "The oldest or the largest first", type="string", enum=list(Order), default="age"),
      AFTER,
      LIMIT,
    ],
  )
  def list_cases() -> Response:
    office.enter(READ, "state", "order", "after", "limit")
    state = State(read_choice("state", list(State), State.OPEN))
    order = Order(read_choice("order", list(Order), Order.AGE))
    return answer(office.cases.list_cases(state, order, read_text("after"), read_limit()))

  @app.post("/v1/cases/<decision_id>/decide")
  @describe(
    app,
    "Decide a case that one has taken",
    "Queue",
    told=DecidedCase,
    scope=DECIDE,
    problems=(404, 409, 422),
    body=CaseDecision,
  )
  def decide_case(decision_id: str) -> Response:
    visitor = office.enter(DECIDE)
    said = read_model(CaseDecision, office.settings.max_body)
    case, record = office.cases.decide(_check(decision_id), said, visitor.as_caller())
    return answer(DecidedCase(**dict(case), note=said.note or None, override=record.id))

  @app.get("/v1/overrides")
  @describe(app, "What people decided, counted", "Queue", told=Overrides, scope=READ)
  def count_overrides() -> Response:
    office.enter(READ)
    return answer(office.cases.count_overrides().model_dump(exclude_unset=True))

  _add_step(app, office, "take", office.cases.take, "Take a case, so that nobody else has it")
  _add_step(app, office, "give-back", office.cases.give_back, "Give a case back")


def _add_step(app: APIFlask, office: Office, step: str, act: Callable[[str, Caller], Case], summary: str) -> None:
  @app.post(f"/v1/cases/<decision_id>/{step}", endpoint=f"{step}_case")
  @describe(app, summary, "Queue", told=Case, scope=DECIDE, problems=(404, 409))
  def change(decision_id: str) -> Response:
    visitor = office.enter(DECIDE)
    return answer(act(_check(decision_id), visitor.as_caller()))


def _check(decision_id: str) -> str:
  return require_id(decision_id, "case", "/v1/cases")
