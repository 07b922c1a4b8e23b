"""Rules that reach a policy's targets on loans of the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loantap.policy.credit_policy import Targets
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.errors import InputError


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rules that reach the targets.

    Attributes:
        min_margin: 0, or less where the approval floor asks for it.
        review_margin: such that people look at as many applications as they can.
    """

    min_margin: float
    review_margin: float


def size_rules(margins: FloatArray, targets: Targets) -> Sizes:
    """Find the rules that reach the approval floor and fill the review capacity.

    Args:
        margins: expected NPV per unit of principal of loans that the model did not see.
        targets: what is to be reached.

    Raises:
        InputError: there are no loans, or the floor leaves less to decline than people look at.
    """
    known = margins[~np.isnan(margins)]
    if not len(known):
        raise InputError("policy", "there are no loans to size its rules on", "Run modeling first")
    if targets.min_approval_rate + targets.review_capacity > 1:
        raise InputError(
            "policy.targets",
            f"min_approval_rate {targets.min_approval_rate:g} and review_capacity "
            f"{targets.review_capacity:g} are more than all applications",
            "Lower one of them",
        )
    floor = float(np.quantile(known, 1 - targets.min_approval_rate))
    min_margin = min(0.0, floor)
    distance = np.abs(known - min_margin)
    return Sizes(min_margin, float(np.quantile(distance, targets.review_capacity)))
