"""The one function that underwrites: score, decide, say why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from loantap.model.names import origin_of_model
from loantap.model.scoring.assessed import Assessed
from loantap.model.scoring.reasons import GivenReasons
from loantap.model.scoring.scorer import REASONS, Scorer
from loantap.model.scoring.tally import ApplicationTally
from loantap.policy.application_ids import APPLICATION_ID, name_applications, name_one
from loantap.policy.decisions import CAUSES, DECISIONS, Decided, Decider
from loantap.portfolio.arrays import IntArray

# Of a loan, what the policy values it by.
TERMS = ("loan_amount", "interest_rate_pct", "term_months")
SCORE_COLUMNS = (
    APPLICATION_ID, "probability_of_default", "score", "decision", *REASONS, "model_name",
    "model_version", "expected_npv", "policy_version", "policy_digest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Underwritten:
    """One application, decided; the fields of the scores of a batch.

    Attributes:
        application_id: as given; "0" where applications have none, None where this one has none.
        probability_of_default: None where the application is invalid.
        score: 300 to 900 points, more is better; None where it is invalid.
        decision: `approve`, `refer`, `decline` or `invalid`.
        reasons: four texts. The first is what is wrong with an invalid application, or what
            decided where the policy refers or declines; the features that raise the risk follow.
        model_name: registered name of the model.
        model_version: registered version.
        expected_npv: in currency, at the loan's own rate and term; None where it is invalid.
        policy_version: id and version of the credit policy.
        policy_digest: first digits of the digest under which it was approved.
    """

    application_id: str | None
    probability_of_default: float | None
    score: int | None
    decision: str
    reasons: tuple[str, ...]
    model_name: str
    model_version: str
    expected_npv: float | None
    policy_version: str
    policy_digest: str


@dataclass(frozen=True, slots=True)
class Underwriter:
    """Underwrites with one model under one policy.

    Attributes:
        scorer: the model. Where it does not take the interest rate, every loan is referred: there
            is nothing to value it by.
        decider: the policy in force.
    """

    scorer: Scorer
    decider: Decider
    _causes: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        causes = (*CAUSES, *self.scorer.support.sentences[1:])
        object.__setattr__(self, "_causes", causes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Source names of the columns that are read: those of the model, and the identifier."""
        return (APPLICATION_ID, *(str(column.source_name) for column in self.scorer.columns))

    def underwrite(self, applications: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
        """Score and decide applications in LoanTap format.

        Returns one row per application, in the same order: `application_id` (the row number from
        0 where none is given), `probability_of_default`, `score`, `decision`,
        `reason_1`..`reason_4`, `model_name`, `model_version`, `expected_npv`, `policy_version`,
        `policy_digest`.

        An id that is missing in a column of ids stays missing.

        Raises:
            InputError: a column the model needs is missing.
        """
        batch = self.underwrite_batch(applications, 0, as_of)
        texts = batch.columns[batch.dtypes == "category"]
        return batch.astype(dict.fromkeys(texts, "str"))

    def underwrite_batch(
        self,
        applications: pd.DataFrame,
        first_row: int,
        as_of: pd.Timestamp,
        tally: ApplicationTally | None = None,
    ) -> pd.DataFrame:
        """The same for rows of a file from `first_row` on, texts that repeat as categories.

        What is odd about them, without being wrong, is counted in the tally.

        A file holds a few thousand different reasons: told apart once, they are written many
        times faster than text by text.
        """
        rows = applications.reset_index(drop=True)
        assessed = self.scorer.assess(rows, as_of, tally)
        decided = self._decide(assessed)
        reasons = put_first(assessed.reasons, decided.causes, self._causes)
        policy = self.decider.policy
        return pd.DataFrame(
            {
                APPLICATION_ID: name_applications(rows, first_row),
                "probability_of_default": assessed.probability_of_default,
                "score": pd.Series(assessed.score).astype("Int64"),
                "decision": _categorise(decided.decisions.codes, pd.Index(DECISIONS, dtype="str")),
                **_list_reasons(reasons),
                "model_name": _repeat(self.scorer.name, len(rows)),
                "model_version": _repeat(self.scorer.version, len(rows)),
                "expected_npv": decided.expected_npv,
                "policy_version": _repeat(policy.name, len(rows)),
                "policy_digest": _repeat(policy.short_digest, len(rows)),
            }
        )

    def underwrite_one(
        self, application: Mapping[str, object], as_of: pd.Timestamp
    ) -> Underwritten:
        """Score and decide one application; the same answer as in a frame, sooner.

        Raises:
            InputError: a column the model needs is missing.
        """
        scored = self.scorer.score_one(application, as_of)
        amount, rate, months = (scored.columns.get(name, math.nan) for name in TERMS)
        decision, cause, npv = self.decider.decide_one(
            scored.probability_of_default,
            amount,  # type: ignore[arg-type]
            rate,  # type: ignore[arg-type]
            months,  # type: ignore[arg-type]
            scored.unlike,
        )
        reasons = (self._causes[cause], *scored.reasons[:-1]) if cause else scored.reasons
        return Underwritten(
            name_one(application),
            scored.probability_of_default,
            scored.score,
            decision,
            reasons,
            self.scorer.name,
            self.scorer.version,
            npv,
            self.decider.policy.name,
            self.decider.policy.short_digest,
        )

    def _decide(self, assessed: Assessed) -> Decided:
        unknown = np.full(len(assessed.unlike), np.nan)
        amount, rate, months = (assessed.columns.get(name, unknown) for name in TERMS)
        return self.decider.decide_columns(
            assessed.probability_of_default,
            amount,  # type: ignore[arg-type]
            rate,  # type: ignore[arg-type]
            months,  # type: ignore[arg-type]
            assessed.unlike,
        )


def date_decisions(scores: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Scores as decisions are kept; rows without an id are left out.

    Two columns more: `origin` of the loans that the model learnt from, real or simulated, and
    `decided_on`, the day.
    """
    ids = scores[APPLICATION_ID].astype("str")
    named = scores.assign(**{APPLICATION_ID: ids})[ids.notna()]
    return named.assign(
        origin=named["model_name"].astype("str").map(origin_of_model).astype("str"),
        decided_on=pd.Series(day, named.index, dtype="datetime64[s]"),
    )


def put_first(given: GivenReasons, causes: IntArray, sentences: Sequence[str]) -> GivenReasons:
    """The reasons with what decided before them, where there is something; the last is left out.

    Args:
        given: the reasons.
        causes: place in `sentences` of what decided, per application; 0 for nothing.
        sentences: what may decide.
    """
    rows = np.flatnonzero(causes)
    codes = given.codes.copy()
    codes[1:, rows] = codes[:-1, rows]
    codes[0, rows] = causes[rows] + (len(given.sentences) - 1)
    return GivenReasons(codes, (*given.sentences, *sentences[1:]))


def _list_reasons(given: GivenReasons) -> dict[str, pd.Categorical]:
    """The reasons, each with only the sentences it uses."""
    sentences = pd.Index(given.sentences, dtype="str")
    reasons = {}
    for name, codes in zip(REASONS, given.codes, strict=True):
        is_used = np.zeros(len(sentences), dtype="bool")
        is_used[codes] = True
        places = np.cumsum(is_used, dtype="int32") - 1
        reasons[name] = _categorise(places[codes], sentences[is_used])
    return reasons


def _categorise(codes: IntArray, texts: pd.Index) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, texts, validate=False)


def _repeat(text: str, rows: int) -> pd.Categorical:
    return _categorise(np.zeros(rows, dtype="int8"), pd.Index([text], dtype="str"))
