"""What a person may set about help; validated, then frozen."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from loantap.policy.offers.options import Affordability
from loantap.portfolio.options import Options
from loantap.surveillance.help.actions import Action


class DueDateShift(Options):
    """A due date some days later.

    Attributes:
        min_late_months: of the last six, from which a borrower is late again and again.
        max_days: by which the date moves at most.
    """

    min_late_months: Annotated[int, Field(ge=1, le=6)]
    max_days: Annotated[int, Field(ge=1, le=30)]


class StepUp(Options):
    """A lower instalment for so many months, then a higher one.

    Attributes:
        income_growth_pct: per year until the step: an assumption.
    """

    months: Annotated[int, Field(ge=1, le=60)]
    income_growth_pct: Annotated[float, Field(ge=0, le=20)]


class Handling(Options):
    """What the work on one loan costs, in currency: an assumption."""

    reminder: NonNegativeFloat
    counselling: NonNegativeFloat
    due_date_shift: NonNegativeFloat
    term_extension: NonNegativeFloat
    step_up: NonNegativeFloat

    def cost(self, action: Action) -> float:
        """Of an action; nothing for none."""
        return 0.0 if action is Action.NONE else float(getattr(self, action))


class HelpOptions(Options):
    """The rules of help.

    Attributes:
        limits: what a borrower can carry; the same as for offers.
        dti_includes_instalment: whether a month's DTI counts the instalment of this loan.
        light_days: days past due up to which a light touch is enough.
        max_extension_months: by which the months left may grow.
    """

    limits: Affordability
    dti_includes_instalment: bool
    light_days: Annotated[int, Field(ge=1, le=89)]
    due_date_shift: DueDateShift
    max_extension_months: Annotated[int, Field(ge=1, le=60)]
    step_up: StepUp
    handling: Handling
