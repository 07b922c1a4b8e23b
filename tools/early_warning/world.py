"""Simulated books in the form that early warning reads, with the truth of each loan."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.dictionary import RESOLVED, SIMULATED
from loantap.simulator import iter_book, iter_months, snapshot_month
from loantap.surveillance.hazard.outcomes import find_outcomes
from loantap.surveillance.panel.build import build_panel
from tools.benchmarks.configured import read_early_warning

_ID = "loan_id"


@dataclass(frozen=True, slots=True)
class World:
    """A simulated book at a snapshot, in the order of `loan_id`; frames as the pipeline has them.

    Attributes:
        loans: resolved and running ones.
        truth: as `simulated_truth` keeps it, a row per loan; no part of what is known.
    """

    loans: pd.DataFrame
    truth: pd.DataFrame
    panel: pd.DataFrame
    outcomes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Moment:
    """The running loans that are not in arrears in the last month: who a list is chosen from.

    Attributes:
        now: their last month in the panel, a row per loan as in `loans` and `truth`.
        history: all their months.
    """

    loans: pd.DataFrame
    truth: pd.DataFrame
    now: pd.DataFrame
    history: pd.DataFrame


def simulate_world(loans: int, day: date, strength: float, seed: int) -> World:
    """The book of the simulator's size as of a day.

    `strength`: factor on how far DTI and utilisation rise before a default; 0 leaves noise alone.
    """
    month = snapshot_month(day)
    books = list(iter_book(loans, seed, month))
    portfolio = pd.concat([book.portfolio for book in books]).assign(origin=SIMULATED)
    principal = implied_principal(portfolio["instalment"], portfolio["interest_rate_pct"], portfolio["term_months"])
    everyone = portfolio.assign(funded_principal=principal).sort_values(_ID, ignore_index=True)
    truth = pd.concat([book.truth for book in books]).assign(drift_strength=strength)
    truth = truth.sort_values(_ID, ignore_index=True)
    events = pd.concat(iter_months([(everyone, truth)], seed, month), ignore_index=True)
    months = build_loan_months(events.assign(origin=SIMULATED), everyone).rows
    is_resolved = everyone["loan_status"].isin(RESOLVED)
    outcomes = find_outcomes(months, everyone[is_resolved], everyone[~is_resolved])
    return World(everyone, truth, build_panel(months, everyone, read_early_warning().panel), outcomes)


def take_moment(world: World) -> Moment:
    """Who runs and is not in arrears, with what is known of each."""
    panel, loans = world.panel, world.loans
    runs = loans.loc[~loans["loan_status"].isin(RESOLVED), _ID]
    now = panel[(panel["month"] == panel["month"].max()) & (panel["days_past_due"] == 0) & panel[_ID].isin(runs)]
    chosen = loans[_ID].isin(now[_ID])
    history = panel[panel[_ID].isin(now[_ID])]
    return Moment(*(rows.reset_index(drop=True) for rows in (loans[chosen], world.truth[chosen], now, history)))
