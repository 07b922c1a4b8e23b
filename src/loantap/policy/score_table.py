"""The scores of a file as a table: one row per application, by its identifier as given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.model.promotion.release import origin_of_model
from loantap.model.scoring.assessed import Assessed
from loantap.model.scoring.reasons import GivenReasons
from loantap.model.scoring.scorer import REASONS
from loantap.policy.decisions import DECISIONS, Decided
from loantap.portfolio.arrays import IntArray
from loantap.portfolio.identity import read_ids
from loantap.portfolio.values import is_missing

APPLICATION_ID = "application_id"


def name_applications(rows: pd.DataFrame, first_row: int) -> pd.Series:
	"""Identifiers of rows of a file from `first_row` on, as text; the row number without a column."""
	if APPLICATION_ID in rows:
		return read_ids(rows[APPLICATION_ID])
	return pd.Series(np.arange(first_row, first_row + len(rows))).astype("str")


def name_one(application: Mapping[str, object]) -> str | None:
	"""The same of one application: "0" where applications have none, None where this one has none."""
	if APPLICATION_ID not in application:
		return "0"
	return name_given(application[APPLICATION_ID])


def name_given(given: object) -> str | None:
	"""An identifier as text; None where it is missing."""
	if isinstance(given, str):
		return given.strip() or None
	text = "" if is_missing(given) else str(given).strip()
	return (text.removesuffix(".0") if isinstance(given, float) else text) or None


SCORE_COLUMNS = (
	APPLICATION_ID,
	"probability_of_default",
	"score",
	"decision",
	*REASONS,
	"model_name",
	"model_version",
	"expected_npv",
	"policy_version",
	"policy_digest",
)


@dataclass(frozen=True, slots=True)
class MadeBy:
	"""What decided, the same in every row; `policy_version` names the rules that are switched on, too."""

	model_name: str
	model_version: str
	policy_version: str
	policy_digest: str


def tabulate_scores(
	identifiers: pd.Series, assessed: Assessed, decided: Decided, reasons: GivenReasons, made_by: MadeBy
) -> pd.DataFrame:
	"""One row per application, with `SCORE_COLUMNS`, in the order of the arguments."""
	rows = len(identifiers)
	return pd.DataFrame(
		{
			APPLICATION_ID: identifiers,
			"probability_of_default": assessed.probability_of_default,
			"score": pd.Series(assessed.score).astype("Int64"),
			"decision": categorise(decided.decisions.codes, DECISIONS),
			**_list_reasons(reasons),
			"model_name": _repeat(made_by.model_name, rows),
			"model_version": _repeat(made_by.model_version, rows),
			"expected_npv": decided.expected_npv,
			"policy_version": _repeat(made_by.policy_version, rows),
			"policy_digest": _repeat(made_by.policy_digest, rows),
		}
	)


def date_decisions(scores: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
	"""Scores as decisions are kept, with origin and day; rows without an id are left out."""
	ids = scores[APPLICATION_ID].astype("str")
	named = scores.assign(**{APPLICATION_ID: ids})[ids.notna()]
	return named.assign(
		origin=named["model_name"].astype("str").map(origin_of_model).astype("str"),
		decided_on=pd.Series(day, named.index, dtype="datetime64[s]"),
	)


def put_first(given: GivenReasons, causes: IntArray, sentences: Sequence[str]) -> GivenReasons:
	"""The reasons with what decided before them, if anything did; the last is left out.

	`causes`: place in `sentences`, 0 for nothing.
	"""
	rows = np.flatnonzero(causes)
	codes = given.codes.copy()
	codes[1:, rows] = codes[:-1, rows]
	codes[0, rows] = causes[rows] + (len(given.sentences) - 1)
	return GivenReasons(codes, (*given.sentences, *sentences[1:]))


def _list_reasons(given: GivenReasons) -> dict[str, pd.Categorical]:
	sentences = np.array(given.sentences, dtype=object)
	reasons = {}
	for name, codes in zip(REASONS, given.codes, strict=True):
		is_used = np.zeros(len(sentences), dtype="bool")
		is_used[codes] = True
		places = np.cumsum(is_used, dtype="int32") - 1
		reasons[name] = categorise(places[codes], sentences[is_used].tolist())
	return reasons


def categorise(codes: IntArray, texts: Sequence[str]) -> pd.Categorical:
	"""Texts that repeat, by their places in a list."""
	return pd.Categorical.from_codes(codes, pd.Index(list(texts), dtype="str"), validate=False)


def _repeat(text: str, rows: int) -> pd.Categorical:
	return categorise(np.zeros(rows, dtype="int8"), [text])
