"""The application: its routes, documentation and error handlers; and what each process of the API loads.

One application is decided without Flask (ADR 19). Other forms of the request, and all errors, are Flask's.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from apiflask import APIFlask
from flask import Response
from prometheus_client import multiprocess
from pydantic_core import to_json

from loantap.portfolio.errors import InputError
from loantap.registry.commands import find_address
from loantap.registry.connection import RegistryDownError, use_registry
from loantap.serving.api.about import add_health, add_models
from loantap.serving.api.answers import ProblemError, answer_problem, answer_problems, tell_field
from loantap.serving.api.batches import add_batches
from loantap.serving.api.decisions import add_decisions, add_queue
from loantap.serving.api.envelope import Envelope, Slots
from loantap.serving.api.help import add_help
from loantap.serving.api.metrics import Metrics
from loantap.serving.api.office import Doors, Office
from loantap.serving.api.openapi import ABOUT, complete
from loantap.serving.api.policies import add_policies
from loantap.serving.api.process import loading
from loantap.serving.api.requests import JSON, read_bytes
from loantap.serving.api.scoring import FAULT, SCORE, SCORE_PATH, add_scoring, decide
from loantap.serving.audit.store import AuditStore
from loantap.serving.cases.cases import CaseQueue
from loantap.serving.configured import read_configured
from loantap.serving.desk.desk import Desk, NotReadyError
from loantap.serving.errors import (
	AuditUnavailableError,
	IdempotencyConflictError,
	InvalidPolicyError,
	NotThereError,
	SamePersonError,
)
from loantap.serving.help.offers import HelpOffers, WatchlistFiles
from loantap.serving.keys.keys import Keys
from loantap.serving.policies.book import PolicyBook
from loantap.serving.settings import ServingSettings, read_settings

if TYPE_CHECKING:
	from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _decide_directly(office: Office, app: WSGIApplication) -> WSGIApplication:
	def answer(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
		try:
			visitor = office.doors.let_in(environ, SCORE_PATH, SCORE)
			raw = read_bytes(environ, office.settings.max_body, (JSON,))[1]
			# The view refuses a length that is none.
			body = b"" if raw is None else to_json(decide(office, visitor, raw))
		except Exception as error:  # noqa: BLE001 - the view raises it again
			environ[FAULT] = error
			return list(app(environ, start))
		if not body:
			return list(app(environ, start))
		start("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(body)))])
		return [body]

	def route(environ: WSGIEnvironment, start: StartResponse) -> object:
		is_plain = (
			environ["PATH_INFO"] == SCORE_PATH
			and environ["REQUEST_METHOD"] == "POST"
			and not environ["QUERY_STRING"]
			and environ.get("CONTENT_LENGTH")
		)
		return answer(environ, start) if is_plain else app(environ, start)

	return route  # type: ignore[return-value]


_FEW = 16
# Seconds.
_PATIENCE = 0.5
TITLE = "LoanTap underwriting"
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
	"""An exception may quote personal data: no more is said of it than by `answer_problems`."""

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
		TAGS=[{"name": name} for name in ("Decide", "Decisions", "Queue", "Help", "Policy", "About", "Operation")],
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
		_decide_directly(office, app.wsgi_app),
		office.metrics,
		make_slots(office.settings.threads),
		log=office.settings.log_requests,
	)
	app.wsgi_app = envelope  # type: ignore[method-assign]
	return app


def make_slots(threads: int) -> Slots:
	"""Slots for the threads of a process: a quarter works, an eighth refuses, the others wait (ADR 19)."""
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
		view = app.doc(hide=True)(partial(Response, content, content_type=kind))
		app.add_url_rule(route, f"docs_{name}", view)


# Of malloc.h.
_M_ARENA_MAX = -8
# Objects made, then younger collections, before a collection.
_THRESHOLDS = (50_000, 20, 20)
_COUNTED = re.compile(r"_(\d+)\.db$")


def load() -> APIFlask:
	"""The application of one process, called by the server.

	`InputError` where the parameter files or the audit log cannot be used.
	"""
	_share_heaps()
	with loading():
		app = make_app(open_office(read_settings()))
	# A batch makes a million objects, none of them in a cycle.
	gc.set_threshold(*_THRESHOLDS)
	return app


def _share_heaps() -> None:
	"""Two heaps for many threads (glibc), or each batch would leave another one large."""
	library = ctypes.CDLL(None)
	if hasattr(library, "mallopt"):
		library.mallopt(_M_ARENA_MAX, 2)


def open_office(settings: ServingSettings) -> Office:
	"""What the routes work with; looks for a model first.

	`InputError` where the parameter files or the audit log cannot be used.
	"""
	use_registry(find_address(settings.project, settings.environment))
	office = make_office(settings)
	office.desk.open()
	return office


def make_office(settings: ServingSettings) -> Office:
	"""What the routes work with, before a model is looked for; raises as `open_office`."""
	configured = read_configured(settings.conf, settings.recommendations, datetime.now(UTC).date())
	store = AuditStore.open(settings.audit_url)
	metrics = Metrics(are_shared=_forget_dead_processes())
	book = PolicyBook(store)
	desk = Desk(book, configured, settings.refresh_seconds, metrics.count_failure, metrics.show_model)
	doors = Doors(Keys(store), metrics, settings.workers)
	watch, offers = WatchlistFiles(settings.reports), HelpOffers(store)
	return Office(settings, desk, store, doors, metrics, book, CaseQueue(store), watch, offers)


def _forget_dead_processes() -> bool:
	"""Take dead processes' gauges out; False if nothing is shared."""
	folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
	if not folder:
		return False
	found = (_COUNTED.search(path.name) for path in Path(folder).glob("*.db"))
	for pid in {int(match[1]) for match in found if match}:
		try:
			os.kill(pid, 0)
		except ProcessLookupError:
			multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
	return True
