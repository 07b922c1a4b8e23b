"""Nodes of the `sources` pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from loantap.portfolio.cleaning import QUARANTINE_COLUMNS, read_portfolio
from loantap.portfolio.dictionary import CSV_ORDER, REAL, SIMULATED, Table, columns_of
from loantap.portfolio.identity import content_ids
from loantap.portfolio.loantap_format import render
from loantap.portfolio.options import SourcesOptions
from loantap.simulator import iter_events, simulate_portfolio

_STABLE = [name for name in CSV_ORDER if name != "loan_status"]


def make_portfolio(
    portfolio_csv: pd.DataFrame | None, options: SourcesOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A portfolio from the file given, or else from the simulator.

    Returns the portfolio (one row per loan, canonical columns), the file's bad rows, and the
    truth behind a simulated portfolio (no rows for a real one).
    """
    if portfolio_csv is not None:
        cleaned = read_portfolio(
            portfolio_csv,
            options.day,
            options.tolerated_bad_share,
            options.most_instalment_exceptions,
        )
        truth = pd.DataFrame(
            {"loan_id": pd.Series(dtype="str"), "true_pd": [], "true_log_odds": []}
        )
        return cleaned.rows.assign(origin=REAL), cleaned.quarantine, truth
    simulated = simulate_portfolio(options.loans, options.seed)
    ids = content_ids(simulated.portfolio, _STABLE)
    quarantine = pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
    truth = simulated.truth.assign(loan_id=ids)
    return simulated.portfolio.assign(loan_id=ids, origin=SIMULATED), quarantine, truth


def split_by_system(
    portfolio: pd.DataFrame, options: SourcesOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each column to the system it belongs to: warehouse loans, Appstream applications."""
    return _render(portfolio, Table.LOANS, options), _render(portfolio, Table.APPLICATIONS, options)


def simulate_loan_events(
    portfolio: pd.DataFrame, options: SourcesOptions
) -> Iterator[pd.DataFrame]:
    """Monthly events from each loan's outcome, in chunks; simulated for a real portfolio too."""
    chunks = iter_events(portfolio, options.seed)
    return (_render(chunk.assign(origin=SIMULATED), Table.LOAN_EVENTS, options) for chunk in chunks)


def _render(rows: pd.DataFrame, table: Table, options: SourcesOptions) -> pd.DataFrame:
    rendered = render(rows, columns_of(table))
    return rendered.assign(loan_id=rows["loan_id"], updated_at=options.day, origin=rows["origin"])
