"""The decision policy: bands of PD, versioned, and the one function that underwrites."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loantap.model.scorer import REASONS, Scorer
from loantap.model.trained import ModelFacts
from loantap.portfolio.errors import InputError

APPLICATION_ID = "application_id"


class Decision(StrEnum):
    """What becomes of an application."""

    APPROVE = "approve"
    REFER = "refer"
    DECLINE = "decline"
    INVALID = "invalid"


class Band(BaseModel):
    """Decision from a share of the training PDs upwards.

    Attributes:
        from_quantile: share of training loans with a lower PD; 0 for the first band.
        decision: for PDs from there up to the next band.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_quantile: float = Field(ge=0, lt=1)
    decision: Decision


class Policy(BaseModel):
    """A version of the decision policy.

    Attributes:
        version: name under which decisions are recorded.
        bands: in rising order, the first from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    bands: tuple[Band, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> Policy:
        starts = [band.from_quantile for band in self.bands]
        if starts[0] != 0 or sorted(set(starts)) != starts:
            raise ValueError("bands must begin at 0 and rise")
        if any(band.decision is Decision.INVALID for band in self.bands):
            raise ValueError("'invalid' is for rows that cannot be scored, not a band")
        return self

    def pd_edges(self, facts: ModelFacts) -> tuple[float, ...]:
        """PD at which each band begins for one model.

        Raises:
            InputError: the model does not carry the quantile a band begins at.
        """
        known = {0.0: 0.0} | {float(share): pd_ for share, pd_ in facts.pd_quantiles.items()}
        missing = [b.from_quantile for b in self.bands if b.from_quantile not in known]
        if missing:
            raise InputError(
                f"policy {self.version}",
                f"the model has no PD at the share {missing[0]:g} of its training loans",
                f"Use one of {sorted(known)}, or add it to modeling.<namespace>.pd_quantiles and "
                f"train again",
            )
        return tuple(known[band.from_quantile] for band in self.bands)


@dataclass(frozen=True, slots=True)
class BandEdges:
    """A band in terms of one model's PDs: from `lowest_pd` to below `highest_pd`."""

    decision: str
    lowest_pd: float
    highest_pd: float
    meaning: str


def band_edges(predictions: pd.DataFrame, policy: Policy) -> list[BandEdges]:
    """The policy's bands at the PDs of one model in cross-validation, lowest first."""
    pds = predictions.loc[predictions["sample"] == "cv", "probability_of_default"]
    starts = [band.from_quantile for band in policy.bands]
    edges = [0.0, *pds.quantile(starts[1:]), 1.0]
    ends = [*starts[1:], 1.0]
    return [
        BandEdges(
            band.decision.value,
            float(edges[number]),
            float(edges[number + 1]),
            f"from {starts[number]:.0%} to {ends[number]:.0%} of training loans, by rising PD",
        )
        for number, band in enumerate(policy.bands)
    ]


def decide(probability_of_default: pd.Series, policy: Policy, facts: ModelFacts) -> pd.Series:
    """Decision per PD, as text; `invalid` where the PD is missing."""
    edges = np.array(policy.pd_edges(facts)[1:])
    decisions = np.array([band.decision.value for band in policy.bands])
    chosen = decisions[np.digitize(probability_of_default, edges)]
    decided = pd.Series(chosen, index=probability_of_default.index, dtype="str", name="decision")
    return decided.where(probability_of_default.notna(), Decision.INVALID.value)


def underwrite(
    applications: pd.DataFrame, scorer: Scorer, policy: Policy, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Score and decide applications in LoanTap format.

    Returns one row per application, in the same order: `application_id` (the row number from 0
    where none is given), `probability_of_default`, `decision`, `reason_1`..`reason_4`,
    `model_name`, `model_version`.

    A missing id in a column of ids becomes `row N`, which no given one can be taken for.

    Raises:
        InputError: a column the model needs is missing.
    """
    rows = applications.reset_index(drop=True)
    scored = scorer.score(rows, as_of)
    ids = pd.Series(rows.index, dtype="int64").astype("str")
    if APPLICATION_ID in rows:
        ids = _as_text(rows[APPLICATION_ID]).fillna("row " + ids)
    probability = scored["probability_of_default"]
    return pd.DataFrame(
        {
            APPLICATION_ID: ids,
            "probability_of_default": probability,
            "decision": decide(probability, policy, scorer.trained.facts),
            **{reason: scored[reason] for reason in REASONS},
            "model_name": scorer.name,
            "model_version": scorer.version,
        }
    ).astype({"model_name": "str", "model_version": "str"})


def _as_text(ids: pd.Series) -> pd.Series:
    """Identifiers as text; whole numbers without the decimals that a gap among them brings."""
    if pd.api.types.is_float_dtype(ids) and (ids.dropna() % 1 == 0).all():
        ids = ids.astype("Int64")
    return ids.astype("str").mask(ids.isna())
