"""Many applications decided together: the same answers, sooner.

JSON of one form is written once for many rows, and filled in.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from pydantic_core import to_json

from loantap.model.scoring.scorer import REASONS
from loantap.policy.decisions import Decision
from loantap.policy.score_table import APPLICATION_ID, name_given
from loantap.policy.underwriting import TERMS
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.column_reading import read_column
from loantap.portfolio.dictionary import COLUMNS
from loantap.serving.audit.records import Entry, Kind, Written
from loantap.serving.desk.applications import Applications
from loantap.serving.desk.standing import Standing, describe_decision

Blank = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pattern:
	"""JSON with blanks: text for the operator %, and names in order."""

	text: str
	names: tuple[str, ...]

	def fill(self, columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
		"""The text of each row, from columns of JSON per blank."""
		return map(self.text.__mod__, zip(*(columns[name] for name in self.names), strict=True))


def make_pattern(make: Callable[[Blank], object]) -> Pattern:
	"""What `make` returns, as `to_json` writes it, with blanks where it calls its argument."""
	# Nobody can guess it and send it as text.
	mark = os.urandom(12).hex()
	text = to_json(make(lambda name: f"{mark}:{name}")).decode()
	parts = re.split(f'"{mark}:(.*?)"', text)
	return Pattern("%s".join(part.replace("%", "%%") for part in parts[::2]), tuple(parts[1::2]))


def fill_by(patterns: Mapping[str, Pattern], choice: Iterable[str], columns: Mapping[str, Sequence[str]]) -> list[str]:
	"""Each row's text by the pattern that it chooses; all have the same blanks."""
	names = next(iter(patterns.values())).names
	if any(pattern.names != names for pattern in patterns.values()):
		raise ValueError("the patterns have different blanks")
	texts = {name: pattern.text for name, pattern in patterns.items()}
	rows = zip(*(columns[name] for name in names), strict=True)
	return [texts[name] % row for name, row in zip(choice, rows, strict=True)]


def write_numbers(values: FloatArray) -> list[str]:
	"""JSON of each number, null for NaN; `ValueError` if one is infinite."""
	if np.isinf(values).any():
		raise ValueError("a number is infinite")
	text = to_json(values.tolist(), inf_nan_mode="null")
	return text[1:-1].decode().split(",") if len(values) else []


def write_texts(values: Sequence[str | None]) -> list[str]:
	"""JSON of each text; null for None."""
	if any(value is None for value in values):
		return [to_json(value).decode() for value in values]
	# Together unless a text has the separator.
	together = to_json(values).decode()[2:-2].split('","')
	if len(together) != len(values):
		return [to_json(value).decode() for value in values]
	return [f'"{text}"' for text in together]


_MADE: Final = (Decision.APPROVE.value, Decision.REFER.value, Decision.DECLINE.value)


@dataclass(frozen=True, slots=True)
class Decided:
	"""Decided applications of a batch, a column at a time; `rows` are places in it, from 0.

	`scores` are of `Underwriter.underwrite_batch`, `written` JSON by the names of a record.
	"""

	rows: list[int]
	decisions: list[str]
	application_ids: list[str | None]
	scores: pd.DataFrame
	written: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Batch:
	"""A decided batch, and what is kept of it; its personal part says why applications cannot be scored."""

	entry: Entry
	kept: Written
	decided: Decided


def decide_batch(
	standing: Standing, applications: Applications, refused: Mapping[int, Sequence[str]], as_of: pd.Timestamp
) -> Batch:
	"""Score and decide applications; `refused` says what is wrong with some, by place from 0."""
	places = [place for place in range(len(applications)) if place not in refused]
	invalid = {place: list(reasons) for place, reasons in refused.items()}
	scores, terms = _score(standing, applications, places, as_of)
	is_invalid = (scores["decision"] == Decision.INVALID).to_numpy()
	for place in np.flatnonzero(is_invalid).tolist():
		invalid[places[place]] = [str(scores["reason_1"].iloc[place])]
	if is_invalid.any():
		is_good = ~is_invalid
		scores, terms = scores[is_good], {name: values[is_good] for name, values in terms.items()}
		places = [place for place, good in zip(places, is_good.tolist(), strict=True) if good]
	decided = _list_decided(standing, applications, places, scores, terms)
	counts = {made: decided.decisions.count(made) for made in _MADE} | {Decision.INVALID.value: len(invalid)}
	public = {**standing.made_by, "n": len(applications), "counts": counts}
	wrong = {str(place): invalid[place] for place in sorted(invalid)}
	entry = Entry(Kind.BATCH, public, {"invalid": wrong} if wrong else None)
	amounts = np.nan_to_num(terms["loan_amount"]).tolist()
	kept = _write(standing, applications, decided, amounts, as_of)
	return Batch(entry, kept, decided)


def _score(
	standing: Standing, applications: Applications, places: list[int], as_of: pd.Timestamp
) -> tuple[pd.DataFrame, dict[str, FloatArray]]:
	underwriter = standing.underwriter
	names = [str(column.source_name) for column in underwriter.needed]
	frame = pd.DataFrame(
		{name: applications.make_series(name, places) for name in names}, index=pd.RangeIndex(len(places))
	)
	unknown = np.full(len(places), np.nan)
	terms = dict.fromkeys(TERMS, unknown)
	for name in TERMS:
		column = COLUMNS[name]
		if column.source_name in frame:
			read = read_column(frame[column.source_name], column, as_of).values
			terms[name] = np.asarray(read, dtype="float64")
	return underwriter.underwrite_batch(frame, 0, as_of), terms


def _list_decided(
	standing: Standing,
	applications: Applications,
	places: list[int],
	scores: pd.DataFrame,
	terms: Mapping[str, FloatArray],
) -> Decided:
	identifiers = list(map(name_given, applications.take(APPLICATION_ID, places)))
	unlike = set(standing.underwriter.scorer.support.sentences[1:])
	first = scores["reason_1"].array
	is_unlike = np.isin(first.codes, np.flatnonzero(first.categories.isin(unlike)))
	amount, rate, months = (write_numbers(terms[name]) for name in TERMS)
	written = {
		"row": list(map(str, places)),
		APPLICATION_ID: write_texts(identifiers),
		"probability_of_default": write_numbers(scores["probability_of_default"].to_numpy()),
		"score": list(map(str, scores["score"].tolist())),
		"expected_npv": write_numbers(scores["expected_npv"].to_numpy()),
		"amount": amount,
		"interest_rate_pct": rate,
		"term_months": months,
		"unlike": np.array(["false", "true"], dtype=object)[is_unlike.astype(int)].tolist(),
		"reasons": _write_reasons(scores),
	}
	return Decided(places, scores["decision"].astype(object).tolist(), identifiers, scores, written)


def _write(
	standing: Standing, applications: Applications, decided: Decided, amounts: list[float], as_of: pd.Timestamp
) -> Written:
	def describe(blank: Blank, decision: str) -> object:
		return {**describe_decision(standing.made_by, as_of, decision, blank), "row": blank("row")}

	publics = {made: make_pattern(partial(describe, decision=made)) for made in _MADE}
	personal = make_pattern(lambda blank: {n: blank(n) for n in ("application", APPLICATION_ID, "reasons")})
	texts = applications.texts
	columns = decided.written | {"application": [texts[row] for row in decided.rows]}
	model, policy = standing.made_by["model"], standing.made_by["policy"]
	return Written(
		fill_by(publics, decided.decisions, columns),
		list(personal.fill(columns)),
		decided.application_ids,
		decided.decisions,
		amounts,
		model["version"],  # type: ignore[index]
		policy["digest"],  # type: ignore[index]
	)


def _write_reasons(scores: pd.DataFrame) -> list[str]:
	"""Each distinct sentence is written once."""
	columns = []
	for name in REASONS:
		given = scores[name].array
		texts = given.categories.tolist()
		written = ["" if text == "" else f",{to_json(text).decode()}" for text in texts]
		columns.append(np.array(written, dtype=object)[given.codes].tolist())
	return [f"[{''.join(row)[1:]}]" for row in zip(*columns, strict=True)]
