"""Where the rows of a CSV begin and end: every quotation mark, value and line accounted for.

CSV readers cannot tell a stray quotation mark from a value over lines, so rows are found here by whole blocks; mark
by mark only where quotation marks are not in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from loantap.portfolio.errors import InputError

Array = npt.NDArray[Any]

_LF, _CR, _QUOTE, _FILLER = (ord(letter) for letter in '\n\r"x')
# A value over two lines with fewer delimiters than this cannot have swallowed a row.
_MIN_SWALLOWED = 6


@dataclass(frozen=True, slots=True)
class Layout:
	"""What is known of a CSV before its rows are read.

	Attributes:
		width: values that a row should have.
		two_lines: place of the column whose values may have two lines; -1 where there is none.
		by_returns: whether carriage returns alone end its lines, as on old Macs.
	"""

	where: str
	delimiter: str
	width: int
	two_lines: int
	by_returns: bool = False


@dataclass(frozen=True, slots=True)
class Records:
	"""Rows of a block of bytes, blank lines among them.

	Attributes:
		ends: where the next begins.
		lines: the file's line on which each begins, from 1.
		cells: how many values each has.
		consumed: bytes of the block that are in whole rows.
		next_line: number of the line behind them.
	"""

	starts: Array
	ends: Array
	lines: Array
	cells: Array
	astray: Array
	consumed: int
	next_line: int

	def __len__(self) -> int:
		return len(self.starts)

	def row(self, place: int, block: bytes) -> bytes:
		"""One of them as it stands in the block."""
		return block[self.starts[place] : self.ends[place]]

	def keep(self, which: Array | slice) -> Records:
		"""Some of them."""
		kept = {name: getattr(self, name)[which] for name in ("starts", "ends", "lines", "cells", "astray")}
		return replace(self, **kept)


@dataclass(frozen=True, slots=True)
class _Quotes:
	"""What the quotation marks of a block mean.

	Attributes:
		marked: the bytes, quoted values hidden behind a filler.
		astray: places of marks inside a value.
		left_open: place of a mark that opens a value which the block does not close.
	"""

	marked: Array
	astray: list[int]
	left_open: int | None


def split(block: bytes, layout: Layout, first_line: int, *, is_last: bool) -> Records:
	"""Find the rows of a block that begins with one; what follows the last whole row is left.

	`first_line` is the block's in the file; the last row of the last block needs no line end.

	Raises:
		InputError: a quoted value is not closed, or goes on over lines; a carriage return stands alone where lines end
			otherwise.
	"""
	raw = np.frombuffer(block, "uint8")
	line_ends = _find_line_ends(block, is_last=is_last)
	quotes = _read_quotes(block, raw, layout, first_line)
	is_within = quotes.marked[line_ends - 1] == _FILLER
	ends, inner = line_ends[~is_within], line_ends[is_within]
	_require_one_line_end(raw, ends, line_ends, layout, first_line)
	if is_last and len(block) > (ends[-1] if len(ends) else 0):
		ends = np.append(ends, len(block))
	if quotes.left_open is not None:
		_require_closing(quotes.left_open, line_ends, layout, first_line, is_last=is_last)
	starts = np.concatenate([[0], ends[:-1]]).astype("int64") if len(ends) else ends
	consumed = int(ends[-1]) if len(ends) else 0
	commas = np.flatnonzero(quotes.marked == ord(layout.delimiter))
	astray = np.zeros(len(ends), "bool")
	within = [place for place in quotes.astray if place < consumed]
	astray[np.searchsorted(ends, within, side="right")] = True
	records = Records(
		starts,
		ends,
		first_line + np.searchsorted(line_ends, starts, side="right"),
		np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1,
		astray,
		consumed,
		first_line + int(np.searchsorted(line_ends, consumed, side="right")),
	)
	if len(inner := inner[inner < consumed]):
		_require_one_line_each(records, raw, inner, commas, layout)
	_require_whole_rows(records, layout)
	return records


def count_lines(block: bytes) -> int:
	"""How many lines end in a block."""
	return len(_find_line_ends(block, is_last=False))


def _find_line_ends(block: bytes, *, is_last: bool) -> Array:
	"""Line feeds, or carriage returns without one."""
	raw = np.frombuffer(block, "uint8")
	is_end = raw == _LF
	if block.count(b"\r") > block.count(b"\r\n"):
		returns = np.flatnonzero(raw == _CR)
		# Of a carriage return at the end of a block, what follows is not known yet.
		following = np.append(raw[1:], _CR if is_last else _LF)[returns]
		is_end[returns[following != _LF]] = True
	return np.flatnonzero(is_end) + 1


def _read_quotes(block: bytes, raw: Array, layout: Layout, first_line: int) -> _Quotes:
	is_mark = raw == _QUOTE
	if not is_mark.any():
		return _Quotes(raw, [], None)
	# Bytes rather than places: in a file of quoted values every third letter is a mark.
	is_within = np.logical_xor.accumulate(is_mark)
	opening, closing = is_mark & is_within, is_mark & ~is_within
	# Written twice, a mark closes and opens the value for a moment.
	boundary = np.zeros(256, "bool")
	boundary[[_LF, _CR, _QUOTE, ord(layout.delimiter)]] = True
	is_boundary = boundary[raw]
	if (opening[1:] & ~is_boundary[:-1]).any() or (closing[:-1] & ~is_boundary[1:]).any():
		return _read_one_by_one(block, layout, first_line)
	left_open = None
	if is_within[-1]:
		opening[1:] &= ~closing[:-1]
		left_open = int(np.flatnonzero(opening)[-1])
	return _Quotes(np.where(is_within | is_mark, np.uint8(_FILLER), raw), [], left_open)


@lru_cache(maxsize=8)
def _quoted_patterns(delimiter: str) -> tuple[re.Pattern[bytes], ...]:
	"""A sound quoted value, one open at the end, and one with something behind it."""
	comma = re.escape(delimiter).encode()
	body = rb'"[^"]*+(?:""[^"]*+)*+'
	on_one_line = rb'"[^"\r\n]*+(?:""[^"\r\n]*+)*+"'
	return (
		re.compile(body + rb'"(?=[' + comma + rb"\r\n]|\Z)"),
		re.compile(body + rb"\Z"),
		re.compile(on_one_line + rb"[^" + comma + rb"\r\n]+"),
	)


def _read_one_by_one(block: bytes, layout: Layout, first_line: int) -> _Quotes:
	"""The same, mark by mark, for a block in which some are astray."""
	sound, unclosed, followed = _quoted_patterns(layout.delimiter)
	boundary = b"\r\n" + layout.delimiter.encode()
	marked, astray, left_open = bytearray(block), [], None
	place = block.find(b'"')
	while place >= 0:
		if place and block[place - 1] not in boundary:
			astray.append(place)
			end = place + 1
		elif found := sound.match(block, place):
			end = found.end()
		elif unclosed.match(block, place):
			left_open, end = place, len(block)
		else:
			found = followed.match(block, place)
			# With an odd number of marks nobody can tell whether the row ends there.
			if found is None or _line_around(block, place).count(b'"') % 2:
				raise _astray(layout, first_line + count_lines(block[:place]))
			astray.append(place)
			end = found.end()
		marked[place:end] = bytes([_FILLER]) * (end - place)
		place = block.find(b'"', end)
	return _Quotes(np.frombuffer(marked, "uint8"), astray, left_open)


def _line_around(block: bytes, place: int) -> bytes:
	start = max(block.rfind(b"\n", 0, place), block.rfind(b"\r", 0, place)) + 1
	found = re.compile(rb"[\r\n]").search(block, place)
	return block[start : found.start() if found else len(block)]


def _require_closing(place: int, line_ends: Array, layout: Layout, first_line: int, *, is_last: bool) -> None:
	"""Refuse a value that was never closed as soon as no address can be so long."""
	before = int(np.searchsorted(line_ends, place, side="right"))
	if is_last or len(line_ends) - before > 1:
		raise _astray(layout, first_line + before)


def _require_one_line_end(raw: Array, ends: Array, line_ends: Array, layout: Layout, first_line: int) -> None:
	"""Refuse a carriage return that may end a row, or may have got into a value."""
	if layout.by_returns:
		return
	alone = ends[(raw[ends - 1] == _CR) & (ends < len(raw))]
	alone = alone[raw[alone] != _CR]  # One before a whole line end makes an empty line.
	if not len(alone):
		return
	line = first_line + int(np.searchsorted(line_ends, alone[0]))
	raise InputError(
		f"{layout.where}, line {line:,}",
		"a carriage return stands alone, where other lines end with a line feed: either a row ends "
		"there, or it has got into a value",
		"Take it out, or end the row with a line feed",
	)


def _require_one_line_each(records: Records, raw: Array, inner: Array, commas: Array, layout: Layout) -> None:
	"""Refuse a value over lines, unless it is an address of two and swallowed no row."""
	ends = records.ends
	rows = np.searchsorted(ends, inner, side="right")
	starts = records.starts[rows]
	place = np.searchsorted(commas, inner) - np.searchsorted(commas, starts)
	every = np.flatnonzero(raw == ord(layout.delimiter))
	written = np.searchsorted(every, ends[rows]) - np.searchsorted(every, starts)
	hidden = written - (records.cells[rows] - 1)
	# With a value too many in front, the address is one place on.
	address = layout.two_lines + records.cells[rows] - layout.width
	is_bad = (layout.two_lines < 0) | (place != address)
	is_bad |= hidden >= max(layout.width - 1, _MIN_SWALLOWED)
	is_bad[1:] |= rows[1:] == rows[:-1]
	if is_bad.any():
		raise _astray(layout, int(records.lines[rows[is_bad]].min()))


def _require_whole_rows(records: Records, layout: Layout) -> None:
	"""Refuse a mark astray in front of a row that does not fit."""
	is_torn = records.astray[:-1] & (records.cells[1:] != layout.width)
	if is_torn.any():
		raise _astray(layout, int(records.lines[:-1][is_torn].min()))


def _astray(layout: Layout, line: int) -> InputError:
	return InputError(
		f"{layout.where}, line {line:,}",
		"a quotation mark opens a value that is not closed on this line, so one cannot tell where the rows after it begin",
		"Take the mark out or close the value; a mark inside a quoted value is written twice, and "
		"only an address may have two lines",
	)
