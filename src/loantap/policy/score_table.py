"""The scores of a file as a table: one row per application."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.model.promotion.release import origin_of_model
from loantap.model.scoring.assessed import Assessed
from loantap.model.scoring.reasons import GivenReasons
from loantap.model.scoring.scorer import REASONS
from loantap.policy.application_ids import APPLICATION_ID
from loantap.policy.decisions import DECISIONS, Decided
from loantap.portfolio.arrays import IntArray

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

  `causes`: place in `sentences` of what decided, per application; 0 for nothing.
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
