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
from loantap.surveillance.help.schedules import Owed, Schedule, extend, highest_instalment, step_up
from loantap.surveillance.options import HelpOptions

# No plan leaves more months than a loan made today may have.
_LONGEST: Final = PRODUCTS.terms_months[-1]


@dataclass(frozen=True, slots=True)
class Choice:
  """Actions; where instalments change their schedule, else NaN; days by which due dates move."""

  action: npt.NDArray[np.str_]
  schedule: Schedule
  shift_days: FloatArray


def choose(borrowers: pd.DataFrame, owed: Owed, options: HelpOptions, default_days: int) -> Choice:
  """The first rule that holds for each of the borrowers (see `describe_borrowers`)."""
  income, other, overdue, worst, late = (
    borrowers[name].to_numpy(float)
    for name in ("income", "other_dti_pct", "days_past_due", "max_dpd_6m", "late_months")
  )
  highest = highest_instalment(income, other, options.limits)
  growth = (1 + options.income_growth_pct / 100) ** (options.step_months / MONTHS_PER_YEAR)
  # Other debts stay what they are while income grows.
  later = highest_instalment(income * growth, other / growth, options.limits)
  longer, stepped = extend(owed, highest), step_up(owed, highest, later, options.step_months)
  limit = np.maximum(np.minimum(owed.months_left + options.max_extension_months, _LONGEST), owed.months_left)
  fits = owed.instalment <= highest
  is_open = fits | np.isnan(highest)
  is_light = borrowers["is_arrears_alone"].to_numpy() & (overdue <= options.light_days)
  is_again = (late >= options.min_late_months) & (worst <= options.light_days)
  rules = {
    Action.NONE: overdue >= default_days,
    Action.DUE_DATE_SHIFT: fits & is_light & is_again,
    Action.REMINDER: is_open & is_light,
    Action.COUNSELLING: is_open,
    Action.TERM_EXTENSION: longer.months <= limit,
    Action.STEP_UP: stepped.months <= limit,
  }
  action = np.select(list(rules.values()), [name.value for name in rules], Action.NONE.value)
  new = [action == Action.TERM_EXTENSION, action == Action.STEP_UP]
  picked = (np.select(new, [getattr(longer, n), getattr(stepped, n)], np.nan) for n in Schedule.__slots__)
  days = np.where(action == Action.DUE_DATE_SHIFT, np.minimum(worst, options.max_shift_days), 0.0)
  return Choice(action, Schedule(*picked), days)
