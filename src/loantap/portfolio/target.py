"""What a model is to foresee: the target, a run parameter that every report names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from loantap.portfolio.errors import InputError
from loantap.portfolio.options import Options

# The column of tables with the target of a run, 1 or 0, whichever its definition is.
LABEL = "is_charged_off"


class Target(StrEnum):
    """What counts as a default, and by when."""

    CHARGED_OFF = "charged_off"
    DPD_90_WITHIN_12 = "dpd_90_within_12"
    DPD_90_WITHIN_18 = "dpd_90_within_18"
    DPD_90_WITHIN_24 = "dpd_90_within_24"

    @property
    def window_months(self) -> int | None:
        """Months after the month of issue within which a default counts; None: over the life."""
        return None if self is Target.CHARGED_OFF else int(self.rpartition("_")[2])

    @property
    def is_lifetime(self) -> bool:
        """Whether its PD is one over the life, as the money policy needs it."""
        return self.window_months is None

    @property
    def obstacle(self) -> str:
        """Why no money can be reckoned with its PDs; "" where it can."""
        return "" if self.is_lifetime else f"its target is {self}; the policy reckons with charge-offs over the life"

    @property
    def definition(self) -> str:
        """What it is, in words."""
        if self.is_lifetime:
            return "charged off, against fully paid"
        return f"90 days past due, or charged off, by month {self.window_months} after the month of issue"


def find_target(training_report: Mapping[str, Any]) -> Target:
    """The target of a `training.json`; earlier releases knew one."""
    return Target(training_report.get("promotion", {}).get("target", {}).get("name", Target.CHARGED_OFF))


def require_lifetime(target: Target, where: str) -> None:
    """Stop what reckons with charge-offs over the life (InputError)."""
    if not target.is_lifetime:
        raise InputError(where, target.obstacle, f"Run `--pipelines training --params target={Target.CHARGED_OFF}`")


class TargetAccount(Options):
    """The loans of a run that have the target, and how many others were left out, by reason.

    Attributes:
        defaulted: loans whose target is 1; rates are fractions, bounds a 95% interval (Wilson).
        snapshot: last month of `loan_months`, YYYY-MM; None where the target needs no months.
    """

    name: Target = Target.CHARGED_OFF
    definition: str
    population: str
    n: int
    defaulted: int
    default_rate: float
    default_rate_low: float
    default_rate_high: float
    snapshot: str | None = None
    left_out: Mapping[str, int] = {}

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        share = f"{self.default_rate:.1%} [{self.default_rate_low:.1%}, {self.default_rate_high:.1%}]"
        told = f"{self.name} ({self.definition}): {self.defaulted:,} of n = {self.n:,} {self.population}, {share}"
        others = "; ".join(f"{count:,} {reason}" for reason, count in self.left_out.items() if count)
        return f"{told}. Left out: {others}" if others else told
