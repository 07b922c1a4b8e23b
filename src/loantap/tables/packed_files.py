"""The text in a compressed file, an archive of one file, or a workbook of one sheet, as bytes."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, time
from functools import reduce
from pathlib import Path
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from loantap.portfolio.errors import InputError

WORKBOOK_SUFFIX: Final = ".xlsx"
# What reading raises of one that is damaged, or packed in a way that nobody reads.
DAMAGE: Final = (EOFError, zlib.error, OSError, BadZipFile, NotImplementedError, pa.ArrowException)
_GZIP, _ZIP, _ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
_SHOWN: Final = 5
_MOST_CELLS: Final = 50_000_000
_CELL: Final = re.compile(rb""" r=["']([A-Z]+)(\d+)["'][^>]*(?<!/)>""")


def unpack(file: IO[bytes], path: Path, where: str) -> AbstractContextManager[IO[bytes]]:
  """The text of an open file, told packed by its first bytes; a workbook is told by its name.

  Raises:
      InputError: an archive holds other than one file, or is encrypted; a workbook has other
          than one sheet with anything in it.
  """
  if path.suffix.lower() == WORKBOOK_SUFFIX:
    return nullcontext(_open_workbook(path, where))
  begins = file.read(len(_ZIP))
  file.seek(0)
  if begins == _ZIP:
    return _open_member(file, where)
  if begins == _ZSTD:
    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")  # type: ignore[no-any-return]
  if begins.startswith(_GZIP):
    return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
  return nullcontext(file)


@contextmanager
def _open_member(file: IO[bytes], where: str) -> Iterator[IO[bytes]]:
  with ZipFile(file) as archive:
    # What macOS adds is no file of anybody's.
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    names = [member.filename for member in members]
    if "[Content_Types].xml" in names:
      raise InputError(where, "it is an Excel workbook", f"Name it {WORKBOOK_SUFFIX}")
    if len(members) != 1:
      raise InputError(where, f"it holds {_list(names, 'files')}", "Give an archive of one file, or unpack it")
    if members[0].flag_bits & 1:
      raise InputError(where, f"{names[0]} in it is encrypted", "Unpack it with its password")
    with archive.open(members[0]) as member:
      yield member


def _open_workbook(path: Path, where: str) -> IO[bytes]:
  # Nothing that serves reads workbooks: the images of API and dashboard do without.
  from python_calamine import CalamineError, CalamineWorkbook

  try:
    book = CalamineWorkbook.from_path(path)
    _require_bounded(path, where)
    sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
  except (CalamineError, *DAMAGE) as error:
    problem = f"it cannot be read as a workbook ({error})"
    raise InputError(where, problem, "Save the sheet anew, or as CSV UTF-8") from error
  filled = [name for name, sheet in sheets.items() if sheet.height]
  if len(filled) != 1:
    problem = f"it holds {_list(filled, 'sheets with anything in them')}"
    raise InputError(where, problem, "Keep the one with the loans")
  text = io.StringIO()
  lines = csv.writer(text, lineterminator="\n")
  for row in sheets[filled[0]].to_python(skip_empty_area=False):
    cells = [_write(value) for value in row]
    lines.writerow(cells if any(cells) else [])
  return io.BytesIO(text.getvalue().encode())


def _require_bounded(path: Path, where: str) -> None:
  """One cell far outside makes a rectangle for which there is no memory."""
  with ZipFile(path) as archive:
    for name in archive.namelist():
      column, last, rest = b"", 0, b""
      with archive.open(name) as part:
        while block := part.read(1 << 20):
          found = _CELL.findall(rest + block)
          column = max({column, *(letters.rjust(3) for letters, _ in found)})
          last = max([last, *(int(row) for _, row in found)])
          rest = block[-256:]
      width = reduce(lambda number, letter: number * 26 + letter - 64, column.strip(), 0)
      if width * last > _MOST_CELLS:
        problem = f"the sheet reaches to {column.decode().strip()}{last}"
        raise InputError(where, problem, "Delete what stands outside the table")


def _write(value: object) -> str:
  """A cell as a CSV would have it: whole numbers without decimals, days without hours."""
  if isinstance(value, float):
    text = str(int(value)) if value.is_integer() else str(value)
    # The point before three decimals may stand between thousands.
    return f"{text}0" if text[-4:-3] == "." else text
  if isinstance(value, datetime) and value.time() == time():
    return value.date().isoformat()
  return " ".join(str(value).splitlines())


def _list(names: list[str], what: str) -> str:
  shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
  return f"{len(names)} {what}: {shown}" if names else f"no {what}"
