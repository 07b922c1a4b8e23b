from collections.abc import Callable

import pandas as pd
import pytest

from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.dictionary import Table, columns_of
from tests.conftest import AS_OF, raw_loans

MakeTable = Callable[..., pd.DataFrame]


@pytest.fixture
def extract():
	"""Rows of loans or applications as a source system gives them, `loan_id` 1, 2, ..."""

	def make(table, *changes, **bookkeeping):
		rows = raw_loans(*changes)[[c.source_name for c in columns_of(table)]]
		given = {
			"loan_id": [str(number) for number in range(1, len(rows) + 1)],
			"updated_at": "2026-10-01 12:00:00",
			"origin": "real",
		}
		return rows.assign(**(given | bookkeeping))

	return make


@pytest.fixture
def extract_events():
	def make(*loan_months, **bookkeeping):
		given = {
			"loan_id": [loan for loan, _ in loan_months],
			"month": [month for _, month in loan_months],
			"balance": 11_721.43,
			"days_past_due": 0,
			"payment": 398.57,
			"dti": 18.5,
			"revol_util": 45.5,
			"updated_at": "2026-10-01 12:00:00",
			"origin": "simulated",
		}
		return pd.DataFrame(given | bookkeeping)

	return make


@pytest.fixture
def clean(extract):
	def make(table, *changes, **bookkeeping):
		return clean_source_table(extract(table, *changes, **bookkeeping), table, AS_OF).rows

	return make


@pytest.fixture
def clean_events(extract_events):
	def make(*loan_months, **bookkeeping):
		raw = extract_events(*loan_months, **bookkeeping)
		return clean_source_table(raw, Table.LOAN_EVENTS, AS_OF).rows

	return make
