"""The plan of each borrower: action, schedule, cost and benefit."""

from typing import Final

import numpy as np
import pandas as pd

from loantap.policy.money.scenarios import Scenario
from loantap.surveillance.help.actions import Action
from loantap.surveillance.help.borrowers import describe_borrowers
from loantap.surveillance.help.options import HelpOptions
from loantap.surveillance.help.rules import choose
from loantap.surveillance.help.schedules import Owed, cost_of_delay, value_contract
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

    Args:
        watchlist: see its schema.
        panel: as `loan_panel` has it, in the order of loan and month.
        scenario: tells the cost of funds.
        listing: the triggers that the list was made with.
        options: the rules.
        default_days: days past due from which a loan is in default.
    """
    known = describe_borrowers(watchlist, panel, listing, options)
    owed = Owed(*(known[name].to_numpy(float) for name in _OWED))
    choice = choose(known, owed, options, default_days)
    funds, schedule = scenario.cost_of_funds_pct, choice.schedule
    due = value_contract(owed, funds)
    less = due - schedule.value(funds)
    less = np.where(np.isnan(less), cost_of_delay(due, choice.shift_days, funds), less)
    rule = pd.Series(choice.action, known.index, dtype="str")
    work = rule.map({action.value: options.handling.cost(action) for action in Action}).astype("float64")
    # Only who goes on paying pays less, or later.
    cost = (1 - known["pd_12m"]) * less + work
    loss = known["expected_loss_avoidable"]
    share = 100 / known["income"]
    plans = known.assign(
        rule=rule,
        cost=cost,
        loss_avoided=loss,
        highest=choice.highest,
        limit=choice.limit,
        emi_now=owed.instalment,
        emi_new=schedule.first,
        emi_later=np.where(schedule.step > 0, schedule.later, np.nan),
        step_months=np.where(schedule.step > 0, schedule.step, np.nan),
        months_left=owed.months_left.astype(np.int64),
        shift_days=choice.shift_days.astype(np.int64),
        dti_now=known["other_dti_pct"] + owed.instalment * share,
        dti_new=known["other_dti_pct"] + schedule.first * share,
    )
    plans = plans.assign(
        action=rule.where(cost <= loss, Action.NONE.value),
        months_left_new=np.where(np.isnan(schedule.months), owed.months_left, schedule.months).astype(np.int64),
    )
    why = [word_why(row, options, default_days) for row in plans.to_dict("records")]
    plans = _drop_what_is_not_offered(plans)
    return plans.assign(
        why=pd.Series(why, plans.index, dtype="str"), net_benefit=plans["loss_avoided"] - plans["cost"]
    )[list(HELP_PLANS.columns)]


def _drop_what_is_not_offered(plans: pd.DataFrame) -> pd.DataFrame:
    """No terms and no money where there is no plan."""
    is_none = plans["action"].eq(Action.NONE)
    otherwise = {
        "emi_new": np.nan, "emi_later": np.nan, "step_months": np.nan, "dti_new": np.nan, "cost": 0.0,
        "loss_avoided": 0.0, "shift_days": 0, "months_left_new": plans["months_left"],
    }  # fmt: skip
    return plans.assign(**{name: plans[name].mask(is_none, value) for name, value in otherwise.items()})
