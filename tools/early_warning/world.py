"""Simulated books in the form that early warning reads, with the truth of each loan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.dictionary import RESOLVED, SIMULATED
from loantap.simulator import iter_book, iter_months, snapshot_month
from loantap.surveillance.hazard.outcomes import find_outcomes
from loantap.surveillance.options import EarlyWarningOptions
from loantap.surveillance.panel.build import build_panel
from tools.benchmarks.configured import read_early_warning


@dataclass(frozen=True, slots=True)
class World:
    """What is known of some simulated loans at a snapshot; frames as the pipeline has them.

    Attributes:
        loans: in the order of `truth`, `loan_status` as of the snapshot.
        truth: as `simulated_truth` keeps it; no part of what is known.
    """

    loans: pd.DataFrame
    truth: pd.DataFrame
    panel: pd.DataFrame
    outcomes: pd.DataFrame

    @property
    def is_running(self) -> pd.Series:
        """Of each loan."""
        return ~self.loans["loan_status"].isin(RESOLVED)


def iter_worlds(loans: int, day: date, strength: float = 1.0, seed: int = 42) -> Iterator[World]:
    """The book of a simulator's size as of a day, a batch of loans after another.

    `strength`: factor on how far DTI and utilisation rise before a default; 0 leaves noise alone.
    """
    options = read_early_warning()
    month = snapshot_month(day)
    for book in iter_book(loans, seed, month):
        truth = book.truth.assign(drift_strength=strength)
        yield _observe(book.portfolio, truth, options, pd.concat(iter_months([(book.portfolio, truth)], seed, month)))


def _observe(portfolio: pd.DataFrame, truth: pd.DataFrame, options: EarlyWarningOptions, events: pd.DataFrame) -> World:
    principal = implied_principal(portfolio["instalment"], portfolio["interest_rate_pct"], portfolio["term_months"])
    loans = portfolio.assign(origin=SIMULATED, funded_principal=principal)
    months = build_loan_months(events.reset_index(drop=True).assign(origin=SIMULATED), loans).rows
    is_resolved = loans["loan_status"].isin(RESOLVED)
    outcomes = find_outcomes(months, loans[is_resolved], loans[~is_resolved])
    return World(loans, truth, build_panel(months, loans, options.panel), outcomes)


def join_worlds(worlds: Iterator[World]) -> World:
    """All batches as one."""
    parts = list(worlds)
    names = ("loans", "truth", "panel", "outcomes")
    return World(**{name: pd.concat([getattr(part, name) for part in parts], ignore_index=True) for name in names})
