"""The loans a model was trained on, as digests: enough to recognise one, too little to recover one.

Each is eight bytes, keyed by all loans of that training together, so that no table of digests made
beforehand serves for any version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.portfolio.dictionary import COLUMNS, Kind

FILE: Final = "training_loans.npz"
# What any file of resolved loans has beside the columns of a model.
_ALWAYS: Final = ("issue_month", "interest_rate_pct")
_KINDS: Final = (Kind.NUMBER, Kind.COUNT, Kind.MONTH)
_BYTES: Final = 8
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class TrainingDigests:
  """The loans one version was trained on: rising digests of `columns` that are never missing."""

  columns: tuple[str, ...]
  key: bytes
  digests: npt.NDArray[np.uint64]

  def count_shared(self, loans: pd.DataFrame) -> int:
    """How many of these loans the version was trained on."""
    asked = _digest(_tell_apart(loans, self.columns), self.key)
    return int(np.isin(asked, self.digests).sum())

  def save(self, path: Path) -> None:
    """Write them to a file, 8 bytes a loan."""
    key = np.frombuffer(self.key, dtype="uint8")
    np.savez(path, columns=np.array(self.columns), key=key, digests=self.digests)

  @staticmethod
  def load(path: Path) -> TrainingDigests:
    """Read what `save` wrote.

    Raises:
        ValueError: the file is damaged, or holds something else.
    """
    try:
      with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        columns = tuple(map(str, held["columns"]))
        return TrainingDigests(columns, held["key"].tobytes(), held["digests"])
    except (BadZipFile, EOFError, KeyError, OSError, TypeError) as error:
      raise ValueError(f"{path.name} holds no digests: {error}") from error


def digest_loans(loans: pd.DataFrame, feature_set: str) -> TrainingDigests:
  """Digests of the loans that a model of this feature set is trained on."""
  columns = _choose_columns(feature_set)
  rows = _tell_apart(loans, columns)
  # The same loans get the same key, in any order: a run can be repeated.
  whole = hashlib.blake2b(digest_size=_KEY_BYTES)
  for row in sorted(rows):
    whole.update(row)
  key = whole.digest()
  return TrainingDigests(columns, key, np.sort(_digest(rows, key)))


def _choose_columns(feature_set: str) -> tuple[str, ...]:
  used = {name for feature in FEATURE_SETS[feature_set].features for name in FEATURES[feature].uses}
  known = (COLUMNS[name] for name in sorted({*used, *_ALWAYS}))
  # No texts: a purpose in another spelling, or an outcome that came later, is the same loan.
  return tuple(c.name for c in known if c.kind in _KINDS and not c.nullable)


def _tell_apart(loans: pd.DataFrame, columns: Iterable[str]) -> list[bytes]:
  texts = [_write(loans[name]) for name in columns]
  return ["|".join(row).encode() for row in zip(*texts, strict=True)]


def _write(values: pd.Series) -> list[str]:
  if pd.api.types.is_datetime64_any_dtype(values):
    return [f"{month:%Y-%m}" for month in values]
  return [f"{value:.4f}" for value in values.to_numpy("float64")]


def _digest(rows: Iterable[bytes], key: bytes) -> npt.NDArray[np.uint64]:
  hashed = b"".join(hashlib.blake2b(row, digest_size=_BYTES, key=key).digest() for row in rows)
  return np.frombuffer(hashed, dtype="<u8")
