"""The application: its routes, and how errors are answered."""

from __future__ import annotations

from apiflask import APIFlask
from flask import Response

from loantap.portfolio.errors import InputError
from loantap.registry.connection import RegistryDownError
from loantap.serving.api.batches import add_batches
from loantap.serving.api.envelope import Envelope
from loantap.serving.api.health import add_health
from loantap.serving.api.office import Office
from loantap.serving.api.problems import ProblemError, answer_problem, answer_problems
from loantap.serving.api.scoring import add_scoring
from loantap.serving.audit.errors import AuditUnavailableError, IdempotencyConflictError
from loantap.serving.desk.desk import NotReadyError

TITLE = "LoanTap underwriting"


def make_app(office: Office) -> APIFlask:
    """The WSGI application.

    Args:
        office: what the routes work with.
    """
    # Another version of the API would have addresses of its own.
    app = APIFlask(
        "loantap", title=TITLE, version="1", json_errors=False, enable_openapi=False,
        static_folder=None,  # type: ignore[arg-type]
    )  # fmt: skip
    app.config["PROPAGATE_EXCEPTIONS"] = False
    add_scoring(app, office)
    add_batches(app, office)
    add_health(app, office)
    answer_problems(app)
    _answer_faults(app)
    envelope = Envelope(
        app.wsgi_app,
        office.metrics,
        # Some threads are left to say no.
        max(1, office.settings.threads * 3 // 4),
        log=office.settings.log_requests,
    )
    app.wsgi_app = envelope  # type: ignore[method-assign]
    return app


def _answer_faults(app: APIFlask) -> None:
    """Errors of the layers below, as problems."""

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
        return answer_problem(ProblemError("conflict", str(error)))
