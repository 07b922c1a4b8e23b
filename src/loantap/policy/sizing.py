"""Rules that reach a policy's targets on loans of the past."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from loantap.policy.credit_policy import Rules, Targets
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.errors import InputError

# Rules are sized in steps of a ten-thousandth, so that they hold as they are printed.
_STEPS = 10_000
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class SizingLoans:
    """Loans that the model did not see; arrays of one length.

    Attributes:
        margin: expected NPV per unit of principal; NaN where a term is missing.
        probability_of_default: of each loan.
        amount: principal, in currency.
    """

    margin: FloatArray
    probability_of_default: FloatArray
    amount: FloatArray

    def __len__(self) -> int:
        return len(self.margin)

    def sort_known(self) -> SizingLoans:
        """Those whose margin is known, by rising PD."""
        order = np.argsort(self.probability_of_default, kind="stable")
        order = order[~np.isnan(self.margin[order])]
        return SizingLoans(
            self.margin[order], self.probability_of_default[order], self.amount[order]
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rules that reach the targets, and what is to be expected of them.

    Attributes:
        min_margin: 0, or less where the approval floor asks for it.
        review_margin: such that people look at as many applications as they can, and at more only
            where larger loans than `max_loan_amount` alone are more.
        max_probability_of_default: the highest that keeps the default rate to be expected.
        referred: share of loans that people look at.
        passed: share approved or referred.
        default_rate: to be expected of what is approved, its mean PD; NaN where nothing is.
    """

    min_margin: float
    review_margin: float
    max_probability_of_default: float
    referred: float
    passed: float
    default_rate: float


def size_rules(loans: SizingLoans, rules: Rules, targets: Targets) -> Sizes:
    """Find rules that keep the default rate and the approval floor and fill the review capacity.

    The hurdle (`min_margin`) is the highest up to 0 under which enough is approved or referred.
    Under a lower one cheap loans of good borrowers come in, which is how the floor is reached where
    the cap on the default rate keeps risky ones out.

    Args:
        loans: those that the model did not see.
        rules: those in force. Larger loans than `max_loan_amount` take up a part of the review
            capacity, and what is found never exceeds `max_probability_of_default`.
        targets: what is to be reached.

    Raises:
        InputError: there are no loans, or the targets cannot be reached together.
    """
    known = loans.sort_known()
    if not len(known):
        raise InputError("policy", "there are no loans to size its rules on", "Run modeling first")
    _require_room(known, rules, targets)
    # Down to one that every loan clears.
    lowest = math.floor(min(known.margin.min(), 0) * _STEPS) - 1
    hurdles = range(0, lowest - 1, -1)

    def reaches(step: int) -> bool:
        bands = _Bands.at(known, step / _STEPS, rules, targets)
        is_empty = bands.above.any() and not bands.approved.any()
        return bool(bands.passed.mean() >= targets.min_approval_rate and not is_empty)

    place = bisect_left(hurdles, True, key=reaches)
    if place == len(hurdles):
        _refuse_cap(known, hurdles[-1] / _STEPS, rules, targets)
    bands = _Bands.at(known, hurdles[place] / _STEPS, rules, targets)
    approved = known.probability_of_default[bands.approved]
    return Sizes(
        bands.hurdle,
        bands.review_margin,
        bands.cutoff,
        float((bands.passed & ~bands.approved).mean()),
        float(bands.passed.mean()),
        float(approved.mean()) if len(approved) else float("nan"),
    )


@dataclass(frozen=True, slots=True)
class _Bands:
    """What becomes of the loans under one hurdle.

    Attributes:
        hurdle: expected NPV per unit of principal from which a loan is worth making.
        review_margin: of the band around it in which a person decides.
        cutoff: the highest PD that is accepted.
        above: loans above the band that no other rule refers or declines, whatever the cut-off.
        approved: of them those that the cut-off leaves.
        passed: approved or referred.
    """

    hurdle: float
    review_margin: float
    cutoff: float
    above: BoolArray
    approved: BoolArray
    passed: BoolArray

    @classmethod
    def at(cls, loans: SizingLoans, hurdle: float, rules: Rules, targets: Targets) -> _Bands:
        """Those of loans by rising PD."""
        pds, highest_pd = loans.probability_of_default, rules.max_probability_of_default
        # Larger loans go to people however much they earn.
        is_large = loans.amount > rules.max_loan_amount
        elsewhere = is_large & (loans.margin > hurdle) & (pds <= highest_pd)
        room = math.floor(targets.review_capacity * len(pds) + _ROUNDING) - int(elsewhere.sum())
        review = _find_review(np.abs(loans.margin - hurdle)[~elsewhere], max(room, 0))
        above = ~is_large & (loans.margin > hurdle + review) & (pds <= highest_pd)
        cutoff = min(_find_cutoff(pds[above], targets.max_default_rate), highest_pd)
        stays = pds <= cutoff
        passed = stays & (loans.margin >= hurdle - review)
        return cls(hurdle, review, cutoff, above, above & stays, passed)


def _find_review(distances: FloatArray, room: int) -> float:
    """The greatest distance from the hurdle within which no more loans lie than there is room."""
    if room >= len(distances):
        return math.ceil(float(distances.max(initial=0)) * _STEPS) / _STEPS
    return max(_step_below(float(np.partition(distances, room)[room])), 0.0)


def _find_cutoff(rising_pds: FloatArray, cap: float) -> float:
    """The highest PD up to which the mean of those at or below it stays within the cap."""
    means = np.cumsum(rising_pds) / np.arange(1, len(rising_pds) + 1)
    breaking = int(np.searchsorted(means, cap + _ROUNDING, side="right"))
    if breaking == len(rising_pds):
        return 1.0
    return _step_below(float(rising_pds[breaking]))


def _require_room(loans: SizingLoans, rules: Rules, targets: Targets) -> None:
    """Refuse a floor that leaves too little to decline, whatever the loans are to earn."""
    floor, capacity = targets.min_approval_rate, targets.review_capacity
    if floor + capacity > 1:
        raise InputError(
            "policy.targets",
            f"min_approval_rate {floor:g} and review_capacity {capacity:g} are more than all "
            f"applications",
            "Lower one of them",
        )
    highest_pd = rules.max_probability_of_default
    accepted = float((loans.probability_of_default <= highest_pd).mean())
    if accepted < floor:
        raise InputError(
            "policy.targets",
            f"min_approval_rate {floor:g} cannot be reached: {accepted:.1%} of the loans have a PD "
            f"up to max_probability_of_default {highest_pd:g}",
            "Lower the one, or raise the other",
        )


def _refuse_cap(
    loans: SizingLoans, lowest_hurdle: float, rules: Rules, targets: Targets
) -> NoReturn:
    """Say which default rate the floor allows: money aside, that of the lowest PDs."""
    bands = _Bands.at(loans, lowest_hurdle, rules, targets)
    pds = loans.probability_of_default
    needed = max(math.ceil(targets.min_approval_rate * len(loans) - _ROUNDING), 1)
    approved = pds[bands.above]
    cutoff = math.ceil(max(pds[needed - 1], approved[0]) * _STEPS) / _STEPS
    lowest = float(approved[approved <= cutoff].mean())
    allowed = math.ceil(lowest * 1000) / 1000
    raise InputError(
        "policy.targets",
        f"min_approval_rate {targets.min_approval_rate:g} and max_default_rate "
        f"{targets.max_default_rate:g} cannot both be kept: at that floor the default rate to be "
        f"expected of what is approved is {lowest:.2%} at the lowest",
        f"Lower min_approval_rate, or raise max_default_rate to {allowed:g}",
    )


def _step_below(value: float) -> float:
    """The last step below the first loan that is one too many, and so below others like it."""
    return (math.ceil(value * _STEPS - _ROUNDING) - 1) / _STEPS
