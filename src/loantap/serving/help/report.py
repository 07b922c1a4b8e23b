"""What works: take-up and outcomes of each action, with intervals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from loantap.measures.intervals import wilson_bounds
from loantap.serving.help.offer import Answer, Outcome
from loantap.surveillance.help.actions import Action

# Below this many the interval of a share is some 35 points wide.
FEW: Final = 30


@dataclass(frozen=True, slots=True)
class Counted:
    """How many offers are alike."""

    action: Action
    is_simulated: bool
    answer: str | None
    outcome: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Rate:
    """`n` of `of`, with its 95% interval (Wilson); no share of none."""

    n: int
    of: int
    share: float | None
    low: float | None
    high: float | None
    is_small: bool


@dataclass(frozen=True, slots=True)
class ActionReport:
    """What came of an action.

    Attributes:
        take_up: accepted, of those answered.
        outcomes: by answer and outcome, of those whose outcome is known.
    """

    action: Action
    is_simulated: bool
    offered: int
    take_up: Rate
    outcomes: Mapping[Answer, Mapping[Outcome, Rate]]


def report_help(counted: Iterable[Counted]) -> list[ActionReport]:
    """Each action that was offered, on simulated loans apart, from the lightest touch."""
    groups: dict[tuple[bool, int], list[Counted]] = {}
    for one in counted:
        groups.setdefault((one.is_simulated, list(Action).index(one.action)), []).append(one)
    return [_report(group) for _, group in sorted(groups.items())]


def measure_rate(n: int, of: int) -> Rate:
    """A share with its interval."""
    if not of:
        return Rate(n, of, None, None, None, is_small=True)
    low, high = wilson_bounds(n, of)
    return Rate(n, of, n / of, float(low), float(high), is_small=of < FEW)


def _report(group: list[Counted]) -> ActionReport:
    answered = sum(one.n for one in group if one.answer)
    accepted = sum(one.n for one in group if one.answer == Answer.ACCEPTED)
    return ActionReport(
        group[0].action,
        group[0].is_simulated,
        sum(one.n for one in group),
        measure_rate(accepted, answered),
        {answer: _rate_outcomes([one for one in group if one.answer == answer]) for answer in Answer},
    )


def _rate_outcomes(group: list[Counted]) -> dict[Outcome, Rate]:
    known = sum(one.n for one in group if one.outcome)
    return {outcome: measure_rate(sum(one.n for one in group if one.outcome == outcome), known) for outcome in Outcome}
