"""What a snapshot is made of: a list of files, and which of their rows count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from loantap.snapshots.parts import UNFINISHED, DamagedSnapshotError, Mask, Part, name_by_content, read_file

MANIFEST = "manifest.json"
_KINDS = ("part", "outdated")


class Manifest(BaseModel):
  """What a snapshot is made of; a file that is not listed is not in it.

  Attributes:
      source: system and table.
      fingerprint: digest of system, table and query.
      key: columns that tell rows apart.
      columns: type of each column, in order.
      parts: in order; at least one, without rows when the table has none.
      outdated: the file that says which rows of the parts do not count; None when all do.
      since: from which update on the source was last read, UTC; None when it was read in full.
      as_of: day of the run that read it.
  """

  model_config = ConfigDict(frozen=True, extra="forbid")

  version: Literal[1] = 1
  source: str
  fingerprint: str
  key: tuple[str, ...]
  columns: dict[str, str]
  parts: tuple[Part, ...]
  outdated: str | None
  since: datetime | None
  as_of: date

  @property
  def rows(self) -> int:
    """Number of rows."""
    return sum(part.rows for part in self.parts)

  @property
  def first_update(self) -> datetime | None:
    """Earliest update, UTC; None when no row has one."""
    return min((p.first_update for p in self.parts if p.first_update), default=None)

  @property
  def last_update(self) -> datetime | None:
    """Latest update, UTC; None when no row has one."""
    return max((p.last_update for p in self.parts if p.last_update), default=None)

  @property
  def files(self) -> set[str]:
    """Names of all files but the list itself."""
    return {part.name for part in self.parts} | ({self.outdated} if self.outdated else set())

  def has_rows_of(self, other: Manifest) -> bool:
    """Whether both are the same rows of the same table, whenever they were read."""
    return self == other.model_copy(update={"since": self.since, "as_of": self.as_of})


def name_types(schema: pa.Schema) -> dict[str, str]:
  """Type of each column, in order."""
  return {field.name: str(field.type) for field in schema}


def read_manifest(path: Path) -> Manifest:
  """The list in a file; raises DamagedSnapshotError where it is none."""
  try:
    return Manifest.model_validate_json(path.read_bytes())
  except (OSError, ValidationError) as error:
    raise DamagedSnapshotError(f"{path.name}: {str(error).splitlines()[0]}") from error


def check_parts(manifest: Manifest, folder: Path) -> None:
  """Look at each part's size and columns, not at its rows, which are checked as they are read.

  Raises:
      DamagedSnapshotError: a part cannot be opened, or is not what was written.
  """
  for part in manifest.parts:
    try:
      found = pq.read_metadata(folder / part.name)
    except (OSError, pa.ArrowInvalid) as error:
      raise DamagedSnapshotError(f"{part.name}: {str(error).splitlines()[0]}") from error
    columns = name_types(found.schema.to_arrow_schema())
    if (found.num_rows, columns) != (part.file_rows, manifest.columns):
      raise DamagedSnapshotError(f"{part.name}: it is not what was written")


def write_outdated(folder: Path, masks: Mapping[int, Mask]) -> str | None:
  """Write by part, in order, which of its rows are outdated; None when all count."""
  positions = {place: np.flatnonzero(mask) for place, mask in masks.items()}
  parts = np.repeat(list(positions), [len(found) for found in positions.values()])
  if not len(parts):
    return None
  path = folder / UNFINISHED
  table = pa.table({"part": parts, "position": np.concatenate(list(positions.values()))})
  pq.write_table(table, path)
  return name_by_content(path, "outdated").name


def read_outdated(manifest: Manifest, folder: Path) -> list[Mask]:
  """Of each part, in order, whether a row is outdated; raises DamagedSnapshotError."""
  masks = [np.zeros(part.file_rows, dtype="bool") for part in manifest.parts]
  if manifest.outdated is not None:
    table = read_file(folder / manifest.outdated)
    parts, positions = (column.to_numpy() for column in table.columns)
    for place, mask in enumerate(masks):
      mask[positions[parts == place]] = True
  return masks


def remove_unlisted(folder: Path, manifest: Manifest | None) -> None:
  """Remove what failed attempts and killed runs left; files of other kinds stay."""
  listed = manifest.files if manifest else set()
  found = (path for kind in _KINDS for path in folder.glob(f"{kind}-*.parquet"))
  for path in (*(path for path in found if path.name not in listed), folder / UNFINISHED):
    path.unlink(missing_ok=True)
