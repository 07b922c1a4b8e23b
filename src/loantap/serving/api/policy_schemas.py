"""Credit policies in answers: proposals, the one in force, a trial."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from loantap.serving.told import Told


class Proposal(Told):
    """A policy that somebody proposed."""

    id: str
    version: str
    author: str
    effective_from: str
    proposed_at: datetime
    proposed_by: str
    policy: dict[str, Any]
    economics: dict[str, Any]
    state: Literal["proposed", "in force", "past"]
    digest: str | None = None
    approved_by: str | None = None
    activated_at: datetime | None = None


class Policies(Told):
    """The policy book, newest first."""

    items: list[Proposal]
    can_roll_back_to: str | None


class ActivePolicy(Told):
    """The policy in force."""

    id: str
    version: str
    digest: str
    author: str
    approved_by: str
    effective_from: str
    activated_at: datetime
    activated_by: str
    policy: dict[str, Any]
    economics: dict[str, Any]


class Change(Told):
    """Decisions that would have been others."""

    from_: str = Field(alias="from")
    to: str
    n: int


class Trial(Told):
    """A policy on the decisions of the last 30 days."""

    n: int
    since: datetime
    until: datetime
    before: dict[str, int]
    after: dict[str, int]
    changes: list[Change]
    expected_npv_before: float = Field(description="Of what was approved, in currency")
    expected_npv_after: float
