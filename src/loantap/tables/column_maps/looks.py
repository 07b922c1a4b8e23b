"""What the values of a column look like: their unit, date form and words, and what does not fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import pyarrow as pa

from loantap.portfolio.dictionary import LOAN_ID, Column, Kind
from loantap.portfolio.statuses import Statuses
from loantap.portfolio.values import fold, make_reader
from loantap.tables.column_maps.column_map import NUMERIC
from loantap.tables.column_maps.units import Unit, convert_units, list_forms

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
_LIKE: Final = 0.6
# After every month that a file may have, as days since 1970.
_LATEST: Final = 1e6
# What a look says, and doubts.
_Judged = tuple[dict[str, Any], list[str]]


@dataclass(frozen=True, slots=True)
class Look:
  """What a map would say of a column.

  Attributes:
      says: its entry, beside the name.
      examples: none of personal data.
      doubts: what a person should look at.
  """

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
    if close := get_close_matches(fold(word), known, n=1, cutoff=_LIKE):
      words[word] = known[close[0]]
    else:
      unknown.append(word)
  guessed = [f"'{theirs}' is taken for '{ours}'" for theirs, ours in words.items()]
  if unknown:
    shown = ", ".join(f"'{word}'" for word in unknown[:_SHOWN]) + (" ..." if len(unknown) > _SHOWN else "")
    is_closed = column.categories or column.name == "loan_status"
    guessed.append(f"map under words: {shown}" if is_closed else f"kept as they are: {shown}")
  return {"words": words} if words else {}, guessed
