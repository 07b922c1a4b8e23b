"""How records are written as text, numbered and chained; docs/audit.md describes the hash.

It covers a salted digest of the personal part, so that part and salt can be erased.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from loantap.portfolio.errors import InputError

GENESIS = "0" * 64
SALT_BYTES = 16
# An id: prefix, milliseconds since 1970, number, random.
_TIME_DIGITS, _SEQ_DIGITS, _RANDOM_BYTES = 12, 10, 5
_PREFIX_LENGTH = 4


def write_json(content: Any, where: str) -> bytes:
  """Content as compact JSON, names in the order given.

  Raises:
      InputError: a number is not finite, or something is not JSON.
  """
  try:
    text = to_json(content)
    if b"NaN" in text or b"Infinity" in text:
      json.dumps(content, allow_nan=False)  # says whether it is a number or a word
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
  return f"{prefix}{count_milliseconds(at):0{_TIME_DIGITS}x}"


def count_milliseconds(at: datetime) -> int:
  """Milliseconds since 1970."""
  return int(at.timestamp() * 1000)


def read_milliseconds(record_id: str) -> int:
  """When an id was made, in milliseconds since 1970."""
  return int(record_id[_PREFIX_LENGTH : _PREFIX_LENGTH + _TIME_DIGITS], 16)


class IdMaker:
  """Makes ids that sort as records were kept, even if a clock is put back."""

  def __init__(self, at: datetime, after: str | None, n: int) -> None:
    moment = max(count_milliseconds(at), read_milliseconds(after) if after else 0)
    self._moment = f"{moment:0{_TIME_DIGITS}x}"
    self._random = os.urandom(_RANDOM_BYTES * n).hex()
    self._made = 0

  def make(self, prefix: str, seq: int) -> str:
    """The id of the next record."""
    at = self._made * 2 * _RANDOM_BYTES
    self._made += 1
    random = self._random[at : at + 2 * _RANDOM_BYTES]
    return f"{prefix}{self._moment}{seq:0{_SEQ_DIGITS}x}{random}"
