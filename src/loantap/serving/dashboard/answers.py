"""The API's answers as the dashboard takes them, where these are not as the API describes them."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from loantap.serving.api.schemas import Event, KeptDecision

_BY_PERSON: Final = "case_decided"


class Decision(KeptDecision):
  """A decision as the API gives it, whole or in a list."""

  person: str = ""
  caller: str = ""
  events: list[Event] = Field(default_factory=list)

  @property
  def by_person(self) -> Event | None:
    """What a person decided on it since, if one did."""
    return next((one for one in reversed(self.events) if one.kind == _BY_PERSON), None)


class DecisionPage(BaseModel):
  """Some decisions, newest first, and where the next ones begin."""

  model_config = ConfigDict(frozen=True)

  items: list[Decision]
  next: str | None


class BatchAnswer(BaseModel):
  """Decisions on a batch: counts, and one result per row."""

  model_config = ConfigDict(frozen=True)

  n: int
  counts: dict[str, int]
  results: list[dict[str, Any]]
