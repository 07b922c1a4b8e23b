"""Routes that say what decides: model, fields of an application, key."""

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
from loantap.serving.api.parameters import require_known
from loantap.serving.api.service_schemas import Fields, Key, Model
from loantap.serving.audit.chain import write_time
from loantap.serving.desk.desk import NotReadyError
from loantap.serving.desk.fields import describe_fields, make_example
from loantap.serving.desk.live_model import Loaded

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
    rule = request.url_rule
    request.environ[ROUTE] = rule.rule if rule else ""
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
  """Columns an application must have; without a champion the feature set's."""
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
  """The registry's word on versions, asked at most twice a minute."""

  def __init__(self) -> None:
    self._lock = threading.Lock()
    self._asked_at = float("-inf")
    self._told: dict[str, Any] = {}

  def tell(self, loaded: Loaded) -> dict[str, Any]:
    """History of the model's names, its training date, its challenger."""
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
