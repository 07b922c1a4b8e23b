"""Decisions and callers as the tests of the log need them, and ways to tamper with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text

from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.records import Caller, Entry, Kind

ANN = Caller("key-a", "Ann Lee", "request-1")
BOB = Caller("key-b", "Bob Ray", "request-2")


def make_decision(number: int = 1, decision: str = "approve", **public: Any) -> Entry:
    """A decision on an application named by its number."""
    return Entry(
        Kind.DECISION,
        {
            "decision": decision,
            "probability_of_default": 0.1 + number / 1000,
            "amount": 1000.0 * number,
            "model": {"name": "loantap-lending-demo", "version": "3"},
            "policy": {"version": "npv 2026-11", "digest": "189e91e62ae3"},
            **public,
        },
        {
            "application_id": f"A{number}",
            "application": {"annual_inc": 52_000.5, "emp_title": "Zoë's café", "term": 36},
            "reasons": ["the DTI of 31% raises the risk"],
        },
    )


def tamper(url: str, *statements: str, **values: Any) -> None:
    """Change the log as somebody does who owns the database: the triggers are out of the way."""
    engine = open_engines(url).reader
    name = engine.dialect.name
    engine.dispose()
    engine = create_engine(engine.url)
    with engine.begin() as connection:
        if name == "sqlite":
            for table, verb in (
                ("records", "update"),
                ("records", "delete"),
                ("personal", "update"),
            ):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            used = {key: value for key, value in values.items() if f":{key}" in statement}
            connection.execute(text(statement), used)
    engine.dispose()


def ask(url: str, question: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of the log, past the code that is tested."""
    engine = create_engine(open_engines(url).reader.url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(question), values)]
    engine.dispose()
    return rows
