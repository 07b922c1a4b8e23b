"""What works: take-up and outcomes of each action, with intervals."""

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from loantap.measures.intervals import wilson_bounds
from loantap.serving.help.offer import HelpOutcome, Said
from loantap.serving.told import Told
from loantap.surveillance.help.actions import Action

# Offers by action, whether simulated, answer and outcome.
Counts = Mapping[tuple[str | int | None, ...], int]
# With fewer, an interval is up to 35 points wide.
FEW: Final = 30


class Rate(Told):
  """`n` of `of`, with its 95% interval (Wilson)."""

  n: int
  of: int
  share: float | None
  low: float | None
  high: float | None
  is_small: bool = Field(description="Too few to conclude from")


class HelpOfAction(Told):
  """What came of an action."""

  action: Action
  simulated: bool
  offered: int
  take_up: Rate = Field(description="Accepted, of those answered")
  outcomes: dict[Said, dict[HelpOutcome, Rate]] = Field(description="By answer, of those known")


class HelpReport(Told):
  """What works, from the lightest touch; simulated loans apart."""

  items: list[HelpOfAction]


def report_help(counts: Counts) -> HelpReport:
  """Take-up and outcomes of each action that was offered."""
  seen = {key[:2] for key in counts}
  return HelpReport(items=[_report(counts, a, s) for s in (0, 1) for a in Action if (a, s) in seen])


def measure_rate(n: int, of: int) -> Rate:
  """A share with its interval."""
  if not of:
    return Rate(n=n, of=of, share=None, low=None, high=None, is_small=True)
  low, high = wilson_bounds(n, of)
  return Rate(n=n, of=of, share=n / of, low=float(low), high=float(high), is_small=of < FEW)


def _report(counts: Counts, action: Action, simulated: int) -> HelpOfAction:
  mine = {(said, outcome): n for (a, s, said, outcome), n in counts.items() if (a, s) == (action, simulated)}
  answered = {said: sum(n for (one, _), n in mine.items() if one == said) for said in Said}
  known = {said: answered[said] - mine.get((said, None), 0) for said in Said}
  return HelpOfAction(
    action=action,
    simulated=bool(simulated),
    offered=sum(mine.values()),
    take_up=measure_rate(answered[Said.ACCEPTED], sum(answered.values())),
    outcomes={
      said: {outcome: measure_rate(mine.get((said, outcome), 0), known[said]) for outcome in HelpOutcome}
      for said in Said
    },
  )
