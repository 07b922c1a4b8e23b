"""Many applications decided together: the same answers as one by one, sooner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.policy.application_ids import APPLICATION_ID, name_given
from loantap.policy.decisions import Decision
from loantap.policy.underwriting import TERMS
from loantap.portfolio.column_reading import read_column
from loantap.portfolio.dictionary import COLUMNS
from loantap.serving.audit.records import Entry, Kind, Written
from loantap.serving.desk.applications import Applications
from loantap.serving.desk.standing import Standing, describe_decision
from loantap.serving.json_pattern import (
    Blank,
    fill_by,
    make_pattern,
    write_each,
    write_numbers,
)

_REASONS: Final = ("reason_1", "reason_2", "reason_3", "reason_4")
_MADE: Final = (Decision.APPROVE.value, Decision.REFER.value, Decision.DECLINE.value)
_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})


@dataclass(frozen=True, slots=True)
class Decided:
    """Applications of a batch that were decided, a column at a time.

    Attributes:
        rows: place of each in the batch, from 0.
        decisions: approve, refer or decline.
        application_ids: as texts.
        probabilities: of default.
        scores: in points.
        expected_npvs: in currency.
        reasons: of each application its sentences, those that are empty at the end.
        written: JSON by the names of a record, but of the decisions.
    """

    rows: list[int]
    decisions: list[str]
    application_ids: list[str | None]
    probabilities: list[float]
    scores: list[int]
    expected_npvs: list[float | None]
    reasons: list[tuple[str, ...]]
    written: dict[str, list[str]]

    def count(self, decision: str) -> int:
        """How many were decided so."""
        return self.decisions.count(decision)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was decided.

    Attributes:
        entry: what is to be kept of it; the personal part says what is wrong with the applications
            that cannot be scored.
        kept: what is to be kept of its decisions.
        decided: its decisions.
    """

    entry: Entry
    kept: Written
    decided: Decided


def decide_batch(
    standing: Standing,
    applications: Applications,
    refused: Mapping[int, Sequence[str]],
    as_of: pd.Timestamp,
) -> Batch:
    """Score and decide applications.

    Args:
        standing: what decides.
        applications: all of them.
        refused: what is wrong with applications whose names or types are, by place from 0.
        as_of: the day.
    """
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
    counts = {made: decided.count(made) for made in _MADE} | {Decision.INVALID.value: len(invalid)}
    public = {**standing.made_by, "n": len(applications), "counts": counts}
    wrong = {str(place): invalid[place] for place in sorted(invalid)}
    entry = Entry(Kind.BATCH, public, {"invalid": wrong} if wrong else None)
    amounts = _list_known(terms["loan_amount"])
    return Batch(entry, _write(standing, applications, decided, amounts, as_of), decided)


def _score(
    standing: Standing, applications: Applications, places: list[int], as_of: pd.Timestamp
) -> tuple[pd.DataFrame, dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    """The scores of some applications, and the terms of their loans."""
    underwriter = standing.underwriter
    names = [str(column.source_name) for column in underwriter.needed]
    frame = pd.DataFrame(
        {name: make_column(applications.take(name, places)) for name in names},
        index=pd.RangeIndex(len(places)),
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
    terms: Mapping[str, Any],
) -> Decided:
    named = applications.take(APPLICATION_ID, places)
    identifiers = [name_given(given) for given in named]
    probabilities = scores["probability_of_default"].tolist()
    points = scores["score"].astype("int64").tolist()
    npvs = _list_known(scores["expected_npv"].to_numpy())
    unlike = set(standing.underwriter.scorer.support.sentences[1:])
    first = scores["reason_1"].cat
    is_unlike = np.isin(first.codes, np.flatnonzero(first.categories.isin(unlike)))
    written = {
        "row": list(map(str, places)),
        APPLICATION_ID: write_each(identifiers),
        "probability_of_default": write_numbers(probabilities),
        "score": list(map(str, points)),
        "expected_npv": write_numbers(npvs),
        "amount": write_numbers(_list_known(terms["loan_amount"])),
        "interest_rate_pct": write_numbers(_list_known(terms["interest_rate_pct"])),
        "term_months": write_numbers(_list_known(terms["term_months"])),
        "unlike": [("false", "true")[one] for one in is_unlike.tolist()],
        "reasons": _write_reasons(scores),
    }
    reasons = [scores[name].astype(object).tolist() for name in _REASONS]
    return Decided(
        places, scores["decision"].astype(object).tolist(), identifiers, probabilities, points,
        npvs, list(zip(*reasons, strict=True)), written,
    )  # fmt: skip


def _write(
    standing: Standing,
    applications: Applications,
    decided: Decided,
    amounts: list[float | None],
    as_of: pd.Timestamp,
) -> Written:
    def describe(blank: Blank, decision: str) -> object:
        return {**describe_decision(standing.made_by, as_of, decision, blank), "row": blank("row")}

    publics = {made: make_pattern(partial(describe, decision=made)) for made in _MADE}
    personal = make_pattern(
        lambda blank: {n: blank(n) for n in ("application", APPLICATION_ID, "reasons")}
    )
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
    """JSON of the list of each row; each distinct sentence is written once."""
    columns = []
    for name in _REASONS:
        texts = scores[name].cat.categories
        pairs = zip(texts, write_each(texts), strict=True)
        written = ["" if text == "" else f",{json}" for text, json in pairs]
        columns.append([written[code] for code in scores[name].cat.codes.tolist()])
    return [f"[{''.join(row)[1:]}]" for row in zip(*columns, strict=True)]


def make_column(values: Sequence[Any]) -> pd.Series:
    """A column of a file: of numbers, of texts, or of both.

    Read in bulk where it can be; numbers and texts mixed are read one by one, by the same rules.
    """
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return pd.Series(np.array(values, dtype="float64"))
    if kinds <= _TEXTS:
        codes, texts = pd.factorize(np.array(values, dtype=object))
        return pd.Series(pd.Categorical.from_codes(codes, pd.Index(texts, dtype="str")))
    return pd.Series(list(values), dtype=object)


def _list_known(values: Any) -> list[float | None]:
    """Numbers, None for NaN."""
    known = values.tolist()
    return [None if value != value else value for value in known]  # noqa: PLR0124
