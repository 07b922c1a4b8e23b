"""Cases out of rows of the log; apart, since the dashboard knows cases and no database."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row

from loantap.policy.application_ids import APPLICATION_ID
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Record
from loantap.serving.cases.case import Case, QueuedCase, State

# Columns of a case that is open.
NOBODY: Final[Mapping[str, Any]] = MappingProxyType(
    {"state": "open", **dict.fromkeys(("taken_by", "taken_by_key", "taken_at", "expires_at"))}
)


def read_case(row: Row[Any], now: datetime) -> Case:
    """A case of a row of the table, as it stands at a time."""
    return Case.model_validate(_read(row, now))


def read_queued(row: Row[Any], record: Record, now: datetime) -> QueuedCase:
    """A case with the record of its decision."""
    personal = record.personal or {}
    told = {name: record.public.get(name) for name in ("probability_of_default", "score", "expected_npv")}
    told |= {APPLICATION_ID: personal.get(APPLICATION_ID), "reasons": personal.get("reasons", [])}
    return QueuedCase.model_validate(_read(row, now) | told)


def _read(row: Row[Any], now: datetime) -> dict[str, Any]:
    is_over = row.state == State.TAKEN and row.expires_at <= write_time(now)
    told = {name: getattr(row, name) for name in Case.model_fields}
    return {**told, **NOBODY} if is_over else told
