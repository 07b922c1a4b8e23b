import pytest

from loantap.portfolio.dictionary import (
	COLUMNS,
	CSV_ORDER,
	GRADES,
	SOURCE_COLUMNS,
	SUB_GRADES,
	Kind,
	System,
	Table,
	columns_of,
	portfolio_columns,
)

every_column = pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS.keys())
every_csv_column = pytest.mark.parametrize("column", portfolio_columns(), ids=CSV_ORDER)


def test_the_file_s_columns_are_those_of_loans_and_applications():
	names = {c.name for c in (*columns_of(Table.LOANS), *columns_of(Table.APPLICATIONS))}

	assert names == set(CSV_ORDER)
	assert len(CSV_ORDER) == len(names) == 27
	assert len(columns_of(Table.LOANS)) == 9
	assert len(columns_of(Table.APPLICATIONS)) == 18


def test_the_file_s_columns_stand_in_the_order_of_the_real_file(sample_text):
	assert [column.source_name for column in portfolio_columns()] == list(sample_text.columns)


@every_column
def test_every_column_says_what_it_means_in_one_line_and_where_it_comes_from(column):
	assert column.meaning
	assert "\n" not in column.meaning
	assert not column.meaning.endswith(".")
	assert (column.table is None) == (column.source_name is None) == (column.system is None)


def test_every_field_of_an_application_has_a_short_label_of_its_own():
	labels = [c.label for c in portfolio_columns() if c.name != "loan_status"]

	assert len(set(labels)) == 26
	assert all(0 < len(label) <= 26 for label in labels)


@every_csv_column
def test_every_column_of_the_file_has_a_source_system(column):
	expected = System.WAREHOUSE if column.table is Table.LOANS else System.APPSTREAM

	assert column.system is expected
	assert column.source_name


@every_column
def test_every_quantity_has_a_unit_and_a_valid_range(column):
	if column.kind not in {Kind.NUMBER, Kind.COUNT}:
		return
	assert column.unit
	has_range = column.minimum is not None and column.maximum is not None
	assert has_range or column.values
	if has_range:
		assert column.minimum < column.maximum


@pytest.mark.parametrize("table", Table)
def test_source_names_are_unique_within_a_table(table):
	names = [c.source_name for c in columns_of(table)]

	assert names
	assert len(names) == len(set(names))


def test_canonical_names_are_unique_over_all_tables():
	assert len({c.name for c in SOURCE_COLUMNS}) == len(SOURCE_COLUMNS)


def test_what_is_settled_after_the_decision_is_marked_so():
	later = {c.name for c in portfolio_columns() if not c.known_at_decision}

	assert later == {"loan_status", "listing_status", "income_verification"}
	assert not COLUMNS["is_charged_off"].known_at_decision
	assert not any(c.known_at_decision for c in columns_of(Table.LOAN_EVENTS))


def test_personal_data_is_marked_so():
	personal = {c.name for c in COLUMNS.values() if c.personal}

	assert personal == {"profession", "title", "address", "state", "pincode"}


def test_every_grade_has_five_sub_grades():
	assert GRADES == ("A", "B", "C", "D", "E", "F", "G")
	assert SUB_GRADES[:6] == ("A1", "A2", "A3", "A4", "A5", "B1")
	assert len(SUB_GRADES) == 35
