"""What goes wrong with DB2, provoked for real: the error says what it is and what to do."""

import logging
import re
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import find_source, make_loans, tell
from tests.support.cut_proxy import CutProxy
from tools.sources.derby import READER
from tools.sources.ports import free_port

ALL = Query("SELECT * FROM loans")
WRONG = "wr0ng/p@ss%word"
# Bytes of rows after which the network fails: beyond what the first batches take.
ENOUGH = 200_000


@pytest.fixture
def loans(db2):
    """10,000 loans, in DB2 as well."""
    rows = make_loans(10_000)
    db2.load("loans", rows)
    return rows


def find_backend(connection):
    return make_backend("appstream", {"connection": connection})


def fail(connection, sql=ALL.text):
    """The error of reading; neither it nor what led to it may tell a password."""
    with pytest.raises(InputError) as failed:
        find_backend(connection).read(Query(sql)).read_all()
    expect_no_secret(failed.value, connection)
    assert failed.value.where == "appstream"
    return failed.value


def expect_no_secret(error, connection):
    quoted = re.fullmatch(r"[^:]+://[^:]+:([^@]+)@.*", connection)[1]
    told = tell(error)
    assert not [word for word in (quoted, WRONG, connection) if word in told]


def expect(error, *, problem, remedy, passes=False):
    assert problem in error.problem
    assert remedy in error.remedy
    assert isinstance(error, SourceDownError) is passes


class TestLogin:
    def test_a_wrong_password(self, db2):
        expect(
            fail(db2.connect_as(READER, password=WRONG)),
            problem="the login is refused",
            remedy="Correct user and password",
        )

    def test_an_unknown_database(self, db2):
        expect(
            fail(db2.connect_as(READER, database="NOWHERE")),
            problem="the database is not there",
            remedy="Correct database",
        )

    def test_a_form_of_login_that_the_server_does_not_take(self, db2):
        connection = db2.connection.replace("Authentication=SERVER&", "")

        expect(
            fail(connection),
            problem="the server does not take logins in this form",
            remedy="such as Authentication=SERVER",
        )


class TestTable:
    def test_a_missing_table(self, db2):
        error = fail(db2.connection, "SELECT * FROM nowhere")

        expect(error, problem="the table is not there", remedy="Correct the schema")
        assert '"NOWHERE" is an undefined name' in error.problem

    def test_a_missing_column(self, db2, loans):
        error = fail(db2.connection, "SELECT colour FROM loans")

        expect(error, problem="a column is not there", remedy="Have it restored at the source")
        assert '"COLOUR"' in error.problem

    def test_a_reader_may_not_write(self, db2, loans):
        error = fail(db2.connection, "INSERT INTO loans (loan_id) VALUES ('x')")

        expect(error, problem="the login is not allowed", remedy="Have it granted")


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


class TestNetwork:
    def test_what_is_left_of_a_broken_reading_does_not_end_the_next(self, db2, loans):
        with (
            CutProxy(db2.port, cut_after=ENOUGH) as proxy,
            pytest.raises(SourceDownError) as failed,
        ):
            find_backend(db2.connect_as(READER, port=proxy.port)).read(ALL).read_all()
        reader = find_backend(db2.connection).read(ALL, batch_rows=100)
        reader.read_next_batch()

        traceback.clear_frames(failed.tb)  # the first statement goes only now

        assert sum(batch.num_rows for batch in reader) == 9_900

    def test_what_nobody_waits_for_any_more_ends(self, db2, loans):
        # A minute's work: ten thousand million pairs.
        endless = Query("SELECT COUNT(*) FROM loans a, loans b WHERE a.loan_amnt + b.loan_amnt < 0")
        backend = make_backend("appstream", {"connection": db2.connection}, answer_limit_s=1)
        started = time.monotonic()

        # Here it is the driver that gives up; Derby takes its interrupt for the end of the session.
        with pytest.raises(SourceDownError, match=r"the connection broke|ended the statement"):
            backend.read(endless).read_all()

        assert time.monotonic() - started < 10
        assert find_backend(db2.connection).read(ALL).read_all().num_rows == loans.num_rows

    def test_a_server_that_stops_in_mid_read_and_comes_back(self, db2, loans, caplog):
        source = find_source(db2.connection, batch_rows=100)
        reader = source.read()
        reader.read_next_batch()
        db2.halt()
        with pytest.raises(SourceDownError):
            reader.read_all()
        comes_back = threading.Thread(target=db2.start)

        with caplog.at_level(logging.WARNING):
            comes_back.start()
            read = source.persist(lambda: source.read().read_all())
        comes_back.join()

        assert read.equals(loans)
        assert db2.password_of(READER) not in caplog.text


def test_without_the_driver_its_package_is_named(db2, monkeypatch):
    monkeypatch.setitem(sys.modules, "ibm_db", None)

    expect(
        fail(db2.connection),
        problem="IBM's driver is not available",
        remedy="pip install loantap[db2]",
    )
