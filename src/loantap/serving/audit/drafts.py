"""What is prepared of a record before its place in the chain is known."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loantap.portfolio.errors import InputError
from loantap.serving.audit.chain import SALT_BYTES, digest_personal, write_json
from loantap.serving.audit.records import Caller, Entry, Kind, Written

# As for headers.
_MAX_CHARACTERS = 255


@dataclass(slots=True)
class Draft:
  """An entry as texts; `amount` is at stake, where it opens a case.

  The personal part is found by `application_id`, the record by decision, model and policy.
  """

  kind: Kind
  subject: str | None
  amount: float
  public: str
  content: str | None
  salt: bytes
  digest: str | None
  application_id: str | None
  decision: str | None
  model_version: str | None
  policy_digest: str | None


def prepare(entries: Sequence[Entry]) -> list[Draft]:
  """Entries as texts, the personal parts salted and digested.

  Raises:
      InputError: something in them cannot be written as JSON.
  """
  salts = os.urandom(SALT_BYTES * len(entries))
  return [
    _prepare_one(entry, salts[at : at + SALT_BYTES])
    for entry, at in zip(entries, range(0, len(salts), SALT_BYTES), strict=True)
  ]


def _prepare_one(entry: Entry, salt: bytes) -> Draft:
  public = write_json(entry.public, "public part of a record").decode()
  about = (entry.kind, entry.subject, find_amount(entry.public), public)
  found_by = find_columns(entry.public)
  if entry.personal is None:
    return Draft(*about, None, salt, None, None, *found_by)
  content = write_json(entry.personal, "personal part of a record")
  digest = digest_personal(salt, content)
  identifier = find_application_id(entry.personal)
  return Draft(*about, content.decode(), salt, digest, identifier, *found_by)


@dataclass(frozen=True, slots=True)
class WrittenDrafts:
  """Decisions that are texts already, with salts and digests."""

  written: Written
  salts: list[bytes]
  digests: list[str]


def prepare_written(written: Written) -> WrittenDrafts:
  """`prepare` for decisions that are texts already."""
  random = os.urandom(SALT_BYTES * len(written.personals))
  salts = [random[at : at + SALT_BYTES] for at in range(0, len(random), SALT_BYTES)]
  pairs = zip(salts, written.personals, strict=True)
  return WrittenDrafts(written, salts, [digest_personal(salt, content.encode()) for salt, content in pairs])


def find_columns(public: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
  """What finds a record: decision, model version, policy digest."""
  decision, model, policy = public.get("decision"), public.get("model"), public.get("policy")
  return (None if decision is None else str(decision), _find_text(model, "version"), _find_text(policy, "digest"))


def find_application_id(personal: Mapping[str, Any]) -> str | None:
  """The id that an application came with."""
  return _find_text(personal, "application_id")


def find_amount(public: Mapping[str, Any]) -> float:
  """What is at stake in a case, in currency; 0 if it is not told."""
  amount = public.get("amount")
  return float(amount) if isinstance(amount, int | float) else 0.0


def require_caller(caller: Caller) -> None:
  """Refuse a caller that not every database could keep.

  Raises:
      InputError: a text of it is empty, too long, or not printable.
  """
  for name in ("key_id", "person", "request_id", "idempotency_key", "request_digest"):
    text = getattr(caller, name)
    if text is None:
      continue
    if not text or len(text) > _MAX_CHARACTERS or not text.isprintable():
      raise InputError(
        f"caller, {name}",
        f"{text[:40]!r} is empty, longer than {_MAX_CHARACTERS} or has control characters",
        "Give a short line of text",
      )


def _find_text(group: object, name: str) -> str | None:
  value = group.get(name) if isinstance(group, dict) else None
  return None if value is None else str(value)
