"""Answers made from kept records, so that they can be repeated."""

from typing import Any, Final

from flask import Response
from pydantic_core import to_json

from loantap.policy.decisions import Decision
from loantap.policy.score_table import APPLICATION_ID
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Record

JSON: Final = "application/json"
NO_OFFERS: Final = "no_offers"


def answer(content: object, status: int = 200) -> Response:
  """An answer in JSON."""
  return Response(to_json(content), status, content_type=JSON)


def tell_decision(record: Record) -> dict[str, Any]:
  """A decision as it was answered when it was made."""
  public, personal = record.public, record.personal or {}
  told = {
    "id": record.id,
    "at": write_time(record.at),
    APPLICATION_ID: personal.get(APPLICATION_ID),
    "probability_of_default": public["probability_of_default"],
    "score": public["score"],
    "decision": public["decision"],
    "reasons": personal.get("reasons", []),
    "expected_npv": public["expected_npv"],
    "model": public["model"],
    "policy": public["policy"],
    "simulated": public["simulated"],
    "case": "open" if public["decision"] == Decision.REFER else None,
  }
  return told | {name: personal[name] for name in ("offers", NO_OFFERS) if name in personal}


def tell_offers(record: Record) -> dict[str, Any]:
  """Offers as they were answered when they were made."""
  public, personal = record.public, record.personal or {}
  return {
    "id": record.id,
    "at": write_time(record.at),
    APPLICATION_ID: personal.get(APPLICATION_ID),
    "offers": personal.get("offers", []),
    "model": public["model"],
    "policy": public["policy"],
    "simulated": public["simulated"],
  }
