"""The API's answers, without what the dashboard does not show."""

from datetime import date, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

_BY_PERSON: Final = "case_decided"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class FormField(_Answer):
    """One field of an application.

    Attributes:
        name: source name, as it is sent.
        label: what it is called, in a few words.
        meaning: in plain words.
        unit: of a number; "" for none.
        kind: `number`, `integer`, `category`, `month` or `text`.
        minimum: smallest valid value, or None.
        values: what may be chosen; None for anything in the range.
    """

    name: str
    label: str
    meaning: str
    unit: str = ""
    kind: str = "text"
    minimum: float | None = None
    maximum: float | None = None
    values: list[str | float] | None = None
    example: Any = None
    required: bool = False


class ApplicationSchema(_Answer):
    """The fields of an application, and a whole made-up one."""

    fields: list[FormField]
    example: dict[str, Any] = Field(default_factory=dict)


class WhoAsks(_Answer):
    """The key that asks: its owner and its scopes."""

    id: str
    owner: str
    person: str = ""
    scopes: list[str]


class ModelName(_Answer):
    """Which model decided, and the origin of its training loans."""

    name: str
    version: str
    origin: str = ""


class PolicyName(_Answer):
    """Which policy decided: id, version, first digits of its digest."""

    version: str
    digest: str = ""


class Contribution(_Answer):
    """What one feature adds to the score, in points."""

    feature: str
    label: str
    points: float


class Offer(_Answer):
    """One offer; its numbers are None where there is none to make."""

    kind: str
    amount: float | None = None
    term_months: int | None = None
    rate_pct: float | None = None
    instalment: float | None = None
    probability_of_default: float | None = None
    expected_npv: float | None = None
    decision: str
    reason: str = ""


class Event(_Answer):
    """What happened to a decision after it was made."""

    id: str
    kind: str
    at: datetime
    person: str = ""
    public: dict[str, Any] = Field(default_factory=dict)


class Decision(_Answer):
    """A decision as the API gives it, whole or in a list."""

    id: str
    at: datetime
    application_id: str | None = None
    probability_of_default: float | None = None
    score: int | None = None
    decision: Literal["approve", "refer", "decline"]
    reasons: list[str] = Field(default_factory=list)
    expected_npv: float | None = None
    model: ModelName
    policy: PolicyName
    simulated: bool = False
    offers: list[Offer] = Field(default_factory=list)
    no_offers: str = ""
    person: str = ""
    input: dict[str, Any] | None = None
    erased: bool = False
    contributions: list[Contribution] = Field(default_factory=list)
    base_points: float | None = None
    events: list[Event] = Field(default_factory=list)

    @property
    def by_person(self) -> Event | None:
        """What a person decided on it since, if one did."""
        return next((one for one in reversed(self.events) if one.kind == _BY_PERSON), None)


class DecisionPage(_Answer):
    """Some decisions, newest first, and where the next ones begin."""

    items: list[Decision]
    next: str | None = None


class Replay(_Answer):
    """Whether a decision comes out the same again."""

    same: bool
    differences: list[Any] = Field(default_factory=list)


class RegisteredVersion(_Answer):
    """A version in the registry; a candidate never registered has no number."""

    name: str
    version: str | None = None
    created: datetime | None = None
    is_champion: bool = False
    outcome: str = ""
    reason: str = ""


class Condition(_Answer):
    """A condition of the rule of promotion, and its evidence."""

    name: str
    holds: bool
    evidence: str = ""


class Challenger(RegisteredVersion):
    """What was tried against the champion, and how it fared."""

    headline: str = ""
    conditions: list[Condition] = Field(default_factory=list)


class ServedModel(_Answer):
    """The model that decides."""

    name: str
    version: str
    origin: str
    kind: str = ""
    training_loans: int | None = None
    training_charge_offs: int | None = None
    trained_at: datetime | None = None
    features: list[Any] = Field(default_factory=list)
    loaded_at: datetime | None = None
    state: str = ""
    doubt: str | None = None
    challenger: Challenger | None = None
    history: list[RegisteredVersion] = Field(default_factory=list)
    unknown: str = ""


class PolicyVersion(_Answer):
    """A policy: in force, proposed or of the past."""

    id: str
    version: str
    state: str = "in force"
    digest: str | None = None
    author: str = ""
    approved_by: str | None = None
    effective_from: date | None = None
    activated_at: datetime | None = None
    proposed_at: datetime | None = None
    proposed_by: str = ""
    policy: dict[str, Any] = Field(default_factory=dict)
    economics: dict[str, Any] = Field(default_factory=dict)


class PolicyBook(_Answer):
    """All policies, newest first, and the one to go back to."""

    items: list[PolicyVersion]
    can_roll_back_to: str | None = None


class Change(_Answer):
    """How many decisions go from one outcome to another."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    before: str = Field(alias="from")
    after: str = Field(alias="to")
    n: int


class PolicyTrial(_Answer):
    """What a policy would have done to decisions of the past."""

    n: int
    since: datetime | date | None = None
    until: datetime | date | None = None
    before: dict[str, int]
    after: dict[str, int]
    changes: list[Change] = Field(default_factory=list)
    expected_npv_before: float | None = None
    expected_npv_after: float | None = None


class BatchAnswer(_Answer):
    """Decisions on a batch: counts, and one result per row."""

    n: int
    counts: dict[str, int]
    results: list[dict[str, Any]]
