"""Nodes of the `sources` pipeline."""

from collections.abc import Iterable, Iterator, Sized

import pandas as pd

from loantap.portfolio.cleaning import no_quarantine, read_portfolio
from loantap.portfolio.dictionary import REAL, SIMULATED, Table, columns_of, portfolio_columns
from loantap.portfolio.loantap_format import GIVEN_ID, render
from loantap.portfolio.options import SourcesOptions
from loantap.simulator import iter_book, iter_events, iter_months, no_truth, snapshot_month
from loantap.tables.files import TableFile
from loantap.tables.rows import LongTable, pair_rows, read_batches

_COLUMNS = (*(str(column.source_name) for column in portfolio_columns()), GIVEN_ID)


def make_portfolio(
	portfolio_file: TableFile | pd.DataFrame | None, options: SourcesOptions
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
	"""A portfolio from the file given, or else from the simulator, in batches.

	Yields the portfolio (one row per loan), the file's bad rows, and the truth of a simulated portfolio (else no rows).
	"""
	if portfolio_file is None:
		yield from _simulate(options)
		return
	batches = [portfolio_file] if isinstance(portfolio_file, pd.DataFrame) else portfolio_file.read_plain(_COLUMNS)
	tolerated, exceptions = options.tolerated_bad_share, options.max_instalment_exceptions
	for cleaned in read_portfolio(batches, options.day, tolerated, exceptions, options.statuses):
		yield cleaned.rows.assign(origin=REAL), cleaned.quarantine, no_truth()


def _simulate(options: SourcesOptions) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
	month = snapshot_month(options.as_of)
	for batch in iter_book(options.loans, options.seed, month):
		yield batch.portfolio.assign(origin=SIMULATED), no_quarantine(), batch.truth


def account_for_portfolio(portfolio: Sized, quarantine: Sized, simulated_truth: Sized) -> dict[str, object]:
	"""`portfolio_account.json`: how many loans are kept, how many rows of a file are not."""
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
	portfolio: pd.DataFrame | LongTable, simulated_truth: pd.DataFrame | LongTable, options: SourcesOptions
) -> Iterator[pd.DataFrame]:
	"""Monthly events in chunks: of simulated loans as each truly goes, of real ones by outcome."""
	if len(simulated_truth):
		pairs = pair_rows(read_batches(portfolio), read_batches(simulated_truth))
		chunks = iter_months(pairs, options.seed, snapshot_month(options.as_of))
	else:
		chunks = iter_events(read_batches(portfolio), options.seed)
	simulated = (chunk.assign(origin=SIMULATED) for chunk in chunks)
	return _render_all(simulated, Table.LOAN_EVENTS, options)


def _render_all(batches: Iterable[pd.DataFrame], table: Table, options: SourcesOptions) -> Iterator[pd.DataFrame]:
	for rows in batches:
		rendered = render(rows, columns_of(table))
		yield rendered.assign(loan_id=rows["loan_id"], updated_at=options.day, origin=rows["origin"])
