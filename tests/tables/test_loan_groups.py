import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio.assembly import build_loan_months, join_portfolio
from loantap.portfolio.cleaning import Cleaned, clean_source_table
from loantap.portfolio.dictionary import SIMULATED, Table, columns_of
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import content_ids
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_events, simulate_portfolio
from loantap.tables.loan_groups import build_months_in_groups, clean_in_groups, join_in_groups

AS_OF = pd.Timestamp("2026-11-23")
LOANS = 400


@pytest.fixture(scope="module")
def raw():
  """The three tables as extracted, in no order, with a fault of every kind."""
  portfolio = simulate_portfolio(LOANS, seed=8).portfolio
  portfolio = portfolio.assign(loan_id=content_ids(portfolio, portfolio.columns))
  events = simulate_events(portfolio, seed=8)
  tables = {}
  for table, rows in zip(Table, (portfolio, portfolio, events), strict=True):
    rendered = render(rows, columns_of(table)).assign(loan_id=rows["loan_id"], updated_at=AS_OF, origin=SIMULATED)
    tables[table] = rendered.sample(frac=1, random_state=2, ignore_index=True)
  loans, applications, months = tables.values()
  loans.loc[3, "grade"] = "Z"
  loans.loc[4, "loan_id"] = None
  # Padding is no part of an identifier; the newer of two rows stays, of equal ones the first.
  again = loans.iloc[[7, 8]].assign(loan_id=lambda rows: " " + rows["loan_id"] + " ")
  newer = again.iloc[[0]].assign(updated_at=AS_OF + pd.Timedelta(days=1))
  tables[Table.LOANS] = pd.concat([loans.drop(index=5), again, newer], ignore_index=True)
  applications.loc[2, "annual_inc"] = None
  applications.loc[9, "earliest_cr_line"] = "Dec-2025"
  tables[Table.APPLICATIONS] = applications.drop(index=[20, 21]).reset_index(drop=True)
  months.loc[11, "days_past_due"] = -5
  months.loc[12, "month"] = "Jan-2001"
  tables[Table.LOAN_EVENTS] = pd.concat([months, months.iloc[[30, 40]]], ignore_index=True)
  return tables


@pytest.fixture(scope="module")
def cleaned(raw):
  return [joined(clean_in_groups(raw[table], table, AS_OF, rows=len(raw[table]) // 10)).rows for table in Table]


def joined(cleaned):
  groups = list(cleaned)
  assert len(groups) > 5
  return Cleaned(
    pd.concat([each.rows for each in groups], ignore_index=True),
    pd.concat([each.quarantine for each in groups], ignore_index=True),
  )


@pytest.mark.parametrize("table", list(Table))
def test_cleaning(raw, table):
  whole = clean_source_table(raw[table], table, AS_OF)
  grouped = joined(clean_in_groups(raw[table], table, AS_OF, rows=len(raw[table]) // 10))

  by_loan = whole.rows.sort_values("loan_id", kind="stable", ignore_index=True)
  assert_frame_equal(grouped.rows, by_loan)
  numbered = grouped.quarantine.sort_values("row", ignore_index=True)
  assert_frame_equal(numbered, whole.quarantine)
  assert len(whole.quarantine) >= 1


def test_joining(cleaned):
  loans, applications, _ = cleaned
  whole = join_portfolio(loans, applications)
  groups = list(join_in_groups(loans, applications, rows=40))

  assert len(groups) > 5
  for part in ("loans", "unmatched_loans", "unmatched_applications"):
    parts = pd.concat([getattr(group, part) for group in groups], ignore_index=True)
    assert_frame_equal(parts, getattr(whole, part))
  assert len(whole.unmatched_loans) >= 3
  assert len(whole.unmatched_applications) >= 2


def test_months(cleaned):
  loans, applications, events = cleaned
  portfolio = join_portfolio(loans, applications).loans
  whole = build_loan_months(events, portfolio)
  grouped = joined(build_months_in_groups(events, portfolio, rows=len(events) // 10))

  assert_frame_equal(grouped.rows, whole.rows)
  assert_frame_equal(grouped.quarantine, whole.quarantine)
  assert set(whole.quarantine["reason"]) == {
    "is about a loan that is not in the portfolio",
    "is before the loan was issued",
  }


def test_systems_without_a_common_loan_are_told_when_all_rows_are_read(cleaned):
  loans, applications, _ = cleaned
  others = loans.assign(loan_id="L" + loans["loan_id"])

  with pytest.raises(InputError, match="no loan_id of the one is in the other"):
    list(join_in_groups(others, applications, rows=40))


def test_a_column_in_another_unit_is_told_when_all_rows_are_read(cleaned):
  loans, applications, _ = cleaned
  shares = applications.assign(dti_pct=applications["dti_pct"] / 10_000)

  with pytest.raises(InputError, match="column dti is at most 1"):
    list(join_in_groups(loans, shares, rows=40))
