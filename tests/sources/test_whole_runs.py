import re
from contextlib import contextmanager
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from loantap.portfolio.dictionary import Table
from tests.sources.real_project import (
	find_secrets,
	in_environment,
	ingest,
	make_demo_tables,
	make_empty,
	run_real,
	unwrap,
)
from tools.sources.postgres import OUTPUT_SCHEMA, OWNER

# A loan's rows were last changed two days after those of the loan before it, in every system.
FIRST_UPDATE, STEP = datetime(2011, 6, 1), timedelta(days=2)
WRONG = "5ec2e7" * 5
pytestmark = pytest.mark.usefixtures("_where_the_servers_are")


@pytest.fixture(scope="module")
def tables():
	"""The demo portfolio, changed little by little rather than all on one day."""
	made = make_demo_tables()
	loan_ids = made[Table.LOANS]["loan_id"].to_pylist()
	moments = {loan_id: FIRST_UPDATE + STEP * number for number, loan_id in enumerate(loan_ids)}
	return {table: _date(rows, moments) for table, rows in made.items()}


def _date(rows, moments):
	times = pa.array([moments[loan_id] for loan_id in rows["loan_id"].to_pylist()])
	return rows.set_column(rows.schema.get_field_index("updated_at"), "updated_at", times)


@pytest.fixture(scope="module")
def project(servers, empty_store, tmp_path_factory):
	"""A project that has read them once. Each test leaves it up to date with them."""
	made = make_empty(tmp_path_factory.mktemp("real"), empty_store)
	with in_environment(servers):
		ingest(made)
	return made


@pytest.fixture
def change(servers, tables):
	"""Change a loan, known by its number, after all other changes."""
	loan_ids = tables[Table.LOANS]["loan_id"].to_pylist()

	def change_loan(number):
		newest = datetime.fromisoformat(servers.postgres.run_sql("SELECT max(updated_at) FROM loans"))
		servers.postgres.run_sql(
			f"UPDATE loans SET initial_list_status = translate(initial_list_status, 'fw', 'wf'),"
			f" updated_at = '{newest + STEP}' WHERE loan_id = '{loan_ids[number]}'"
		)

	return change_loan


@contextmanager
def without(server, right, of):
	server.run_sql(f"REVOKE {right} FROM {of};")
	try:
		yield
	finally:
		server.run_sql(f"GRANT {right} TO {of};")


@contextmanager
def without_access_to_events(servers):
	"""Spark knows no rights on tables, but tokens can be withdrawn."""
	token = servers.databricks.token
	servers.databricks.allow([f"dapi/{WRONG}+=="])
	try:
		yield
	finally:
		servers.databricks.allow([token])


def without_right_to_the_last_table(servers):
	return without(servers.postgres, f"ALL ON {OUTPUT_SCHEMA}.portfolio_reconciliation", OWNER)


@pytest.mark.parametrize(
	("number", "trouble", "message"),
	[
		# The others have been read by then.
		(12, without_access_to_events, "business_events, table loan_events: .*token may have"),
		# All tables of ours are replaced together, or none.
		(14, without_right_to_the_last_table, "warehouse, .*portfolio_reconciliation.*granted"),
	],
	ids=["loan_events", "the last of our tables"],
)
def test_a_run_that_fails_changes_nothing(number, trouble, message, project, servers, change, tables):
	change(number)
	digests, written = project.digests(), servers.written()

	with trouble(servers):
		failed = run_real(project, "ingestion")

	assert failed.exit_code == 1
	assert re.search(f"Error: {message}", unwrap(failed.output))
	assert failed.output.count("Error: ") == 1
	assert "Traceback" not in failed.output
	assert find_secrets(failed.output, project, servers) == []
	assert project.digests() == digests
	assert servers.written() == written
	# What was read before the failure does not count as read.
	where = f"warehouse, table loans: 1 of {tables[Table.LOANS].num_rows:,} rows are new since"
	assert where in unwrap(ingest(project).output)
	assert servers.written() != written
