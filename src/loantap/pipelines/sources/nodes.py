"""Nodes of the `sources` pipeline."""

from collections.abc import Iterable, Iterator, Sized

import pandas as pd

from loantap.portfolio.cleaning import no_quarantine, read_portfolio
from loantap.portfolio.dictionary import CSV_ORDER, REAL, SIMULATED, Table, columns_of
from loantap.portfolio.identity import ContentIds
from loantap.portfolio.loantap_format import render
from loantap.portfolio.options import SourcesOptions
from loantap.simulator import iter_events, iter_portfolio
from loantap.tables.rows import LongTable, read_batches

_STABLE = [name for name in CSV_ORDER if name != "loan_status"]


def make_portfolio(
    portfolio_csv: pd.DataFrame | None, options: SourcesOptions
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    """A portfolio from the file given, or else from the simulator, in batches.

    Yields the portfolio (one row per loan, canonical columns), the file's bad rows, and the
    truth behind a simulated portfolio (no rows for a real one).
    """
    if portfolio_csv is None:
        yield from _simulate(options)
        return
    cleaned = read_portfolio(
        portfolio_csv,
        options.day,
        options.tolerated_bad_share,
        options.max_instalment_exceptions,
        options.statuses,
    )
    truth = pd.DataFrame(
        {
            "loan_id": pd.Series(dtype="str"),
            "true_pd": pd.Series(dtype="float64"),
            "true_log_odds": pd.Series(dtype="float64"),
        }
    )
    yield cleaned.rows.assign(origin=REAL), cleaned.quarantine, truth


def _simulate(
    options: SourcesOptions,
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
    identifiers = ContentIds(_STABLE)
    for batch in iter_portfolio(options.loans, options.seed):
        ids = identifiers.number(batch.portfolio)
        portfolio = batch.portfolio.assign(loan_id=ids, origin=SIMULATED)
        yield portfolio, no_quarantine(), batch.truth.assign(loan_id=ids)


def account_for_portfolio(
    portfolio: Sized, quarantine: Sized, simulated_truth: Sized
) -> dict[str, object]:
    """`portfolio_account.json`: how many loans are kept, how many rows of a file are not.

    Raises:
        ValueError: some simulated loans have no true PD: the simulator is at fault.
    """
    is_simulated = len(simulated_truth) > 0
    if is_simulated and len(simulated_truth) != len(portfolio):
        raise ValueError(f"{len(portfolio)} simulated loans, {len(simulated_truth)} true PDs")
    return {
        "origin": SIMULATED if is_simulated else REAL,
        "rows": len(portfolio) + len(quarantine),
        "kept": len(portfolio),
        "quarantined": len(quarantine),
    }


def split_by_system(
    portfolio: pd.DataFrame | LongTable, options: SourcesOptions
) -> tuple[Iterator[pd.DataFrame], Iterator[pd.DataFrame]]:
    """Each column to the system it belongs to: warehouse loans, Appstream applications."""
    return (
        _render_all(read_batches(portfolio), Table.LOANS, options),
        _render_all(read_batches(portfolio), Table.APPLICATIONS, options),
    )


def simulate_loan_events(
    portfolio: pd.DataFrame | LongTable, options: SourcesOptions
) -> Iterator[pd.DataFrame]:
    """Monthly events from each loan's outcome, in chunks; simulated for a real portfolio too."""
    chunks = iter_events(read_batches(portfolio), options.seed)
    simulated = (chunk.assign(origin=SIMULATED) for chunk in chunks)
    return _render_all(simulated, Table.LOAN_EVENTS, options)


def _render_all(
    batches: Iterable[pd.DataFrame], table: Table, options: SourcesOptions
) -> Iterator[pd.DataFrame]:
    for rows in batches:
        rendered = render(rows, columns_of(table))
        yield rendered.assign(
            loan_id=rows["loan_id"], updated_at=options.day, origin=rows["origin"]
        )
