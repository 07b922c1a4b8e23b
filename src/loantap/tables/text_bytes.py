"""The bytes of a text file, plain or packed, or of a workbook, in blocks; what is no UTF-8 text is refused."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, time
from functools import reduce
from pathlib import Path
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from loantap.portfolio.errors import InputError
from loantap.tables.csv_blocks import count_lines

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
WORKBOOK_SUFFIX: Final = ".xlsx"
# What reading raises of one that is damaged, or packed in a way that nobody reads.
DAMAGE: Final = (EOFError, zlib.error, OSError, BadZipFile, NotImplementedError, pa.ArrowException)
_GZIP, _ZIP, _ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
_SHOWN: Final = 5
_MOST_CELLS: Final = 50_000_000
_CELL: Final = re.compile(rb""" r=["']([A-Z]+)(\d+)["'][^>]*(?<!/)>""")


def read_blocks(path: Path, where: str, *, unpacks: bool) -> Generator[tuple[bytes, bool]]:
	"""The bytes of a file without byte-order mark, and whether each block is the last; InputError where it is no text."""
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
	"""Refuse with InputError, naming line and byte, what is no UTF-8; the block begins on this line of the file.

	A letter may be cut at the end of a block that is not the last.
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


def unpack(file: IO[bytes], path: Path, where: str) -> AbstractContextManager[IO[bytes]]:
	"""The text of an open file, told packed by its first bytes; a workbook is told by its name.

	Raises:
		InputError: not exactly one file or filled sheet in it, or encryption.
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
