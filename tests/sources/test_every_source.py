import logging
import os
import time
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend, waiting
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.databases.source_table import Account
from loantap.portfolio.errors import InputError
from tests.sources.every_server import OnDatabricks, OnDb2, OnPostgres
from tests.sources.source_rows import EMOJI, FIRST_UPDATE, Copy, expect_remedy, find_source, make_loans, tell
from tests.support.cut_proxy import CutProxy
from tools.sources.processes import free_port

SERVERS = {"postgres": OnPostgres, "db2": OnDb2, "databricks": OnDatabricks}
# Bytes after which the network fails: beyond the first batches, and far from the end.
ENOUGH = 500_000


@pytest.fixture(params=SERVERS)
def server(request):
	return SERVERS[request.param](request.getfixturevalue(request.param))


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(server, caplog):
	caplog.set_level(logging.DEBUG)
	secret = server.secret
	yield
	assert secret not in caplog.text


def refuse(source, server):
	with pytest.raises(InputError) as refused:
		source.read().read_all()
	assert server.secret not in tell(refused.value)
	return refused.value


def warnings_in(caplog):
	"""What we warn of; drivers may have things of their own to say."""
	return [
		record.getMessage()
		for record in caplog.records
		if record.name.startswith("loantap.") and record.levelno >= logging.WARNING
	]


def rows_counted(caplog):
	"""How many rows had been dealt with, each time that it was said."""
	return [record.done for record in caplog.records if record.name == "loantap.progress"]


@pytest.fixture
def copy(tmp_path):
	return Copy(tmp_path / "loans")


def query(server, sql, *parameters):
	return find_backend(server).read(Query(sql, parameters)).read_all()


def find_backend(server):
	return make_backend("warehouse", {"connection": server.connect()})


@pytest.fixture
def loans(server):
	times = make_loans(999)["updated_at"].to_pylist()
	rows = make_loans(1_000, updated_at=[*times, None])
	server.load(rows)
	return rows


def test_every_value_arrives_in_batches_of_the_size_asked_for(server, loans):
	batches = list(find_source(server.connect(), batch_rows=300).read())

	assert [batch.num_rows for batch in batches] == [300, 300, 300, 100]
	assert pa.Table.from_batches(batches).equals(loans)


def test_a_table_without_rows_has_its_columns(server):
	server.load(make_loans(0))
	source = find_source(server.connect())

	assert source.read().read_all().equals(make_loans(0))
	assert source.account() == Account(0, None, None, 0)


def test_what_changed_since_and_what_has_no_time_is_counted_and_read(server, loans):
	source = find_source(server.connect())
	since, last = (loans["updated_at"][row].as_py() for row in (900, 998))

	assert source.account() == Account(1_000, FIRST_UPDATE, last, 1_000)
	assert source.account(since) == Account(1_000, FIRST_UPDATE, last, 100)
	read = source.read(since).read_all()["loan_id"].to_pylist()
	assert sorted(read) == loans["loan_id"].to_pylist()[900:]


def test_what_a_table_has_is_said_without_reading_it(server, loans):
	described = find_backend(server).describe("loans")

	assert [name.lower() for name in described.names] == loans.column_names
	assert described.types == loans.schema.types


def test_memory_does_not_grow_with_the_rows(server):
	row_bytes, number = 1_000, 40_000
	texts = [f"{n:08d}" * (row_bytes // 8) for n in range(number)]
	server.server.load("long_texts", pa.table({"a": texts}))
	asked = Query("SELECT a FROM long_texts")

	held = [resident_bytes() for _ in find_backend(server).read(asked, batch_rows=2_000)]

	assert len(held) == 20
	# Of the 40 MB, what a few batches take.
	assert max(held[3:]) - held[3] < number * row_bytes / 4


def resident_bytes():
	return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_numbers_of_any_kind_keep_their_digits_and_their_gaps(server):
	rows = pa.table(
		{
			"a": [0.1, None, -1.7976931348623157e308],
			"b": pa.array([2**53 + 1, None, -1], pa.int64()),
			"c": pa.array([2_147_483_647, None, 0], pa.int32()),
			"d": pa.array([-32_768, None, 1], pa.int16()),
			"e": pa.array([Decimal("12345678901.25"), None, Decimal("-0.50")]),
		}
	)
	server.server.load("numbers", rows)

	read = query(server, "SELECT a, b, c, d, e FROM numbers")

	assert read.schema.types == [pa.float64()] + [pa.int64()] * 3 + [pa.float64()]
	assert list(read.to_pydict().values()) == [
		[0.1, None, -1.7976931348623157e308],
		[9_007_199_254_740_993, None, -1],
		[2_147_483_647, None, 0],
		[-32_768, None, 1],
		[12_345_678_901.25, None, -0.5],
	]


def test_times_are_instants_and_a_date_is_its_beginning(server):
	instant = datetime(2016, 2, 29, 23, 59, 59, 123456)
	times = pa.array([instant, None], pa.timestamp("us"))
	server.server.load("times", pa.table({"a": times, "b": [date(2016, 2, 29), None]}))

	read = query(server, "SELECT a, b FROM times")

	assert read.schema.types == [pa.timestamp("us")] * 2
	assert list(read.to_pydict().values()) == [[instant, None], [datetime(2016, 2, 29), None]]


def test_texts_arrive_whatever_is_in_them(server):
	texts = [EMOJI, "", None, "12 Nowhere Lane\r\nSampleville, OK 22690", 'a "b", \\c', " d "]
	server.server.load("texts", pa.table({"a": texts}))

	assert query(server, "SELECT a FROM texts").columns[0].to_pylist() == texts


def test_a_parameter_is_never_part_of_the_statement(server):
	texts = [EMOJI, "x' OR '1' = '1", "back\\slash", ""]
	server.server.load("texts", pa.table({"a": [*texts, None]}))

	for text in texts:
		assert query(server, "SELECT a FROM texts WHERE a = ?", text).columns[0].to_pylist() == [text]
	assert query(server, "SELECT a FROM texts WHERE a = ? OR a = ?", EMOJI, "").num_rows == 2


def test_a_new_column_is_ignored_with_one_warning(server, caplog):
	loans = make_loans(100)
	server.load(loans.append_column("colour", pa.array(["blue"] * 100)))
	source = find_source(server.connect())

	rows = [source.read().read_all() for _ in range(2)]

	assert all(read.equals(loans) for read in rows)
	assert warnings_in(caplog) == ["warehouse, table loans: new columns colour are ignored"]


# 7,000 loans, each changed a minute after the one before: the last on the fifth of January.

ROWS = 7_000


@pytest.fixture
def changed(server, copy, caplog):
	"""The loans after one was regraded, which the snapshot does not know yet."""
	loans = make_loans(ROWS)
	server.load(loans)
	copy.extract(find_source(server.connect()))
	copy.expect(loans)
	at = datetime(2016, 1, 6)
	server.regrade("00000007", "G", at)
	caplog.clear()
	grades, times = loans["grade"].to_pylist(), loans["updated_at"].to_pylist()
	grades[7], times[7] = "G", at
	return make_loans(ROWS, grade=grades, updated_at=times)


def test_no_more_is_read_than_may_be_new_and_the_snapshot_equals_the_table(server, changed, copy, caplog):
	copy.extract(find_source(server.connect()))

	said = "1 of 7,000 rows are new since 2016-01-04 20:39:00"
	assert f"warehouse, table loans: {said}" in caplog.messages
	# A day before the last update known, and the one loan.
	assert rows_counted(caplog)[-1] == 1_441 + 1
	copy.expect(changed)


@pytest.fixture
def many_loans(server):
	rows = make_loans(20_000)
	server.load(rows)
	return rows


def test_an_extraction_cut_in_mid_read_ends_well_with_every_row_once(server, many_loans, copy, caplog):
	# To count the rows and to look at the columns, which the limit lets pass, and to read.
	cuts = server.probes + 3
	with CutProxy(server.port, cut_after=ENOUGH, cuts=cuts) as proxy:
		copy.extract(find_source(server.connect(proxy.port), batch_rows=500))

	copy.expect(many_loans)
	[said] = warnings_in(caplog)
	assert "table loans: the connection broke (" in said
	assert "Attempt 1 failed after" in said
	# Rows had been written already when it began anew.
	counted = rows_counted(caplog)
	assert sum(after <= before for before, after in pairwise(counted)) == 1
	assert counted[-1] == len(many_loans)


def test_an_extraction_that_breaks_each_time_leaves_the_last_good_snapshot_as_it_was(
	server, many_loans, copy, caplog, monkeypatch
):
	# The pause before another attempt is longer than the time limit.
	monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 60)
	copy.extract(find_source(server.connect()))
	before = copy.contents()
	caplog.clear()

	with CutProxy(server.port, cut_after=ENOUGH) as proxy:
		through = server.connect(proxy.port)
		error = copy.fail(find_source(through, batch_rows=500, time_limit_s=30), server.secret)

	expect_remedy(error, problem="the connection broke (", remedy="Run again when the system")
	assert "; tried 1 time in " in error.problem
	assert 0 < rows_counted(caplog)[-1] < len(many_loans)
	assert copy.contents() == before


def test_an_extraction_whose_network_stalls_is_left_to_its_silence(server, many_loans):
	with CutProxy(server.port, stall_after=ENOUGH) as proxy:
		through = find_source(server.connect(proxy.port), silence_limit_s=3, batch_rows=500)
		error = refuse(through, server)

	assert isinstance(error, SourceDownError)
	assert "nothing came for 3 s" in error.problem


def test_a_system_that_is_not_up_and_a_host_that_is_not_there_are_said_to_be_so(server):
	error = refuse(find_source(server.connect(free_port())), server)
	expect_remedy(error, problem="the system does not answer (", remedy="server and port")
	assert isinstance(error, SourceDownError)

	elsewhere = server.connect().replace("127.0.0.1", "no-such-host.invalid")
	error = refuse(find_source(elsewhere), server)
	expect_remedy(error, problem="there is no host of this name", remedy="Correct the server")
	assert not isinstance(error, SourceDownError)


@pytest.mark.parametrize(
	("sql", "name", "problem", "remedy"),
	[
		("SELECT * FROM nowhere", "nowhere", "the table is not there", "make a view of this name"),
		("SELECT colour FROM loans", "colour", "a column is not there", "restored at the source"),
	],
)
def test_what_a_statement_does_not_find_is_named(server, sql, name, problem, remedy):
	server.load(make_loans(10))

	with pytest.raises(InputError) as refused:
		query(server, sql)

	expect_remedy(refused.value, problem=problem, remedy=remedy, where="warehouse")
	assert not isinstance(refused.value, SourceDownError)
	assert name in refused.value.problem.lower()


@pytest.fixture
def denied(server):
	server.load(make_loans(10))
	server.deny()
	yield server
	server.allow()


def test_a_missing_right_is_said_to_be_one_and_what_to_grant(denied):
	error = refuse(find_source(denied.connect()), denied)

	expect_remedy(error, problem="the login is not allowed to do this (", remedy="GRANT SELECT ON the table TO the login")
	assert "loans" in error.problem.lower()


@pytest.fixture
def _in_new_york(monkeypatch):
	with monkeypatch.context() as patch:
		patch.setenv("TZ", "America/New_York")
		patch.setenv("PGTZ", "America/New_York")
		time.tzset()
		yield
	time.tzset()


@pytest.mark.usefixtures("_in_new_york")
def test_times_do_not_depend_on_the_zone_of_this_machine(server):
	"""Among them one that New York skips in spring, and one that it has twice in autumn."""
	times = [FIRST_UPDATE, datetime(2016, 3, 13, 2, 30), datetime(2016, 11, 6, 1, 30)]
	loans = make_loans(3, updated_at=times)
	server.load(loans)
	source = find_source(server.connect())
	assert time.localtime(0).tm_gmtoff == -5 * 3_600

	account = source.account(times[1])

	assert source.read().read_all().equals(loans)
	assert source.read(times[1]).read_all().equals(loans.slice(1))
	assert (account.first_update, account.last_update, account.updated) == (times[0], times[2], 2)
