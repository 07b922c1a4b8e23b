import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio.assembly import build_loan_months, join_portfolio
from loantap.portfolio.cleaning import Cleaned, clean_source_table
from loantap.portfolio.dictionary import SIMULATED, Table, columns_of
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import content_ids
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_events, simulate_portfolio
from loantap.tables.ordered import (
	PLACE,
	build_months_in_groups,
	clean_in_groups,
	group_rows,
	join_in_groups,
	pair_groups,
	sort_rows,
)
from loantap.tables.rows import frame_of, gather_batches
from tests.conftest import AS_OF

ROWS = 2_000


@pytest.fixture(scope="module")
def rows():
	rng = np.random.default_rng(1)
	ids = pd.Series([f"{number:03x}" for number in rng.integers(0, 300, ROWS)], dtype="str")
	ids[::50] = np.nan
	return pd.DataFrame({"id": ids, "value": rng.random(ROWS)})


@pytest.fixture(scope="module")
def ordered(rows):
	return rows.sort_values("id", kind="stable", ignore_index=True)


def batches(rows, size):
	return (rows[start : start + size] for start in range(0, len(rows), size))


def test_rows_come_in_order_and_equal_ones_as_they_came(rows):
	reader = pa.Table.from_pandas(rows, preserve_index=False).to_reader(max_chunksize=300)
	sorted_rows = pd.concat(map(frame_of, sort_rows(reader, "id")), ignore_index=True)

	expected = rows.assign(**{PLACE: range(ROWS)}).sort_values("id", kind="stable", ignore_index=True)
	assert_frame_equal(sorted_rows, expected)


@pytest.mark.parametrize("size", [1, 10, 100, 10_000])
def test_a_group_holds_all_rows_of_its_values(ordered, size):
	groups = list(group_rows(batches(ordered, 77), "id", size))

	assert_frame_equal(pd.concat(groups), ordered)
	assert sum(group["id"].nunique() for group in groups) == ordered["id"].nunique()
	assert max(map(len, groups)) < size + 77 + 40


def test_rows_in_another_order_are_no_groups(rows):
	with pytest.raises(ValueError, match="not in the order of id"):
		list(group_rows([rows], "id"))


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1_000), (1_000, 1), (50, 70), (9_999, 9_999)])
def test_rows_of_one_value_are_in_one_pair(ordered, ours, theirs):
	known = ordered.dropna()
	left = known[known["id"] > "010"].reset_index(drop=True)
	right = known[known["id"].str.endswith(("1", "5", "a"))].reset_index(drop=True)

	pairs = list(
		pair_groups(group_rows(batches(left, 13), "id", ours), group_rows(batches(right, 13), "id", theirs), "id")
	)

	assert_frame_equal(pd.concat([one for one, _ in pairs]), left)
	assert_frame_equal(pd.concat([other for _, other in pairs]), right)
	places = [{*one["id"], *other["id"]} for one, other in pairs]
	assert sum(map(len, places)) == len(set().union(*places))


def test_a_table_without_rows_has_a_pair_all_the_same(ordered):
	known = ordered.dropna()
	empty = known.head(0)

	assert [tuple(map(len, pair)) for pair in pair_groups([empty], [empty], "id")] == [(0, 0)]
	sizes = [tuple(map(len, pair)) for pair in pair_groups([empty], [known], "id")]
	assert sizes == [(0, len(known))]


@pytest.mark.parametrize(
	("sizes", "rows", "expected"),
	[
		([3, 3, 3, 3], 6, [6, 6]),
		([3, 3, 3], 5, [6, 3]),
		([3], 5, [3]),
		([9, 1], 5, [9, 1]),
		([0], 5, [0]),
		([], 5, []),
		([2, 2], 1, [2, 2]),
	],
)
def test_the_same_rows_come_in_fewer_batches(sizes, rows, expected):
	whole = pd.DataFrame({"loan_id": [str(n) for n in range(sum(sizes))]})
	starts = [sum(sizes[:n]) for n in range(len(sizes))]
	batches = (whole[a : a + n] for a, n in zip(starts, sizes, strict=True))

	gathered = list(gather_batches(batches, rows))

	assert [len(batch) for batch in gathered] == expected
	if gathered:
		assert_frame_equal(pd.concat(gathered, ignore_index=True), whole)


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
	return [clean_grouped(raw, table).rows for table in Table]


def clean_grouped(raw, table):
	return joined(clean_in_groups(raw[table], table, AS_OF, rows=len(raw[table]) // 10))


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
	grouped = clean_grouped(raw, table)

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


@pytest.mark.parametrize(
	("column", "change", "told"),
	[
		("loan_id", lambda ids: "L" + ids, "no loan_id of the one is in the other"),
		("dti_pct", lambda shares: shares / 10_000, "column dti is at most 1"),
	],
)
def test_what_only_all_rows_show_is_told_when_all_are_read(column, change, told, cleaned):
	loans, applications, _ = cleaned
	changed = applications.assign(**{column: change(applications[column])})

	with pytest.raises(InputError, match=told):
		list(join_in_groups(loans, changed, rows=40))
