"""A proposal of a column map: names are compared, values looked at, and what is in doubt is said."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from yaml import safe_dump, safe_load

from loantap.portfolio.dictionary import LOAN_ID, Column, Kind
from loantap.portfolio.statuses import Statuses
from loantap.portfolio.values import fold, make_reader
from loantap.tables.column_maps.column_map import COLUMNS_OF, NUMERIC, is_needed, list_shipped_maps, read_column_map
from loantap.tables.column_maps.units import Unit, convert_units, list_forms
from loantap.tables.columns import Expected
from loantap.tables.files import open_rows
from loantap.tables.written_numbers import undo_dictionary

_EXAMPLES: Final = 2
_SHOWN: Final = 5
# So many of the values must fit a form, and of shares must be no percentages.
_MOST: Final = 0.95
_FORMS: Final = (
	(),
	(Unit.PERCENT,),
	(Unit.GROUPED,),
	(Unit.DECIMAL_COMMA,),
	(Unit.DECIMAL_COMMA, Unit.PERCENT),
	(Unit.MONTHS,),
	(Unit.YEARS,),
)
# A word that is this much like one of LoanTap's may mean it.
_LIKE_WORD: Final = 0.6
# After every month that a file may have, as days since 1970.
_LATEST: Final = 1e6
# What a look says, and doubts.
_Judged = tuple[dict[str, Any], list[str]]
HEAD_ROWS: Final = 2_000
# A misspelt name is this much like the right one.
_LIKE: Final = 0.8
_UNSURE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Look:
	"""What a map would say of a column: its entry, examples (none of personal data), doubts for a person to look at."""

	says: Mapping[str, Any] = field(default_factory=dict)
	examples: tuple[str, ...] = ()
	doubts: tuple[str, ...] = ()


def look_at(column: Column, name: str, texts: Sequence[str]) -> Look:
	"""Look at the values of the file's column `name`, which may be this one of the dictionary."""
	distinct = list(dict.fromkeys(text.strip() for text in texts))
	says, doubts = _judge(column, name, texts, distinct)
	return Look(says, () if column.personal else tuple(distinct[:_EXAMPLES]), tuple(doubts))


def _judge(column: Column, name: str, texts: Sequence[str], distinct: Sequence[str]) -> _Judged:
	if not distinct:
		return {}, ["it has no values in the head of the file"]
	if column is LOAN_ID:
		return {}, [] if len(distinct) == len(texts) else ["its values repeat, so they identify no loans"]
	if column.kind in NUMERIC:
		return _look_at_numbers(column, name, texts)
	if column.kind is Kind.MONTH:
		return _look_at_dates(distinct)
	if column.kind is Kind.CATEGORY:
		return _look_at_words(column, distinct)
	return {}, []


def _look_at_numbers(column: Column, name: str, texts: Sequence[str]) -> _Judged:
	read = make_reader(column)
	written = pa.chunked_array([pa.array(texts, pa.large_string())])
	for form in _FORMS:
		if Unit.YEARS in form and column.name != "term_months":
			continue
		values = convert_units(written, form).to_pylist()
		good = [number for number, wrong in (read(value, _LATEST) for value in values) if not wrong]
		if len(good) < _MOST * len(texts):
			continue
		units, doubts = [str(unit) for unit in form], []
		if column.unit.startswith("percent") and sum(float(number or 0) <= 1 for number in good) >= _MOST * len(good):
			units.append(str(Unit.SHARE))
			doubts.append("hardly a value exceeds 1, so they may be shares of 1")
		if column.name == "annual_income" and "month" in name.lower():
			units.append(str(Unit.PER_MONTH))
			doubts.append("by its name it is an income per month")
		return {"unit": units if len(units) > 1 else units[0]} if units else {}, doubts
	bad = [(text, wrong) for text in texts if (wrong := read(text, _LATEST)[1])]
	return {}, [f"{len(bad):,} of {len(texts):,} values do not fit: '{bad[0][0]}' is {bad[0][1]}"]


def _look_at_dates(distinct: Sequence[str]) -> _Judged:
	each = [list_forms(text) for text in distinct]
	odd = [text for text, forms in zip(distinct, each, strict=True) if not forms]
	common = [form for form in next(filter(None, each), {}) if all(form in forms for forms in each if forms)]
	if len(odd) > (1 - _MOST) * len(distinct) or not common:
		return {}, [f"its dates have no form in common: {', '.join((odd or distinct)[:_SHOWN])}"]
	doubts = [f"{len(odd):,} dates do not fit: {', '.join(odd[:_SHOWN])}"] if odd else []
	if len(common) > 1:
		doubts.append(f"every date fits {' and '.join(common)}: choose")
	return {"date": common[0]}, doubts


def _look_at_words(column: Column, distinct: Sequence[str]) -> _Judged:
	known = {fold(word): word for word in (*column.categories, *column.listed)}
	if column.name == "loan_status":
		known = {word: ours or word for word, (ours, _) in Statuses().meanings().items()}
	words, unknown = {}, []
	for word in (word for word in distinct if fold(word) not in known):
		if close := get_close_matches(fold(word), known, n=1, cutoff=_LIKE_WORD):
			words[word] = known[close[0]]
		else:
			unknown.append(word)
	guessed = [f"'{theirs}' is taken for '{ours}'" for theirs, ours in words.items()]
	if unknown:
		shown = ", ".join(f"'{word}'" for word in unknown[:_SHOWN]) + (" ..." if len(unknown) > _SHOWN else "")
		is_closed = column.categories or column.name == "loan_status"
		guessed.append(f"map under words: {shown}" if is_closed else f"kept as they are: {shown}")
	return {"words": words} if words else {}, guessed


@dataclass(frozen=True, slots=True)
class Match:
	"""Where one of LoanTap's columns may be: `column` of the file, "" where none was found."""

	ours: str
	column: str = ""
	look: Look = field(default_factory=Look)

	def to_yaml(self) -> Iterator[str]:
		"""Its lines of the map; doubts, and a column that was not found, are comments."""
		yield from (f"  # {doubt}" for doubt in self.look.doubts)
		if not self.column:
			asked = " needed, as a column or {value: ...}" if is_needed(COLUMNS_OF[self.ours]) else ""
			yield f"  # {self.ours}:{asked}"
			return
		entry = {"column": self.column} | dict(self.look.says) if self.look.says else self.column
		# In a list, since a text that stands alone would be ended by a mark.
		written = safe_dump([entry], default_flow_style=True, width=1_000, allow_unicode=True).strip()
		yield f"  {self.ours}: {written.removeprefix('[').removesuffix(']')}"


@dataclass(frozen=True, slots=True)
class Proposal:
	"""A map as proposed from the first `rows` rows of a file.

	Attributes:
		others: columns of the file that no match takes.
		notes: what was done to read the file.
		shipped: maps of the package that fit it.
	"""

	matches: tuple[Match, ...]
	others: tuple[str, ...]
	notes: tuple[str, ...]
	rows: int
	shipped: tuple[str, ...]

	def to_yaml(self) -> str:
		"""The whole map."""
		lines = ["# Proposed from the head of a file: look at what is in doubt before you use it.", "columns:"]
		return "\n".join([*lines, *(line for match in self.matches for line in match.to_yaml()), ""])


def propose_map(path: Path) -> Proposal:
	"""Look at the head of a file, and say where LoanTap's columns may be; InputError where it cannot be read."""
	# Names by which the header is found; they stay as the file writes them.
	every = dict.fromkeys(chain(*_read_names().values()), "")
	raw = open_rows(path, Expected(every, frozenset(), frozenset()))
	names = [name for name in raw.names if name]
	head = next(iter(raw.read(names, HEAD_ROWS)))
	taken: dict[str, tuple[str, int]] = {}
	for rank, ours, column in sorted(_rank(names)):
		if ours not in taken and column not in {name for name, _ in taken.values()}:
			taken[ours] = column, rank
	matches = []
	for ours in COLUMNS_OF:
		column, rank = taken.get(ours, ("", 0))
		look = look_at(COLUMNS_OF[ours], column, _list_texts(head[column])) if column else Look()
		if rank >= _UNSURE:
			look = replace(look, doubts=(*look.doubts, "the name is only like it"))
		if twins := [name for name in names if name != column and normalise(name) == normalise(column)]:
			look = replace(look, doubts=(*look.doubts, f"also like it: {', '.join(twins)}"))
		matches.append(Match(ours, column, look))
	used = {match.column for match in matches}
	others = tuple(name for name in names if name not in used)
	return Proposal(tuple(matches), others, tuple(raw.notes), len(head), tuple(_find_shipped(names)))


def _rank(names: Sequence[str]) -> Iterator[tuple[int, str, str]]:
	"""Every column that may be one of LoanTap's, the likeliest with the lowest rank."""
	known = {normalise(name): name for name in sorted(names, key=len, reverse=True)}
	for ours, every in _read_names().items():
		yield from ((rank, ours, known[name]) for rank, name in enumerate(every) if name in known)
		for name in every:
			for like in get_close_matches(name, known, n=1, cutoff=_LIKE):
				yield _UNSURE, ours, known[like]


def normalise(name: str) -> str:
	"""A name in small letters, its words joined by underscores, without what stands in brackets.

	>>> normalise(" Loan Amount (USD)")
	'loan_amount'
	"""
	return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\(.*?\)", "", name.lower())).strip("_")


@cache
def _read_names() -> Mapping[str, tuple[str, ...]]:
	"""What LoanTap and other lenders call each column."""
	text = (files("loantap.tables.column_maps") / "synonyms.yml").read_text(encoding="utf-8")
	return {ours: (ours, *names) for ours, names in safe_load(text).items()}


def _list_texts(column: pa.ChunkedArray) -> list[str]:
	texts = undo_dictionary(column).cast(pa.large_string()).to_pylist()
	return [text for text in texts if text is not None and text.strip()]


def _find_shipped(names: Sequence[str]) -> Iterator[str]:
	for shipped in list_shipped_maps():
		sources = read_column_map(shipped).columns.values()
		if {name for source in sources if not source.optional for name in source.reads} <= set(names):
			yield shipped
