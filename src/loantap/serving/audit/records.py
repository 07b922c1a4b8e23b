"""What is kept, and who asked for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
    """What a record is about."""

    DECISION = "decision"
    BATCH = "batch"
    OFFERS = "offers"
    REPLAY = "replay"
    CASE_TAKEN = "case_taken"
    CASE_RETURNED = "case_returned"
    CASE_DECIDED = "case_decided"
    POLICY_PROPOSED = "policy_proposed"
    POLICY_ACTIVATED = "policy_activated"
    POLICY_ROLLED_BACK = "policy_rolled_back"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    ERASED = "erased"


# How ids begin: records of one sort stand together in the index of ids, in the order of time.
PREFIXES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.DECISION: "dec_",
        Kind.BATCH: "bat_",
        Kind.OFFERS: "ofr_",
        Kind.REPLAY: "rep_",
        Kind.CASE_TAKEN: "cas_",
        Kind.CASE_RETURNED: "cas_",
        Kind.CASE_DECIDED: "ovr_",
        Kind.POLICY_PROPOSED: "pol_",
        Kind.POLICY_ACTIVATED: "act_",
        Kind.POLICY_ROLLED_BACK: "act_",
        Kind.KEY_CREATED: "key_",
        Kind.KEY_REVOKED: "key_",
        Kind.ERASED: "era_",
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be kept.

    Attributes:
        kind: what it is about.
        public: plain JSON values without personal data; kept for good, in this order of names.
            Decisions are found by `decision`, `model.version` and `policy.digest` in it, and the
            case of a referred one has the amount at stake from `amount`.
        personal: plain JSON values that can be erased: the application, its `application_id`,
            reasons; None where there are none.
        subject: id of the record that it is about.
    """

    kind: Kind
    public: Mapping[str, Any]
    personal: Mapping[str, Any] | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Decisions of a batch as JSON texts, a column at a time; in each the same as in an `Entry`.

    Attributes:
        publics: public parts.
        personals: personal parts.
        application_ids: as in the personal parts.
        decisions: as in the public parts; so are the amounts, the model's version and the policy's
            digest.
        amounts: see above.
        model_version: of all.
        policy_digest: of all.
    """

    publics: Sequence[str]
    personals: Sequence[str]
    application_ids: Sequence[str | None]
    decisions: Sequence[str]
    amounts: Sequence[float]
    model_version: str
    policy_digest: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        key_id: id of the API key, or the command's name.
        person: for whom the key acts.
        request_id: of the request.
        idempotency_key: under which the same request gets the same answer again.
        request_digest: SHA-256 of the request's body, which tells the same request from another.
    """

    key_id: str
    person: str
    request_id: str
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept.

    Attributes:
        seq: its number, from 1 without gaps.
        id: its name, which begins as its kind says.
        kind: what it is about.
        at: when it was kept, in UTC.
        caller: id of the key that asked.
        person: for whom the key acted.
        subject: id of the record that it is about.
        public: as it was given.
        personal: as it was given; None where there is none, or where it was erased.
        is_erased: whether it had a personal part that is gone.
        hash: SHA-256 over it and the record before it.
        request_id: of the request.
        request_digest: SHA-256 of the request's body, where an idempotency key was given.
    """

    seq: int
    id: str
    kind: Kind
    at: datetime
    caller: str
    person: str
    subject: str | None
    public: Mapping[str, Any]
    personal: Mapping[str, Any] | None
    is_erased: bool
    hash: str
    request_id: str
    request_digest: str | None


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """What became of a batch that was to be kept.

    Attributes:
        ids: of the batch, then of its decisions in their order; empty where it was kept before.
        at: when it was kept.
        before: where it was kept before under its idempotency key, what was kept then.
    """

    ids: Sequence[str]
    at: datetime
    before: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, newest first.

    Attributes:
        records: at most as many as were asked for.
        next: what to pass as `after` for more; None at the end.
    """

    records: tuple[Record, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain; noted down elsewhere, it shows whether later the end was cut off.

    Attributes:
        seq: number of the last record.
        hash: its hash.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first record that does not hold.

    Attributes:
        seq: its number.
        id: its name, where there is one.
        problem: what does not hold.
    """

    seq: int
    id: str | None
    problem: str

    def __str__(self) -> str:
        name = f" ({self.id})" if self.id else ""
        return f"record {self.seq}{name}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Attributes:
        n: records that hold, from the first on.
        head: the last of them.
        fault: the first that does not hold, or None.
    """

    n: int
    head: Head
    fault: Fault | None

    @property
    def is_ok(self) -> bool:
        """Whether all records hold."""
        return self.fault is None
