"""What a column map says: where LoanTap's columns are in another lender's file, and in which form."""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from yaml import MappingNode, SafeLoader, YAMLError, load

from loantap.portfolio.dictionary import LOAN_ID, Column, Kind, portfolio_columns
from loantap.portfolio.errors import InputError, guess
from loantap.portfolio.statuses import Statuses
from loantap.portfolio.values import fold
from loantap.tables.column_maps.units import FITS, Unit, is_date_form

_SHIPPED: Final = files("loantap.tables.column_maps") / "shipped"
COLUMNS_OF: Final = MappingProxyType({str(c.source_name): c for c in portfolio_columns()} | {LOAN_ID.name: LOAN_ID})
NUMERIC: Final = (Kind.NUMBER, Kind.COUNT)
_HELP: Final = "Mend the map; docs/running.md, Files as lenders export them, says what it holds"
_Text = Annotated[str, Field(min_length=1)]
# One text stands for a list of it, or for the column of that name.
_ONE_OR_MORE: Final = BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
_NAME_ALONE: Final = BeforeValidator(lambda given: {"column": given} if isinstance(given, str) else given)


class _Part(BaseModel):
	model_config = ConfigDict(frozen=True, extra="forbid")


class Instead(_Part):
	"""Another column that counts where the row has one of these words; as of joint applications.

	Attributes:
		when: words by column of the file.
	"""

	column: _Text
	when: Annotated[dict[_Text, Annotated[tuple[_Text, ...], _ONE_OR_MORE]], Field(min_length=1)]


class Source(_Part):
	"""Where one of LoanTap's columns comes from: a column, several in one text, or one value.

	Attributes:
		text: columns in braces and what stands between them, `{addr_state} {zip_code}`.
		value: of every loan.
		unit: how its numbers are written, and what they count.
		date: form of its dates, as in `%b-%Y`.
		words: the file's words, and what LoanTap calls them.
		optional: whether files without the column are read too.
	"""

	column: str = ""
	text: str = ""
	value: _Text | None = None
	instead: Instead | None = None
	unit: Annotated[tuple[Unit, ...], _ONE_OR_MORE] = ()
	date: str = ""
	words: dict[_Text, _Text] = {}
	optional: bool = False

	@field_validator("date")
	@classmethod
	def _know_the_form(cls, form: str) -> str:
		if form and not is_date_form(form):
			raise ValueError("it has no year and month; give a form such as %b-%Y or %d/%m/%Y")
		return form

	@model_validator(mode="after")
	def _come_from_one_place(self) -> "Source":
		if sum((bool(self.column), bool(self.text), self.value is not None)) != 1:
			raise ValueError("give one of column, text and value")
		if self.text and not self.parts:
			raise ValueError("text names no column; write names in braces, {addr_state} {zip_code}")
		return self

	@property
	def parts(self) -> tuple[str, ...]:
		"""Columns of the file that make up `text`."""
		try:
			return tuple(name for _, name, _, _ in Formatter().parse(self.text) if name)
		except ValueError:
			return ()

	@property
	def reads(self) -> tuple[str, ...]:
		"""Every column of the file that it takes."""
		other = (self.instead.column, *self.instead.when) if self.instead else ()
		return tuple(filter(None, [self.column, *self.parts, *other]))


class ColumnMap(_Part):
	"""A map of one form of file.

	Attributes:
		above, below: lines above the header and below the table; by default they are found.
		notes: how lines between the rows begin that are no rows.
		two_lines: the file's column whose values may have two lines; by default that of `address`.
		columns: by LoanTap's name, and `loan_id` where the file identifies its loans.
	"""

	above: Annotated[int, Field(ge=0, lt=40)] | None = None
	below: Annotated[int, Field(ge=0, le=100)] = 0
	notes: tuple[_Text, ...] = ()
	two_lines: str = ""
	columns: dict[str, Annotated[Source, _NAME_ALONE]]

	@property
	def names(self) -> tuple[str, ...]:
		"""Every column of the file that the map names, each once."""
		every = [name for source in self.columns.values() for name in source.reads]
		return tuple(dict.fromkeys(filter(None, [*every, self.two_lines])))


class _UniqueKeys(SafeLoader):
	"""A loader that refuses a key which is there twice, where YAML would take the last."""

	def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
		for key, count in Counter(str(key.value) for key, _ in node.value).items():
			if count > 1:
				raise _TwiceError(key)
		return super().construct_mapping(node, deep)


class _TwiceError(ValueError):
	pass


def list_shipped_maps() -> tuple[str, ...]:
	"""Names of the maps that come with the package."""
	return tuple(sorted(Path(each.name).stem for each in _SHIPPED.iterdir() if each.name.endswith(".yml")))


def read_column_map(named: str) -> ColumnMap:
	"""The map that a file holds, or the shipped one of this name.

	Raises:
		InputError: there is none, or it contradicts itself or the data dictionary.
	"""
	where = f"column map {named}"
	shipped = list_shipped_maps()
	path = _SHIPPED / f"{named}.yml" if named in shipped else Path(named).expanduser()
	try:
		given = load(path.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506 (a SafeLoader)
	except OSError as error:
		remedy = f"Name a YAML file, or a shipped map: {', '.join(shipped)}"
		raise InputError(where, f"it cannot be read ({error.strerror})", remedy) from error
	except _TwiceError as error:
		raise InputError(where, f"{error} stands there twice", "Keep one of its lines") from error
	except (UnicodeDecodeError, YAMLError) as error:
		raise InputError(where, f"it is not YAML ({str(error).splitlines()[0]})", _HELP) from error
	_require_known_columns(given, where)
	try:
		made = ColumnMap.model_validate(given)
	except ValidationError as error:
		first = error.errors(include_url=False)[0]
		value = "" if isinstance(first["input"], dict) else f"{first['input']!r} cannot be used: "
		place = ".".join(str(part) for part in first["loc"])
		raise InputError(f"{where}, {place}", f"{value}{first['msg'].removeprefix('Value error, ')}", _HELP) from error
	for problem, remedy in _list_problems(made):
		raise InputError(where, problem, remedy)
	return made


def _require_known_columns(given: object, where: str) -> None:
	columns = given.get("columns") if isinstance(given, dict) else None
	if not isinstance(columns, dict):
		raise InputError(where, "it maps no columns", _HELP)
	for name in columns:
		if name not in COLUMNS_OF:
			remedy = f"{guess(str(name), COLUMNS_OF)}Known are {', '.join(COLUMNS_OF)}"
			raise InputError(f"{where}, {name}", "LoanTap has no such column", remedy)


def _list_problems(made: ColumnMap) -> Iterator[tuple[str, str]]:
	lacking = [n for n, column in COLUMNS_OF.items() if n not in made.columns and is_needed(column)]
	if lacking:
		yield (
			f"it has no {', '.join(lacking)}, without which no loan can be judged",
			f"Map {'it' if len(lacking) == 1 else 'them'}; where every loan has the same value, as {{value: ...}}",
		)
	taken = Counter(source.column for source in made.columns.values() if source.column)
	for name in (name for name, times in taken.items() if times > 1):
		users = [ours for ours, source in made.columns.items() if source.column == name]
		yield (
			f"column {name} of the file is named twice, for {' and '.join(users)}",
			f"Correct one; where both are meant, write {{text: '{{{name}}}'}} for the other",
		)
	meanings = Statuses().meanings()
	for ours, source in made.columns.items():
		column = COLUMNS_OF[ours]
		if source.unit and column.kind not in NUMERIC:
			yield f"{ours} has a unit, and is no number", "Leave unit out"
		for unit in source.unit:
			if not column.unit.startswith(FITS.get(unit, "")):
				yield f"{ours} is in {column.unit}, and {unit} is for what is in {FITS[unit]}", "Leave it out of unit"
		if source.date and column.kind is not Kind.MONTH:
			yield f"{ours} has a date form, and is no date", "Leave date out"
		known: Sequence[str] = [fold(word) for word in column.categories]
		for theirs, word in source.words.items():
			if known and fold(word) not in known and not (ours == "loan_status" and fold(word) in meanings):
				yield f"{ours} '{theirs}': LoanTap has no '{word}'", f"Map it to one of {', '.join(column.categories)}"


def is_needed(column: Column) -> bool:
	"""Whether no loan can be judged without the column."""
	return not column.nullable and column is not LOAN_ID
