"""Routes for monitoring."""

from typing import Any

from apiflask import APIFlask
from flask import Response, request

from loantap.serving.api.answers import answer
from loantap.serving.api.envelope import ROUTE
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe
from loantap.serving.api.service_schemas import Alive, Ready
from loantap.serving.desk.desk import NotReadyError
from loantap.serving.desk.live_model import LiveModel

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def add_health(app: APIFlask, office: Office) -> None:
  """Add `/healthz`, `/readyz` and `/metrics`."""

  @app.get("/healthz")
  @describe(app, "Whether the process runs", "Operation", told=Alive, is_open=True)
  def is_alive() -> Response:
    _note_route()
    return answer({"status": "alive"})

  @app.get("/readyz")
  @describe(app, "Whether decisions can be made", "Operation", told=Ready, is_open=True)
  def is_ready() -> Response:
    _note_route()
    checks = {
      "model": _check_model(office.desk.lending),
      "offers_model": _check_model(office.desk.offers),
      "policy": _check_policy(office),
      "audit": _check_audit(office),
    }
    # Without a model for offers, applications can still be decided.
    needed = ("model", "policy", "audit")
    is_good = all(checks[name]["ok"] for name in needed)
    status = "ready" if is_good else "not ready"
    return answer({"status": status, "checks": checks}, 200 if is_good else 503)

  @app.get("/metrics")
  @describe(app, "Figures for Prometheus", "Operation", told="text/plain", is_open=True)
  def show_metrics() -> Response:
    _note_route()
    office.metrics.show_queue(office.store.waiting)
    return Response(office.metrics.write(), content_type=_PROMETHEUS)


def _note_route() -> None:
  rule = request.url_rule
  request.environ[ROUTE] = rule.rule if rule else ""


def _check_model(model: LiveModel) -> dict[str, Any]:
  loaded = model.loaded
  if loaded is None:
    return {"ok": False, "state": "none", "detail": model.trouble}
  return {
    "ok": True,
    "state": "last good" if loaded.doubt else "fresh",
    "detail": loaded.doubt or "the registry confirms it",
    "name": loaded.version.name,
    "version": loaded.version.version,
    "origin": loaded.origin,
  }


def _check_policy(office: Office) -> dict[str, Any]:
  try:
    underwriter = office.desk.standing.underwriter
  except NotReadyError as error:
    return {"ok": False, "detail": str(error)}
  return {"ok": True, "detail": underwriter.policy_version, "digest": underwriter.policy_digest}


def _check_audit(office: Office) -> dict[str, Any]:
  if office.store.is_writable():
    return {"ok": True, "detail": "records can be kept"}
  return {"ok": False, "detail": f"{office.store.where} cannot be written: see its disk, its rights, or its server"}
