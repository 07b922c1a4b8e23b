"""Which action each borrower needs: the lightest that is enough."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.products import PRODUCTS
from loantap.surveillance.help.actions import Action
from loantap.surveillance.help.options import HelpOptions
from loantap.surveillance.help.schedules import Owed, Schedule, extend, highest_instalment, step_up

# No plan leaves more months than a loan made today may have.
_LONGEST: Final = PRODUCTS.terms_months[-1]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules say; arrays of one row per loan.

    Attributes:
        action: values of `Action`.
        schedule: the new one, NaN where the instalments stay.
        shift_days: days by which the due date moves.
        highest: the instalment at the nearer cap, NaN where no cap can be checked.
        limit: the most months that a plan may leave.
    """

    action: npt.NDArray[np.str_]
    schedule: Schedule
    shift_days: FloatArray
    highest: FloatArray
    limit: FloatArray


def choose(borrowers: pd.DataFrame, owed: Owed, options: HelpOptions, default_days: int) -> Choice:
    """The first rule that holds for each of the borrowers that `describe_borrowers` tells of.

    `default_days` are days past due from which a loan is in default.
    """
    income, other = (borrowers[name].to_numpy(float) for name in ("income", "other_dti_pct"))
    highest = highest_instalment(income, other, options.limits)
    growth = (1 + options.step_up.income_growth_pct / 100) ** (options.step_up.months / MONTHS_PER_YEAR)
    # Other debts stay what they are while income grows.
    highest_later = highest_instalment(income * growth, other / growth, options.limits)
    limit = np.maximum(np.minimum(owed.months_left + options.max_extension_months, _LONGEST), owed.months_left)
    longer, stepped = extend(owed, highest), step_up(owed, highest, highest_later, options.step_up.months)
    overdue, worst = (borrowers[name].to_numpy() for name in ("days_past_due", "max_dpd_6m"))
    is_light = borrowers["is_arrears_alone"].to_numpy() & (overdue <= options.light_days)
    is_again = (borrowers["late_months"].to_numpy() >= options.due_date_shift.min_late_months) & (
        worst <= options.light_days
    )
    is_known, fits = ~np.isnan(highest), owed.instalment <= highest
    rules = [
        (overdue >= default_days, Action.NONE),
        (fits & is_light & is_again, Action.DUE_DATE_SHIFT),
        ((fits | ~is_known) & is_light, Action.REMINDER),
        (fits | ~is_known, Action.COUNSELLING),
        (longer.months <= limit, Action.TERM_EXTENSION),
        (stepped.months <= limit, Action.STEP_UP),
    ]
    action = np.select([holds for holds, _ in rules], [name.value for _, name in rules], Action.NONE.value)
    shift = np.where(action == Action.DUE_DATE_SHIFT, np.minimum(worst, options.due_date_shift.max_days), 0.0)
    return Choice(action, _pick(action, longer, stepped), shift, highest, limit)


def _pick(action: npt.NDArray[np.str_], longer: Schedule, stepped: Schedule) -> Schedule:
    of = [action == Action.TERM_EXTENSION, action == Action.STEP_UP]
    names = Schedule.__slots__
    return Schedule(*(np.select(of, [getattr(longer, n), getattr(stepped, n)], np.nan) for n in names))
