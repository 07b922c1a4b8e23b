import logging
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from loantap.databases import source_table
from loantap.databases.backends.connection_text import set_odbc
from loantap.databases.backends.interface import SourceDownError
from loantap.databases.inspection import Outcome, inspect_source
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import Copy, expect_remedy, find_source, make_loans, tell
from tests.support.cut_proxy import CutProxy
from tests.support.waiting import wait_until
from tools.sources.postgres import OWNER, READER

AS_OF = datetime(2026, 11, 23)


@pytest.fixture
def loans(postgres):
	"""60,000 loans, some 6 MB on the wire, in the warehouse as well."""
	rows = make_loans(60_000)
	postgres.load("loans", rows)
	return rows


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(postgres, caplog):
	caplog.set_level(logging.DEBUG)
	yield
	assert postgres.password_of(READER) not in caplog.text


def refuse(postgres, ask):
	with pytest.raises(InputError) as refused:
		ask()
	for role in (READER, OWNER):
		assert postgres.password_of(role) not in tell(refused.value)
	return refused.value


def read_all(source):
	return source.read().read_all()


@contextmanager
def view_of_loans(postgres, clause):
	postgres.run_sql(
		"ALTER TABLE loans RENAME TO all_loans;"
		f"CREATE VIEW loans AS SELECT * FROM all_loans {clause}; GRANT SELECT ON loans TO {READER}"
	)
	try:
		yield
	finally:
		postgres.run_sql("DROP VIEW loans; ALTER TABLE all_loans RENAME TO loans")


@contextmanager
def reader_set(postgres, settings):
	for name, value in settings.items():
		postgres.run_sql(f"ALTER ROLE {READER} SET {name} = '{value}'")
	try:
		yield
	finally:
		postgres.run_sql(f"ALTER ROLE {READER} RESET ALL")


# What no other attempt would mend: it is said at once.


def test_a_wrong_password(postgres):
	wrong = postgres.connection.replace(postgres.password_of(READER), "s3cret;wrong")

	error = refuse(postgres, lambda: read_all(find_source(wrong)))

	expect_remedy(error, problem="the login is refused", remedy="Correct user and password")
	assert not isinstance(error, SourceDownError)
	assert "s3cret" not in tell(error)


def test_a_password_that_the_server_repeats_is_hidden(postgres):
	"""Given as the user's name too, it comes back in what the server says of the login."""
	password = "s3cret-of-nobody"  # noqa: S105 (nobody's)
	connection = set_odbc(postgres.connection, Uid=password, Pwd=password)

	error = refuse(postgres, lambda: read_all(find_source(connection)))

	assert '"***"' in error.problem
	assert password not in tell(error)


def test_a_disk_of_the_server_that_is_full(postgres, loans):
	"""The reader's sorts may take no room on it, which a server says as it does a full disk."""
	limits = {"work_mem": "64kB", "temp_file_limit": "64kB"}
	with view_of_loans(postgres, "ORDER BY loan_amnt DESC"), reader_set(postgres, limits):
		error = refuse(postgres, lambda: read_all(find_source(postgres.connection)))

	expect_remedy(error, problem="the room it allows is used up", remedy="make room")


# What may pass: `SourceDownError`, and another attempt within the time limit.


@pytest.mark.parametrize("cut_after", [10, 400, 2_000_000])
def test_a_connection_that_is_cut(cut_after, postgres, loans):
	"""In the handshake, the login, and in mid-read, where the driver's own cursors crash."""
	with CutProxy(postgres.port, cut_after=cut_after) as proxy:
		through = postgres.connect_as(READER, port=proxy.port)
		error = refuse(postgres, lambda: read_all(find_source(through)))

	assert isinstance(error, SourceDownError)
	expect_remedy(error, problem="the connection broke", remedy="Run again")


def test_a_session_that_the_administrator_ends(postgres, loans):
	reader = find_source(postgres.connection, batch_rows=5_000).read()
	reader.read_next_batch()
	postgres.run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{READER}'")

	error = refuse(postgres, reader.read_all)

	assert isinstance(error, SourceDownError)
	expect_remedy(error, problem="the connection broke", remedy="Run again")


def test_a_name_that_the_query_would_not_find_is_a_fault(postgres, loans):
	"""PostgreSQL takes a name without quotes for one in lower case."""
	postgres.run_sql('ALTER TABLE loans RENAME COLUMN loan_id TO "LOAN_ID"')

	*_, last = inspect_source(find_source(postgres.connection), AS_OF)

	assert (last.check, last.outcome) == ("columns", Outcome.FAULT)
	assert last.found.startswith("a column is not there (")
	assert "loan_id" in last.found
	assert "view" in last.remedy


@pytest.fixture
def slow_loans(postgres, loans):
	"""A view that sleeps before its first row, as one does that waits for a lock or for others."""
	with view_of_loans(postgres, "WHERE (SELECT pg_sleep(60)) IS NOT NULL"):
		yield


def test_what_nobody_waits_for_any_more_ends_at_the_server_too(postgres, slow_loans, monkeypatch):
	monkeypatch.setattr(source_table, "GRACE_S", 0.5)
	source = find_source(postgres.connection, silence_limit_s=0.5)

	error = refuse(postgres, lambda: read_all(source))

	expect_remedy(error, problem="nothing came for 0.5 s", remedy="silence_limit_s")
	wait_until(lambda: count_statements(postgres) == 0)


def test_a_shorter_limit_of_the_login_s_own_stays(postgres, slow_loans):
	with reader_set(postgres, {"statement_timeout": "200ms"}):
		error = refuse(postgres, lambda: read_all(find_source(postgres.connection)))

	expect_remedy(error, problem="after its own time limit", remedy="statement_timeout raised")


def count_statements(postgres):
	"""How many of the reader's statements the server is busy with."""
	return int(postgres.run_sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}' AND state = 'active'"))


def test_an_extraction_has_one_time_limit_for_all_it_asks(postgres, loans, tmp_path):
	"""Each of counting and reading takes longer than half of it, and less than all of it."""
	source, snapshot = find_source(postgres.connection, time_limit_s=2.5), Copy(tmp_path / "x")

	with view_of_loans(postgres, "WHERE (SELECT pg_sleep(1.5)) IS NOT NULL"):
		error = snapshot.fail(source, postgres.password_of(READER))

	expect_remedy(error, problem="longer than its time limit of 2.5 s", remedy="time_limit_s")
	# It is not used up for the next.
	assert source.persist(source.account).rows == loans.num_rows


def test_a_driver_that_hangs_does_not_keep_the_process_alive(postgres, loans):
	with CutProxy(postgres.port, stall_after=10) as proxy:
		program = (
			"import sys; from source_rows import find_source\n"
			"from loantap.databases.backends.interface import SourceDownError\n"
			"try: find_source(sys.stdin.read(), silence_limit_s=0.5).read()\n"
			"except SourceDownError: print('left')"
		)
		done = subprocess.run(
			[sys.executable, "-c", program],
			input=postgres.connect_as(READER, port=proxy.port),
			cwd=Path(__file__).parent,
			capture_output=True,
			text=True,
			timeout=60,
			check=True,
		)

	assert done.stdout.strip() == "left"
