"""What a scorer answers, and what is wrong with applications, odd about them, or unlike the loans of the training.

The PD of an unlike one is a guess, as it is where no loan of the grade had such a rate, or where the
instalment is not that of amount, rate and term: a person must look at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURES
from loantap.model.scoring.reasons import GivenReasons
from loantap.portfolio.amortisation import emi_of_one
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.column_reading import ReadColumn, Texts, list_problems
from loantap.portfolio.contradictions import CLOSE, TERMS, Contradiction, is_off
from loantap.portfolio.dictionary import COLUMNS, Column
from loantap.portfolio.units import UnitCounts
from loantap.portfolio.values import show_value


class Problem(NamedTuple):
	"""What is wrong with an application: where, the value as it is shown, and why."""

	column: Column
	value: str
	reason: str


def say_problem(column: Column, value: str, reason: str) -> str:
	"""One problem of one application."""
	return f"{column.source_name} '{value}': {reason}"


def describe_invalid(
	given: Mapping[str, pd.Series],
	read: Mapping[str, ReadColumn],
	contradictions: Sequence[Contradiction],
	faults: pd.Series,
) -> dict[int, str]:
	"""All that is wrong with each application that cannot be scored, by its place, from 0.

	`given` are the columns as they came, `read` the same typed; `faults`: see `list_faults`.
	"""
	problems: dict[int, list[str]] = {}
	for name, column in read.items():
		described = list_problems(given[name], COLUMNS[name], column)
		rows = np.flatnonzero(column.faults).tolist()
		for row, value, reason in zip(rows, described["value"], described["reason"], strict=True):
			problems.setdefault(row, []).append(say_problem(COLUMNS[name], value, reason))
	for found in contradictions:
		tied = COLUMNS[found.column]
		value = show_value(given[found.column].iloc[found.row])
		problems.setdefault(found.row, []).append(say_problem(tied, value, found.reason))
	# Of a row that could not be read nothing is known, so all else about it is noise.
	unread = faults.to_numpy()
	problems |= {int(row): [str(unread[row])] for row in np.flatnonzero(pd.notna(unread))}
	return {row: "; ".join(said) for row, said in problems.items()}


_SHOWN = 5


@dataclass(slots=True)
class ApplicationTally:
	"""Counts over the batches of a file, in their order.

	Attributes:
		units: where their numbers lie.
		exceptions: applications whose instalment is not that of amount, rate and term.
		first_exceptions: their first rows, from 1.
		unseen: by column, categories not seen in training.
	"""

	rows: int = 0
	units: UnitCounts = field(default_factory=UnitCounts)
	exceptions: int = 0
	first_exceptions: list[int] = field(default_factory=list)
	unseen: dict[str, Counter[str]] = field(default_factory=dict)

	def add(
		self, columns: Mapping[str, FloatArray | Texts], invalid: Sequence[int], seen: Mapping[str, frozenset[str]]
	) -> None:
		"""Count a batch: `invalid` are places that cannot be scored, `seen` known categories."""
		numbers = {n: v for n, v in columns.items() if not isinstance(v, Texts)}
		self.units.add(numbers)
		if numbers.keys() >= set(TERMS):
			is_exception = is_off(numbers)
			is_exception[list(invalid)] = False
			rows = np.flatnonzero(is_exception)
			self.exceptions += len(rows)
			room = _SHOWN - len(self.first_exceptions)
			self.first_exceptions += [self.rows + int(row) + 1 for row in rows[:room]]
		for name, known in seen.items():
			values = columns[name]
			if isinstance(values, Texts):
				self._count_unseen(name, values, known)
		self.rows += len(next(iter(numbers.values()), ()))

	def describe(self) -> list[str]:
		"""What is worth a warning, each in a sentence."""
		said = []
		if self.exceptions:
			rows = ", ".join(f"{row:,}" for row in self.first_exceptions)
			more = ", ..." if self.exceptions > len(self.first_exceptions) else ""
			said.append(
				f"{self.exceptions:,} of {self.rows:,} applications (rows {rows}{more}) have an "
				f"instalment that is not that of their amount, rate and term, by more than 1%; "
				f"they are scored as they are"
			)
		for name, counts in self.unseen.items():
			shown = ", ".join(f"'{text}' ({rows:,})" for text, rows in counts.most_common(_SHOWN))
			more = ", ..." if len(counts) > _SHOWN else ""
			said.append(
				f"{counts.total():,} of {self.rows:,} applications have a "
				f"{COLUMNS[name].source_name} that the model has never seen: {shown}{more}; they "
				f"are scored as a rare one"
			)
		return said

	def _count_unseen(self, name: str, texts: Texts, known: frozenset[str]) -> None:
		new = [place for place, text in enumerate(texts.values) if text not in known]
		if not new:
			return
		rows = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.values))
		counts = self.unseen.setdefault(name, Counter())
		for place in filter(rows.__getitem__, new):
			counts[texts.values[place]] += int(rows[place])


@dataclass(frozen=True, slots=True)
class Scored:
	"""One application, scored.

	Attributes:
		probability_of_default: None where the application is invalid.
		score: 300 to 900 points, more is better; None likewise.
		reasons: four texts, empty where fewer features raise the risk; of an invalid application the first is what is
			wrong.
		unlike: place in `Support.sentences`; 0 where it is like the loans of the training.
	"""

	probability_of_default: float | None
	score: int | None
	reasons: tuple[str, ...]
	unlike: int
	columns: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Assessed:
	"""Many applications, as in `Scored`; where one is invalid, PD and score are NaN and `unlike` means nothing."""

	probability_of_default: FloatArray
	score: FloatArray
	reasons: GivenReasons
	unlike: IntArray
	columns: Mapping[str, FloatArray | Texts]

	def mark_invalid(self, problems: Mapping[int, str]) -> Assessed:
		"""The same without PD and score at the places (from 0) of `problems`, the first reasons."""
		rows = list(problems)
		sentences = tuple(dict.fromkeys((*self.reasons.sentences, *problems.values())))
		places = {sentence: place for place, sentence in enumerate(sentences)}
		codes, probability, score = (self.reasons.codes.copy(), self.probability_of_default.copy(), self.score.copy())
		codes[:, rows] = 0
		codes[0, rows] = [places[problem] for problem in problems.values()]
		probability[rows], score[rows] = np.nan, np.nan
		reasons = GivenReasons(codes, sentences)
		return Assessed(probability, score, reasons, self.unlike, self.columns)


_INSTALMENT: Final = "the instalment does not follow from the amount, the rate and the term"
_RATE: Final = "no loan of this grade that the model was trained on had such an interest rate"
_NO_BOUNDS: Final = (-np.inf, np.inf)


@dataclass(frozen=True, slots=True)
class Support:
	"""Lowest and highest value in training: `ranges` of numeric features, `rates` of sub-grades in percent."""

	ranges: Mapping[str, tuple[float, float]]
	rates: Mapping[str, tuple[float, float]]

	@property
	def sentences(self) -> tuple[str, ...]:
		"""What is said of an application; the first, "", of one like the others."""
		unlike = (
			f"{FEATURES[name].phrase} is outside the range of the loans that the model was trained on" for name in self.ranges
		)
		return ("", _INSTALMENT, _RATE, *unlike)

	def check_columns(
		self, features: Mapping[str, FloatArray | Texts], columns: Mapping[str, FloatArray | Texts]
	) -> IntArray:
		"""Place in `sentences` of what is said; a missing value is unlike nothing."""
		found = np.zeros(len(next(_numbers(columns))), dtype="int8")
		# What is said first is written last.
		for place, (name, bounds) in reversed(list(enumerate(self.ranges.items(), start=3))):
			found[_are_outside(features[name], *bounds)] = place
		grades = columns.get("sub_grade")
		if self.rates and isinstance(grades, Texts):
			# Missing grades have the code -1, which takes the last entry.
			known = [self.rates.get(grade, _NO_BOUNDS) for grade in grades.values]
			low, high = np.array([*known, _NO_BOUNDS])[grades.codes].T
			found[_are_outside(columns["interest_rate_pct"], low, high)] = 2
		if columns.keys() >= set(TERMS):
			found[is_off({name: columns[name] for name in TERMS})] = 1  # type: ignore[misc]
		return found

	def check_one(self, features: Mapping[str, Any], columns: Mapping[str, Any]) -> int:
		"""The same of one application."""
		if columns.keys() >= set(TERMS):
			amount, rate, months, instalment = (columns[name] for name in TERMS)
			if abs(instalment / emi_of_one(amount, rate, months) - 1) > CLOSE:
				return 1
		low, high = self.rates.get(columns.get("sub_grade") or "", _NO_BOUNDS)
		if "interest_rate_pct" in columns and _is_outside(columns["interest_rate_pct"], low, high):
			return 2
		for place, (name, bounds) in enumerate(self.ranges.items(), start=3):
			if _is_outside(features[name], *bounds):
				return place
		return 0


def _numbers(columns: Mapping[str, FloatArray | Texts]) -> Any:
	return (values for values in columns.values() if not isinstance(values, Texts))


def _are_outside(values: Any, low: Any, high: Any) -> Any:
	return (values < low) | (values > high)


def _is_outside(value: float, low: float, high: float) -> bool:
	return value < low or value > high
