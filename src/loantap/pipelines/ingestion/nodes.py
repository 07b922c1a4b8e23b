"""Nodes of the `ingestion` pipeline."""

from collections.abc import Iterator

import pandas as pd

from loantap.portfolio.amortisation import list_instalment_exceptions
from loantap.portfolio.assembly import divide_left_out
from loantap.portfolio.assembly import reconcile as check_account
from loantap.portfolio.contradictions import count_exceptions, require_few_exceptions
from loantap.portfolio.dictionary import Table
from loantap.portfolio.options import IngestionOptions
from loantap.snapshots.extraction import Extraction, Source, plan_extraction
from loantap.tables.ordered import (
	SomeTable,
	build_months_in_groups,
	clean_in_groups,
	count_months,
	join_in_groups,
	origin_of_table,
)
from loantap.tables.rows import PUBLISHED_ROWS, gather_batches, read_batches

Frames = Iterator[tuple[pd.DataFrame, pd.DataFrame]]


def extract_loans(source: Source, options: IngestionOptions) -> Extraction:
	"""Loans as the warehouse holds them, to be read as the snapshot is saved."""
	return plan_extraction(source, options)


def extract_applications(source: Source, options: IngestionOptions) -> Extraction:
	"""Applications as Appstream holds them, to be read as the snapshot is saved."""
	return plan_extraction(source, options)


def extract_loan_events(source: Source, options: IngestionOptions) -> Extraction:
	"""Monthly events as the event store holds them, to be read as the snapshot is saved."""
	return plan_extraction(source, options)


def clean_loans(raw: SomeTable, options: IngestionOptions) -> Frames:
	"""Typed, valid loans; the others to quarantine."""
	for cleaned in clean_in_groups(raw, Table.LOANS, options.day, options.statuses):
		yield cleaned.rows, cleaned.quarantine


def clean_applications(raw: SomeTable, options: IngestionOptions) -> Frames:
	"""Typed, valid applications; the others to quarantine."""
	for cleaned in clean_in_groups(raw, Table.APPLICATIONS, options.day):
		yield cleaned.rows, cleaned.quarantine


def clean_loan_events(raw: SomeTable, options: IngestionOptions) -> Frames:
	"""Typed, valid monthly events; the others to quarantine."""
	for cleaned in clean_in_groups(raw, Table.LOAN_EVENTS, options.day):
		yield cleaned.rows, cleaned.quarantine


def join_portfolio(
	loans: SomeTable, applications: SomeTable
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]]:
	"""Resolved and running loans with their applications, and what found no partner."""
	for joined in join_in_groups(loans, applications):
		yield (joined.loans, joined.running_loans, joined.unmatched_loans, joined.unmatched_applications)


def build_loan_months(events: SomeTable, loans: pd.DataFrame, running_loans: pd.DataFrame) -> Frames:
	"""One row per loan and month of resolved and running loans, and events of unknown loans."""
	issued = [rows[["loan_id", "issue_month"]] for rows in (loans, running_loans)]
	for built in build_months_in_groups(events, pd.concat(issued)):
		yield built.rows, built.quarantine


def list_exceptional_instalments(loans: pd.DataFrame) -> pd.DataFrame:
	"""Loans whose instalment is not the EMI of their terms, with the principal it implies."""
	return list_instalment_exceptions(loans)


def reconcile(
	raw_loans: SomeTable,
	raw_applications: SomeTable,
	raw_loan_events: SomeTable,
	loans: pd.DataFrame,
	running_loans: pd.DataFrame,
	loan_months: SomeTable,
	options: IngestionOptions,
	**quarantines: pd.DataFrame,
) -> pd.DataFrame:
	"""Account of every row, per source: extracted = kept + left out + quarantined, or it stops."""
	set_aside = {
		table.value: pd.concat([quarantines[f"{table}_quarantine"], quarantines[f"unmatched_{table}"]]) for table in Table
	}
	left_out, quarantined = divide_left_out(set_aside)
	running = count_months(loan_months, running_loans["loan_id"])
	account = pd.DataFrame(
		{
			"table": list(set_aside),
			"origin": [origin_of_table(t) for t in (raw_loans, raw_applications, raw_loan_events)],
			"extracted": [len(raw_loans), len(raw_applications), len(raw_loan_events)],
			"kept": [*[len(loans) + len(running_loans)] * 2, len(loan_months)],
			"running": [len(running_loans), len(running_loans), running],
			"left_out": [left_out[table] for table in set_aside],
			"quarantined": [len(reasons) for reasons in quarantined.values()],
		}
	)
	checked = check_account(account, options.max_quarantined_share, quarantined)
	most, name = options.max_instalment_exceptions, "ingestion.max_instalment_exceptions"
	terms = pd.concat([loans, running_loans])
	require_few_exceptions("source tables", count_exceptions(terms), len(terms), most, name)
	return checked


def publish_to_warehouse(loans: pd.DataFrame, reconciliation: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
	"""The new tables, once their account adds up, for the warehouse."""
	return loans, reconciliation


def publish_loan_months(
	loan_months: SomeTable,
	reconciliation: pd.DataFrame,  # noqa: ARG001 (its account adds up)
) -> Iterator[pd.DataFrame]:
	"""The new monthly table, once its account adds up, for the warehouse."""
	# Each batch is a transaction of its own, and the embedded warehouse opens and closes its file.
	yield from gather_batches(read_batches(loan_months), PUBLISHED_ROWS)
