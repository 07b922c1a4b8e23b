"""The decision policy: bands of PD, versioned."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loantap.model.scoring.trained import ModelFacts
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.errors import InputError


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
                f"the model has no PD for the quantile {missing[0]:g} of its training loans",
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
            f"{starts[number] * 100:.0f} to {ends[number]:.0%} of training loans, lowest PD first",
        )
        for number, band in enumerate(policy.bands)
    ]


@dataclass(frozen=True, slots=True)
class Decider:
    """A policy at the PDs of one model.

    Attributes:
        edges: PD at which each band but the first begins.
        decisions: of the bands, then `invalid`.
    """

    edges: tuple[float, ...]
    decisions: tuple[str, ...]

    def decide_column(self, probability_of_default: FloatArray) -> Texts:
        """Decision per PD; `invalid` where the PD is missing."""
        bands = np.digitize(probability_of_default, self.edges)
        invalid = len(self.decisions) - 1
        codes = np.where(np.isnan(probability_of_default), invalid, bands)
        return Texts(codes, self.decisions)

    def approves_column(self, probability_of_default: FloatArray) -> BoolArray:
        """Whether each PD is approved."""
        decided = self.decide_column(probability_of_default)
        approves = np.array([decision == Decision.APPROVE for decision in self.decisions])
        return approves[decided.codes]

    def decide_one(self, probability_of_default: float | None) -> str:
        """Decision on one PD; `invalid` where there is none."""
        if probability_of_default is None:
            return self.decisions[-1]
        return self.decisions[bisect_right(self.edges, probability_of_default)]


def decider_of_bands(bands: Sequence[BandEdges]) -> Decider:
    """The bands of one model as a decider."""
    edges = tuple(band.lowest_pd for band in bands[1:])
    return Decider(edges, (*(band.decision for band in bands), Decision.INVALID.value))


def make_decider(policy: Policy, facts: ModelFacts) -> Decider:
    """The policy at the PDs of one model; raises InputError like `Policy.pd_edges`."""
    decisions = [band.decision.value for band in policy.bands]
    return Decider(policy.pd_edges(facts)[1:], (*decisions, Decision.INVALID.value))
