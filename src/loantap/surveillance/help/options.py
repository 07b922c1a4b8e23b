"""What a person may set about help; validated, then frozen."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, NonNegativeFloat

from loantap.policy.offers.options import Affordability
from loantap.portfolio.options import Options
from loantap.surveillance.help.actions import Action

_Months = Annotated[int, Field(ge=1, le=60)]


class HelpOptions(Options):
    """The rules of help.

    Attributes:
        limits: what a borrower can carry; the same as for offers.
        dti_includes_instalment: whether a month's DTI counts the instalment of this loan.
        light_days: days past due up to which a light touch is enough.
        min_late_months: of the last six, from which a borrower is late again and again.
        max_shift_days: of a due date.
        step_months: until the higher instalment of a step-up.
        income_growth_pct: per year until then, assumed.
        handling: cost of the work on one loan, assumed.
    """

    limits: Affordability
    dti_includes_instalment: bool
    light_days: Annotated[int, Field(ge=1, le=89)]
    min_late_months: Annotated[int, Field(ge=1, le=6)]
    max_shift_days: Annotated[int, Field(ge=1, le=30)]
    max_extension_months: _Months
    step_months: _Months
    income_growth_pct: Annotated[float, Field(ge=0, le=20)]
    handling: Mapping[Action, NonNegativeFloat]
