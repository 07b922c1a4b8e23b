"""Many applications decided together: the same answers as one by one, sooner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.policy.application_ids import APPLICATION_ID
from loantap.policy.decisions import Decision
from loantap.policy.underwriting import TERMS
from loantap.portfolio.column_reading import read_column
from loantap.portfolio.dictionary import COLUMNS
from loantap.serving.audit.records import Entry, Kind
from loantap.serving.desk.standing import Standing, name_application

_REASONS: Final = ("reason_1", "reason_2", "reason_3", "reason_4")
_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})


@dataclass(frozen=True, slots=True)
class Batch:
    """Applications that were decided together.

    Attributes:
        entries: what is to be kept: of the batch, then of each decision.
        rows: place in the batch of each decision, from 0.
    """

    entries: list[Entry]
    rows: list[int]


def decide_batch(
    standing: Standing,
    applications: Sequence[Mapping[str, Any]],
    refused: Mapping[int, Sequence[str]],
    as_of: pd.Timestamp,
) -> Batch:
    """Score and decide applications.

    Args:
        standing: what decides.
        applications: by source column name.
        refused: what is wrong with applications whose names or types are, by place from 0.
        as_of: the day.

    Returns:
        Entries; the first one is of the batch, and its personal part says what is wrong with the
        applications that cannot be scored.
    """
    places = [place for place in range(len(applications)) if place not in refused]
    invalid = {place: list(reasons) for place, reasons in refused.items()}
    counts = dict.fromkeys((decision.value for decision in Decision), 0)
    entries: list[Entry] = []
    rows: list[int] = []
    if places:
        given = [applications[place] for place in places]
        for place, application, decided in zip(
            places, given, _decide(standing, given, as_of), strict=True
        ):
            if decided["decision"] == Decision.INVALID:
                invalid[place] = decided["reasons"]
                continue
            counts[decided["decision"]] += 1
            reasons = decided.pop("reasons")
            personal = {
                "application": application,
                APPLICATION_ID: name_application(application),
                "reasons": reasons,
            }
            public = {**standing.made_by, "as_of": str(as_of.date()), **decided, "row": place}
            entries.append(Entry(Kind.DECISION, public, personal))
            rows.append(place)
    counts[Decision.INVALID] = len(invalid)
    public = {**standing.made_by, "n": len(applications), "counts": counts}
    wrong = {str(place): invalid[place] for place in sorted(invalid)}
    return Batch([Entry(Kind.BATCH, public, {"invalid": wrong} if wrong else None), *entries], rows)


def _decide(
    standing: Standing, applications: Sequence[Mapping[str, Any]], as_of: pd.Timestamp
) -> Iterator[dict[str, Any]]:
    """Of each application what its record says, with the reasons; of an invalid one those alone."""
    underwriter = standing.underwriter
    frame = pd.DataFrame(
        {
            str(column.source_name): make_column([a[str(column.source_name)] for a in applications])
            for column in underwriter.needed
        }
    )
    scores = underwriter.underwrite_batch(frame, 0, as_of)
    terms = [_read_terms(frame, name, as_of) for name in TERMS]
    unlike = set(underwriter.scorer.support.sentences[1:])
    columns = [scores[name].astype(object).tolist() for name in ("decision", *_REASONS)]
    pds = scores["probability_of_default"].tolist()
    points = scores["score"].astype("float64").tolist()
    npvs = scores["expected_npv"].tolist()
    for decision, *reasons, pd_, score, npv, amount, rate, months in zip(
        *columns, pds, points, npvs, *terms, strict=True
    ):
        said = [reason for reason in reasons if reason]
        if decision == Decision.INVALID:
            yield {"decision": decision, "reasons": said}
            continue
        yield {
            "decision": decision,
            "probability_of_default": pd_,
            "score": int(score),
            "expected_npv": _known(npv),
            "amount": _known(amount),
            "interest_rate_pct": _known(rate),
            "term_months": _known(months),
            "unlike": bool(said) and said[0] in unlike,
            "reasons": said,
        }


def make_column(values: list[Any]) -> pd.Series:
    """A column of a file: of numbers, of texts, or of both.

    Read in bulk where it can be; numbers and texts mixed are read one by one, by the same rules.
    """
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return pd.Series(np.array(values, dtype="float64"))
    if kinds <= _TEXTS:
        return pd.Series(values, dtype="str")
    return pd.Series(values, dtype=object)


def _read_terms(frame: pd.DataFrame, name: str, as_of: pd.Timestamp) -> list[float]:
    column = COLUMNS[name]
    if column.source_name not in frame:
        return [np.nan] * len(frame)
    read = read_column(frame[column.source_name], column, as_of).values
    return np.asarray(read, dtype="float64").tolist()  # type: ignore[no-any-return]


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (NaN alone is unlike itself)
