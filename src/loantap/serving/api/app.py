"""The application: its routes, documentation and error handlers."""

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Final

from apiflask import APIFlask
from flask import Response

from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.serving.api.batches import add_batches
from loantap.serving.api.decisions import add_decisions
from loantap.serving.api.direct import decide_directly
from loantap.serving.api.envelope import Envelope
from loantap.serving.api.health import add_health
from loantap.serving.api.help import add_help
from loantap.serving.api.models import add_models
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import ABOUT, complete
from loantap.serving.api.policies import add_policies
from loantap.serving.api.problems import ProblemError, answer_problem, answer_problems, tell_field
from loantap.serving.api.queue import add_queue
from loantap.serving.api.scoring import add_scoring
from loantap.serving.api.slots import Slots
from loantap.serving.audit.errors import AuditUnavailableError, IdempotencyConflictError
from loantap.serving.desk.desk import NotReadyError
from loantap.serving.errors import NotThereError
from loantap.serving.policies.errors import InvalidPolicyError, SamePersonError

_FEW = 16
# Seconds.
_PATIENCE = 0.5
TITLE = "LoanTap underwriting"
_GROUPS = ("Decide", "Decisions", "Queue", "Help", "Policy", "About", "Operation")
# Page, style and script need no network.
_PAGES: Final = {
  "/docs": ("docs.html", "text/html; charset=utf-8"),
  "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
  "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
}
_FAULTS: dict[type[InputError], str] = {
  NotThereError: "not-found",
  SamePersonError: "four-eyes",
  InvalidPolicyError: "invalid-body",
}


class _Application(APIFlask):
  """Says no more of an exception than `answer_problems`: it may quote personal data."""

  def log_exception(self, exc_info: object) -> None:
    """Nothing."""


def make_app(office: Office) -> APIFlask:
  """The WSGI application."""
  app = _Application(
    "loantap",
    title=TITLE,
    version="1",
    json_errors=False,
    docs_path=None,
    static_folder=None,  # type: ignore[arg-type]
  )
  app.config.update(
    PROPAGATE_EXCEPTIONS=False,
    OPENAPI_VERSION="3.1.0",
    DESCRIPTION=ABOUT,
    AUTO_404_RESPONSE=False,
    AUTO_AUTH_ERROR_RESPONSE=False,
    AUTO_TAGS=False,
    TAGS=[{"name": name} for name in _GROUPS],
    SECURITY_SCHEMES={"key": {"type": "http", "scheme": "bearer", "description": "lt_..., of loantap-keys"}},
  )
  app.spec_processor(partial(complete, app))
  app.json.sort_keys = False  # type: ignore[attr-defined]
  for add in (add_scoring, add_batches, add_decisions, add_queue, add_help, add_policies, add_models, add_health):
    add(app, office)
  _add_docs(app)
  answer_problems(app)
  _answer_faults(app)
  envelope = Envelope(
    decide_directly(office, app.wsgi_app),
    office.metrics,
    make_slots(office.settings.threads),
    log=office.settings.log_requests,
  )
  app.wsgi_app = envelope  # type: ignore[method-assign]
  return app


def make_slots(threads: int) -> Slots:
  """Slots for the threads of a process: a quarter works, an eighth refuses, the others wait.

  More than a few dozen hinder each other; fewer leave commits half empty (ADR 19).
  """
  refusing = max(1, threads // 8)
  at_work = max(1, min(threads - refusing, max(_FEW, threads // 4)))
  return Slots(at_work, max(threads - at_work - refusing, 0), _PATIENCE)


def _answer_faults(app: APIFlask) -> None:

  @app.errorhandler(NotReadyError)
  def _not_ready(error: NotReadyError) -> Response:
    return answer_problem(ProblemError("no-model", f"{error}. See /readyz."))

  @app.errorhandler(AuditUnavailableError)
  def _no_record(error: AuditUnavailableError) -> Response:
    detail = f"There is no answer without a record. {error}"
    return answer_problem(ProblemError("no-record", detail, headers={"Retry-After": "2"}))

  @app.errorhandler(IdempotencyConflictError)
  def _conflict(error: IdempotencyConflictError) -> Response:
    return answer_problem(ProblemError("idempotency-conflict", str(error)))

  @app.errorhandler(RegistryDownError)
  def _registry_down(error: RegistryDownError) -> Response:
    return answer_problem(ProblemError("no-model", str(error), headers={"Retry-After": "10"}))

  @app.errorhandler(InputError)
  def _cannot(error: InputError) -> Response:
    kind = next((kind for of, kind in _FAULTS.items() if isinstance(error, of)), "conflict")
    return answer_problem(tell_field(kind, str(error), error.where, error.problem, error.remedy))


def _add_docs(app: APIFlask) -> None:
  folder = files("loantap.serving.api") / "pages"
  for route, (name, kind) in _PAGES.items():
    content = (folder / name).read_bytes()
    view = app.doc(hide=True)(_make_view(content, kind))
    app.add_url_rule(route, f"docs_{name}", view)


def _make_view(content: bytes, kind: str) -> Callable[[], Response]:
  def show() -> Response:
    return Response(content, content_type=kind)

  return show
