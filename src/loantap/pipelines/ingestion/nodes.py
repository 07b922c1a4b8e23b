"""Nodes of the `ingestion` pipeline."""

from __future__ import annotations

import pandas as pd

from loantap.datasets.snapshots.extraction import Extraction, Source, plan_extraction
from loantap.portfolio.amortisation import list_instalment_exceptions
from loantap.portfolio.assembly import build_loan_months as assemble_loan_months
from loantap.portfolio.assembly import join_portfolio as assemble_portfolio
from loantap.portfolio.assembly import origin_of
from loantap.portfolio.assembly import reconcile as check_account
from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.contradictions import count_exceptions, require_few_exceptions
from loantap.portfolio.dictionary import Table
from loantap.portfolio.options import IngestionOptions

Frames = tuple[pd.DataFrame, pd.DataFrame]


def extract_loans(source: Source, options: IngestionOptions) -> Extraction:
    """Loans as the warehouse holds them, to be read as the snapshot is saved."""
    return plan_extraction(source, options)


def extract_applications(source: Source, options: IngestionOptions) -> Extraction:
    """Applications as Appstream holds them, to be read as the snapshot is saved."""
    return plan_extraction(source, options)


def extract_loan_events(source: Source, options: IngestionOptions) -> Extraction:
    """Monthly events as the event store holds them, to be read as the snapshot is saved."""
    return plan_extraction(source, options)


def clean_loans(raw: pd.DataFrame, options: IngestionOptions) -> Frames:
    """Typed, valid loans; the others to quarantine."""
    cleaned = clean_source_table(raw, Table.LOANS, options.day)
    return cleaned.rows, cleaned.quarantine


def clean_applications(raw: pd.DataFrame, options: IngestionOptions) -> Frames:
    """Typed, valid applications; the others to quarantine."""
    cleaned = clean_source_table(raw, Table.APPLICATIONS, options.day)
    return cleaned.rows, cleaned.quarantine


def clean_loan_events(raw: pd.DataFrame, options: IngestionOptions) -> Frames:
    """Typed, valid monthly events; the others to quarantine."""
    cleaned = clean_source_table(raw, Table.LOAN_EVENTS, options.day)
    return cleaned.rows, cleaned.quarantine


def join_portfolio(
    loans: pd.DataFrame, applications: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Loans with their applications, and what found no partner."""
    joined = assemble_portfolio(loans, applications)
    return joined.loans, joined.unmatched_loans, joined.unmatched_applications


def build_loan_months(events: pd.DataFrame, loans: pd.DataFrame) -> Frames:
    """One row per loan and month of the portfolio, and events of unknown loans."""
    built = assemble_loan_months(events, loans)
    return built.rows, built.quarantine


def list_exceptional_instalments(loans: pd.DataFrame) -> pd.DataFrame:
    """Loans whose instalment is not the EMI of their terms, with the principal it implies."""
    return list_instalment_exceptions(loans)


def reconcile(
    raw_loans: pd.DataFrame,
    raw_applications: pd.DataFrame,
    raw_loan_events: pd.DataFrame,
    loans: pd.DataFrame,
    loan_months: pd.DataFrame,
    options: IngestionOptions,
    **quarantines: pd.DataFrame,
) -> pd.DataFrame:
    """Account of every row, per source: extracted = kept + quarantined, or the run stops.

    `quarantines` are named `<table>_quarantine` (unusable) and `unmatched_<table>` (no partner).
    """
    set_aside = {
        table: pd.concat([quarantines[f"{table}_quarantine"], quarantines[f"unmatched_{table}"]])
        for table in Table
    }
    account = pd.DataFrame(
        {
            "table": [table.value for table in Table],
            "origin": [origin_of(t) for t in (raw_loans, raw_applications, raw_loan_events)],
            "extracted": [len(raw_loans), len(raw_applications), len(raw_loan_events)],
            "kept": [len(loans), len(loans), len(loan_months)],
            "quarantined": [len(set_aside[table]) for table in Table],
        }
    )
    reasons = {table.value: rows["reason"] for table, rows in set_aside.items()}
    checked = check_account(account, options.most_quarantined_share, reasons)
    most, name = options.most_instalment_exceptions, "ingestion.most_instalment_exceptions"
    require_few_exceptions("source tables", count_exceptions(loans), len(loans), most, name)
    return checked


def publish_to_warehouse(
    loans: pd.DataFrame, loan_months: pd.DataFrame, reconciliation: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The new tables, once their account adds up, for the warehouse."""
    return loans, loan_months, reconciliation
