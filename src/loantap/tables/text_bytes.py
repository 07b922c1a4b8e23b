"""The bytes of a text file, plain or packed, in blocks; what is no UTF-8 text is refused."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from loantap.portfolio.errors import InputError
from loantap.tables.csv_blocks import count_lines
from loantap.tables.packed_files import DAMAGE, unpack

BLOCK_BYTES: Final = 1 << 23
# What stands below a table is in the last block, with some rows above it.
_TAIL_BYTES: Final = 1 << 16
_LONGEST_ROW: Final = 1 << 20
_LONGEST_LETTER: Final = 4
_BOM: Final = b"\xef\xbb\xbf"
_AS_UTF8: Final = "Save it as UTF-8 text (in Excel: CSV UTF-8)"
# What a file is that begins so, and what to do with it.
_NO_TEXT: Final = (
  (b"\xff\xfe", "UTF-16 text", _AS_UTF8),
  (b"\xfe\xff", "UTF-16 text", _AS_UTF8),
  (b"PAR1", "a Parquet file", "Name it .parquet"),
  (b"PK\x03\x04", "a ZIP archive", "Unpack it"),
  (b"\x1f\x8b", "compressed by gzip", "Unpack it"),
  (b"\x28\xb5\x2f\xfd", "compressed by zstd", "Unpack it"),
  (b"\xd0\xcf\x11\xe0", "an Excel workbook", "Save the sheet as CSV"),
  (b"BZh", "compressed by bzip2", "Unpack it, or compress it by gzip"),
  (b"\xfd7zXZ", "compressed by xz", "Unpack it, or compress it by gzip"),
  (b"7z\xbc\xaf", "a 7z archive", "Unpack it, or compress it by gzip"),
  (b"%PDF", "a PDF document", "Give the table itself"),
  (b"<", "a page of HTML or XML", "Give the table itself"),
  (b"{", "JSON", "Give it as CSV or Parquet"),
)


def read_blocks(path: Path, where: str, *, unpacks: bool) -> Generator[tuple[bytes, bool]]:
  """The bytes of a file without its byte-order mark, and whether each block is the last.

  Raises:
      InputError: the file cannot be read, or is no text.
  """
  with open_file(path, where) as raw, _refusing_damage(where), unpack(raw, path, where) if unpacks else raw as file:
    block = file.read(BLOCK_BYTES)
    _require_text_file(block, where)
    block = block.removeprefix(_BOM)
    while True:
      following = file.read(BLOCK_BYTES)
      if len(following) < _TAIL_BYTES:
        yield block + following, True
        return
      yield block, False
      block = following


def require_text(block: bytes, line: int, where: str, *, is_last: bool) -> None:
  """Refuse bytes that are no UTF-8 text; the block begins on this line of the file.

  A letter may be cut at the end of a block that is not the last.

  Raises:
      InputError: naming the line and the byte.
  """
  if (place := block.find(0)) >= 0:
    found = line + count_lines(block[:place])
    raise InputError(f"{where}, line {found:,}", "it holds a NUL byte, so it is no plain text", _AS_UTF8)
  try:
    block.decode()
  except UnicodeDecodeError as error:
    if not is_last and error.start > len(block) - _LONGEST_LETTER:
      return
    found = line + count_lines(block[: error.start])
    raise InputError(
      f"{where}, line {found:,}",
      f"byte 0x{block[error.start]:02X} is not UTF-8; the file may be in Latin-1, as Windows writes it",
      _AS_UTF8,
    ) from error


def require_short(rest: bytes, line: int, where: str) -> None:
  """Refuse a row without an end."""
  if len(rest) > _LONGEST_ROW:
    raise InputError(
      f"{where}, line {line:,}",
      f"a row is longer than {_LONGEST_ROW:,} bytes, so this is no table of loans",
      "Give a CSV with one loan or application in each row",
    )


def open_file(path: Path, where: str) -> IO[bytes]:
  """Open a file for reading; raises InputError where that is not possible."""
  try:
    return path.open("rb")
  except OSError as error:
    raise InputError(where, f"it cannot be read ({error.strerror})", "Give a file that you may read") from error


@contextmanager
def _refusing_damage(where: str) -> Iterator[None]:
  try:
    yield
  except DAMAGE as error:
    raise InputError(where, f"it is damaged or cut short ({error})", "Copy or write it again") from error


def _require_text_file(block: bytes, where: str) -> None:
  for begin, kind, remedy in _NO_TEXT:
    if block.startswith(begin):
      raise InputError(where, f"it is {kind}, not a CSV", remedy)
  if not block.strip(b"\r\n\t ,;" + _BOM):
    raise InputError(where, "it has no line with anything in it", "Give a file with a header and rows")
  # Of UTF-16 without a mark every other byte of plain letters is zero.
  if block[:1000].count(0) > len(block[:1000]) // 4:
    raise InputError(where, "it is UTF-16 text or no text at all, not a CSV", _AS_UTF8)
