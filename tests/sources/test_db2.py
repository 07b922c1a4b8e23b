import os
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import EMOJI, expect_remedy, find_source, make_loans, tell
from tests.support.cut_proxy import CutProxy
from tools.sources.derby import READER
from tools.sources.processes import free_port

LATIN1 = "819"  # as IBM numbers code pages
ALL = Query("SELECT * FROM loans")
WRONG = "wr0ng/p@ss%word"
# Bytes of rows after which the network fails: beyond what the first batches take.
ENOUGH = 200_000


@pytest.fixture
def loans(db2):
	rows = make_loans(10_000)
	db2.load("loans", rows)
	return rows


def find_backend(connection, **limits):
	return make_backend("appstream", {"connection": connection}, **limits)


def fail(connection, sql=ALL.text):
	with pytest.raises(InputError) as failed:
		find_backend(connection).read(Query(sql)).read_all()
	quoted = re.fullmatch(r"[^:]+://[^:]+:([^@]+)@.*", connection)[1]
	told = tell(failed.value)
	assert not [word for word in (quoted, WRONG, connection) if word in told]
	return failed.value


@pytest.mark.parametrize(
	("connect", "problem", "remedy"),
	[
		(lambda db2: db2.connect_as(READER, password=WRONG), "the login is refused", "Correct user and password"),
		(lambda db2: db2.connect_as(READER, database="NOWHERE"), "the database is not there", "Correct database"),
		(
			lambda db2: db2.connection.replace("Authentication=SERVER&", ""),
			"the server does not take logins in this form",
			"such as Authentication=SERVER",
		),
	],
	ids=["password", "database", "form"],
)
def test_a_login_that_is_wrong(connect, problem, remedy, db2):
	error = fail(connect(db2))

	expect_remedy(error, problem=problem, remedy=remedy, where="appstream")
	assert not isinstance(error, SourceDownError)


def test_a_right_to_write_that_is_missing(db2, loans):
	error = fail(db2.connection, "INSERT INTO loans (loan_id) VALUES ('x')")

	expect_remedy(error, problem="the login is not allowed", remedy="granted", where="appstream")


def test_the_driver_keeps_no_log_of_its_own(db2):
	"""It would lie in site-packages, with hosts and logins in it."""
	import ibm_db

	driver = Path(ibm_db.__file__).parent / "clidriver"

	def sizes():
		return {path: path.stat().st_size for path in driver.glob("db2dump/*")}

	before = sizes()
	fail(db2.connect_as(READER, password="wrong"))  # noqa: S106
	fail(db2.connect_as(READER, port=free_port()))

	assert sizes() == before


def test_what_is_left_of_a_broken_reading_does_not_end_the_next(db2, loans):
	with CutProxy(db2.port, cut_after=ENOUGH) as proxy, pytest.raises(SourceDownError) as failed:
		find_backend(db2.connect_as(READER, port=proxy.port)).read(ALL).read_all()
	reader = find_backend(db2.connection).read(ALL, batch_rows=100)
	reader.read_next_batch()

	traceback.clear_frames(failed.tb)  # the first statement goes only now

	assert sum(batch.num_rows for batch in reader) == 9_900


def test_what_nobody_waits_for_any_more_ends(db2):
	# Of a table of its own, which Derby may hold for a while: a minute's work, ten thousand million pairs.
	db2.load("pairs", make_loans(10_000))
	endless = Query("SELECT COUNT(*) FROM pairs a, pairs b WHERE a.loan_amnt + b.loan_amnt < 0")
	backend = find_backend(db2.connection, answer_limit_s=1)
	started = time.monotonic()

	# Here it is the driver that gives up; Derby takes its interrupt for the end of the session.
	with pytest.raises(SourceDownError, match=r"the connection broke|ended the statement"):
		backend.read(endless).read_all()

	assert time.monotonic() - started < 10
	assert find_backend(db2.connection).read(Query("SELECT * FROM pairs")).read_all().num_rows == 10_000


def test_without_the_driver_its_package_is_named(db2, monkeypatch):
	monkeypatch.setitem(sys.modules, "ibm_db", None)

	error = fail(db2.connection)

	assert "IBM's driver is not available" in error.problem
	assert "pip install loantap[db2]" in error.remedy


def count(db2, sql, *parameters):
	return find_backend(db2.connection).read(Query(sql, parameters)).read_all().columns[0][0].as_py()


def test_writers_are_not_kept_waiting_by_a_reader(db2, loans):
	reader = find_source(db2.connection, batch_rows=100).read()
	reader.read_next_batch()

	db2.run_sql("UPDATE appstream.loans SET grade = 'C' WHERE loan_id = '00000000';")

	assert pa.Table.from_batches(list(reader)).num_rows == 9_900


def test_texts_do_not_depend_on_the_code_page_of_the_machine(db2):
	db2.load("texts", pa.table({"a": [EMOJI]}))
	program = (
		"import os, sys\n"
		"from loantap.databases.backends.db2 import DB2\n"
		"from loantap.databases.backends.interface import Query\n"
		"rows = DB2('appstream', os.environ['URL']).read(Query('SELECT a FROM texts'))\n"
		"sys.stdout.buffer.write(rows.read_all()['A'][0].as_py().encode())"
	)
	changed = {"LC_ALL": "C", "LANG": "C", "DB2CODEPAGE": LATIN1, "URL": db2.connection}

	said = subprocess.run(
		[sys.executable, "-c", program], capture_output=True, check=True, env=os.environ | changed
	).stdout

	assert said.decode() == EMOJI


def test_a_time_is_bound_with_any_fraction_of_a_second(db2):
	db2.load("loans", make_loans(1_000))
	asked = "SELECT COUNT(*) FROM loans WHERE updated_at >= CAST(? AS TIMESTAMP)"

	assert count(db2, asked, "2016-01-01 16:38:00") == 2
	assert count(db2, asked, "2016-01-01 16:38:00.5") == 1
	assert count(db2, asked, "2016-01-01T16:39:00.000001") == 0
