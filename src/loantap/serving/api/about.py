"""Routes that say what serves: model, fields of an application, key, health, figures."""

import threading
import time
from typing import Any, Final

from apiflask import APIFlask
from flask import Response, request

from loantap.features.definitions import DECIDES, FEATURE_SETS, MODELS
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.errors import InputError
from loantap.registry.history import VersionRecord, list_versions, read_verdicts
from loantap.registry.models import alias_of, registered_names
from loantap.serving.api.answers import answer
from loantap.serving.api.decisions import READ
from loantap.serving.api.envelope import ROUTE
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe
from loantap.serving.api.requests import require_known
from loantap.serving.api.service_schemas import Alive, Fields, Key, Model, Ready
from loantap.serving.audit.chain import write_time
from loantap.serving.desk.desk import LiveModel, Loaded, NotReadyError
from loantap.serving.desk.fields import describe_fields, make_example


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
		return Response(office.metrics.write(), content_type="text/plain; version=0.0.4; charset=utf-8")


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


# Seconds; the registry's list changes when a run ends.
_GOOD_FOR: Final = 30.0


def add_models(app: APIFlask, office: Office) -> None:
	"""Add the routes that say what decides."""
	listed = _ListedVersions()

	@app.get("/v1/model")
	@describe(app, "The model that decides", "About", told=Model, scope=READ)
	def get_model() -> Response:
		office.enter(READ)
		loaded = office.desk.lending.loaded
		if loaded is None:
			raise NotReadyError(office.desk.lending.trouble)
		return answer(_tell_model(loaded) | listed.tell(loaded))

	@app.get("/v1/schema/application")
	@describe(app, "The fields of an application", "About", told=Fields, is_open=True)
	def describe_application() -> Response:
		_note_route()
		require_known([])
		needed = _list_needed(office)
		return answer({"fields": describe_fields(needed), "example": make_example(needed)})

	@app.get("/v1/key")
	@describe(app, "The key that asks", "About", told=Key)
	def get_key() -> Response:
		visitor = office.enter(None)
		key = visitor.key
		return answer(
			{
				"id": key.id,
				"owner": key.owner,
				"person": visitor.person,
				"scopes": sorted(key.scopes),
				"rate_per_minute": key.rate_per_minute,
			}
		)


def _list_needed(office: Office) -> tuple[Column, ...]:
	"""The feature set's, without a champion."""
	try:
		return office.desk.standing.underwriter.needed
	except NotReadyError:
		return tuple(COLUMNS[name] for name in FEATURE_SETS[MODELS[DECIDES]].columns)


def _tell_model(loaded: Loaded) -> dict[str, Any]:
	facts = loaded.scorer.trained.facts
	return {
		"name": loaded.version.name,
		"version": loaded.version.version,
		"origin": facts.origin,
		"kind": facts.kind,
		"target": facts.target,
		"aliases": [alias_of(loaded.version.name)],
		"training_loans": facts.training_loans,
		"training_charge_offs": facts.training_charge_offs,
		"features": list(loaded.scorer.feature_set.features),
		"loaded_at": write_time(loaded.loaded_at),
		"state": "last good" if loaded.doubt else "fresh",
		"doubt": loaded.doubt or None,
	}


class _ListedVersions:
	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._asked_at = float("-inf")
		self._told: dict[str, Any] = {}

	def tell(self, loaded: Loaded) -> dict[str, Any]:
		with self._lock:
			if time.monotonic() - self._asked_at > _GOOD_FOR:
				self._told = _ask(loaded)
				self._asked_at = time.monotonic()
			return self._told


def _ask(loaded: Loaded) -> dict[str, Any]:
	try:
		names = registered_names(DECIDES)
		records = [record for record in list_versions() if record.model.name in names]
		verdicts = read_verdicts(loaded.version)
	except InputError as error:
		# The registry is down, and the model decides on.
		return {"trained_at": None, "challenger": None, "history": [], "unknown": str(error)}
	contest = (verdicts or {}).get("challenger")
	own = [record for record in records if record.model == loaded.version]
	return {
		"trained_at": write_time(own[0].created) if own else None,
		"challenger": contest and {"name": contest["candidate"], "version": None, **contest},
		"history": [_tell_version(record) for record in records],
	}


def _tell_version(record: VersionRecord) -> dict[str, Any]:
	return {
		"name": record.model.name,
		"version": record.model.version,
		"created": write_time(record.created),
		"is_champion": record.is_champion,
		"outcome": record.outcome,
		"reason": record.reason,
	}
