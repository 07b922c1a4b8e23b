"""The service in answers: its model, its fields, the key that asks, its health."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from loantap.serving.api.schemas import ModelName
from loantap.serving.told import Told


class Version(Told):
    """A version of a model."""

    name: str
    version: str
    created: datetime
    is_champion: bool
    outcome: str
    reason: str


class Model(ModelName):
    """The model that decides."""

    kind: str
    target: str
    aliases: list[str]
    trained_at: datetime | None
    training_loans: int
    training_charge_offs: int
    features: list[str]
    loaded_at: datetime
    state: Literal["fresh", "last good"]
    doubt: str | None = Field(description="Why it may not be the champion now")
    challenger: dict[str, Any] | None
    history: list[Version]
    unknown: str = ""


class FieldOfApplication(Told):
    """What a field of an application means."""

    name: str
    label: str
    meaning: str
    unit: str
    kind: Literal["number", "integer", "category", "month", "text"]
    minimum: float | None
    maximum: float | None
    values: list[str | float] | None
    example: str | float
    required: bool
    nullable: bool
    personal: bool


class Fields(Told):
    """The fields of an application, and a made-up one."""

    fields: list[FieldOfApplication]
    example: dict[str, str | float]


class Key(Told):
    """The key that asks."""

    id: str
    owner: str
    person: str
    scopes: list[str]
    rate_per_minute: int


class Alive(Told):
    """The process runs."""

    status: Literal["alive"]


class Ready(Told):
    """Whether decisions can be made."""

    status: Literal["ready", "not ready"]
    checks: dict[str, dict[str, Any]]
