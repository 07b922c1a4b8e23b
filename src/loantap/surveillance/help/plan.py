"""The plan of each borrower: action, schedule, cost and benefit."""

from typing import Final

import numpy as np
import pandas as pd

from loantap.policy.money.scenarios import Scenario
from loantap.portfolio.amortisation import MONTHS_PER_YEAR, monthly_rate
from loantap.surveillance.help.actions import Action
from loantap.surveillance.help.borrowers import describe_borrowers
from loantap.surveillance.help.options import HelpOptions
from loantap.surveillance.help.rules import choose
from loantap.surveillance.help.schedules import Owed, Schedule, value_contract
from loantap.surveillance.help.schemas import HELP_PLANS
from loantap.surveillance.help.wording import word_why
from loantap.surveillance.watchlist.options import WatchlistOptions
from loantap.tables.rows import LongTable

_OWED: Final = ("outstanding_balance", "interest_rate_pct", "instalment", "remaining_months")


def plan_help(
    watchlist: pd.DataFrame,
    panel: pd.DataFrame | LongTable,
    scenario: Scenario,
    listing: WatchlistOptions,
    options: HelpOptions,
    default_days: int,
) -> pd.DataFrame:
    """One plan per loan on the watch-list, in its order; see `schemas.HELP_PLANS`.

    `panel` is ordered by loan and month; `listing` made the list.
    """
    known = describe_borrowers(watchlist, panel, listing, options.dti_includes_instalment)
    owed = Owed(*(known[name].to_numpy(float) for name in _OWED))
    choice = choose(known, owed, options, default_days)
    funds, new = scenario.cost_of_funds_pct, choice.schedule
    due = value_contract(owed, funds)
    delay = due * (1 - (1 + monthly_rate(funds)) ** (-choice.shift_days * MONTHS_PER_YEAR / 365))
    less = np.where(np.isnan(new.months), delay, due - new.value(funds))
    rule = pd.Series(choice.action, known.index, dtype="str")
    work = rule.map({action.value: options.handling.get(action, 0.0) for action in Action}).astype("float64")
    # Only who goes on paying pays less, or later.
    cost = (1 - known["pd_12m"]) * less + work
    action = rule.where(cost <= known["expected_loss_avoidable"], Action.NONE.value)
    is_none = action.eq(Action.NONE)
    new = Schedule(*(np.where(is_none, np.nan, getattr(new, name)) for name in Schedule.__slots__))
    other, share = known["other_dti_pct"], 100 / known["income"]
    plans = known.assign(
        rule=rule,
        rule_cost=cost,
        action=action,
        emi_now=owed.instalment,
        emi_new=new.first,
        emi_later=np.where(new.step > 0, new.later, np.nan),
        step_months=np.where(new.step > 0, new.step, np.nan),
        months_left=owed.months_left.astype(np.int64),
        months_left_new=np.where(np.isnan(new.months), owed.months_left, new.months).astype(np.int64),
        shift_days=np.where(is_none, 0, choice.shift_days).astype(np.int64),
        dti_now=other + owed.instalment * share,
        dti_new=other + new.first * share,
        cost=cost.mask(is_none, 0.0),
        loss_avoided=known["expected_loss_avoidable"].mask(is_none, 0.0),
    )
    why = [word_why(row, options, default_days) for row in plans.to_dict("records")]
    net = plans["loss_avoided"] - plans["cost"]
    return plans.assign(net_benefit=net, why=pd.Series(why, plans.index, dtype="str"))[list(HELP_PLANS.columns)]
