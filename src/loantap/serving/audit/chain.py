"""How records are written as text, numbered and chained; docs/audit.md describes the hash.

It covers a salted digest of the personal part, so that part and salt can be erased.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from loantap.portfolio.errors import InputError
from loantap.serving.audit.records import Caller, Entry, Kind, Written

GENESIS = "0" * 64
SALT_BYTES = 16
# An id: prefix, milliseconds since 1970, number, random.
_TIME_DIGITS, _SEQ_DIGITS, _RANDOM_BYTES = 12, 10, 5
_PREFIX_LENGTH = 4


def write_json(content: Any, where: str) -> bytes:
	"""Content as compact JSON, in the order given; `InputError` for what JSON cannot hold."""
	try:
		text = to_json(content)
		if b"NaN" in text or b"Infinity" in text:
			json.dumps(content, allow_nan=False)
	except (PydanticSerializationError, ValueError, TypeError) as error:
		raise InputError(where, f"it cannot be written as JSON ({error})", "Give finite numbers and plain texts") from error
	return text


def digest_personal(salt: bytes, content: bytes) -> str:
	"""SHA-256 of salt and personal part, in hexadecimal."""
	return hashlib.sha256(salt + content).hexdigest()


def hash_record(columns: Sequence[str | int | None]) -> str:
	"""SHA-256 of a record's columns but its own hash, in hexadecimal."""
	return hashlib.sha256(to_json(columns)).hexdigest()


def write_time(at: datetime) -> str:
	"""UTC with microseconds: texts sort as times do."""
	return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def begin_id(prefix: str, at: datetime) -> str:
	"""How ids made from a time on begin."""
	return f"{prefix}{_count_milliseconds(at):0{_TIME_DIGITS}x}"


def _count_milliseconds(at: datetime) -> int:
	return int(at.timestamp() * 1000)


def _read_milliseconds(record_id: str) -> int:
	return int(record_id[_PREFIX_LENGTH : _PREFIX_LENGTH + _TIME_DIGITS], 16)


class IdMaker:
	"""Makes ids that sort as records were kept, even if a clock is put back."""

	def __init__(self, at: datetime, after: str | None, n: int) -> None:
		moment = max(_count_milliseconds(at), _read_milliseconds(after) if after else 0)
		self._moment = f"{moment:0{_TIME_DIGITS}x}"
		self._random = os.urandom(_RANDOM_BYTES * n).hex()
		self._made = 0

	def make(self, prefix: str, seq: int) -> str:
		"""The id of the next record."""
		at = self._made * 2 * _RANDOM_BYTES
		self._made += 1
		random = self._random[at : at + 2 * _RANDOM_BYTES]
		return f"{prefix}{self._moment}{seq:0{_SEQ_DIGITS}x}{random}"


# As for headers.
_MAX_CHARACTERS = 255


@dataclass(slots=True)
class Draft:
	"""A record before its place in the chain is known; `amount` is at stake, where it opens a case."""

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
	"""Entries as texts, the personal parts salted and digested; `InputError` for what JSON cannot hold."""
	salts = os.urandom(SALT_BYTES * len(entries))
	return [
		_prepare_one(entry, salts[at : at + SALT_BYTES])
		for entry, at in zip(entries, range(0, len(salts), SALT_BYTES), strict=True)
	]


def _prepare_one(entry: Entry, salt: bytes) -> Draft:
	public = write_json(entry.public, "public part of a record").decode()
	about = (entry.kind, entry.subject, _find_amount(entry.public), public)
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


def _find_amount(public: Mapping[str, Any]) -> float:
	"""In currency; 0 if it is not told."""
	amount = public.get("amount")
	return float(amount) if isinstance(amount, int | float) else 0.0


def require_caller(caller: Caller) -> None:
	"""Refuse, with `InputError`, texts of a caller that are empty, too long or not printable."""
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
