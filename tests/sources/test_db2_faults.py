import re
import sys
import time
import traceback
from pathlib import Path

import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query, SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.source_rows import expect_remedy, make_loans, tell
from tests.support.cut_proxy import CutProxy
from tools.sources.derby import READER
from tools.sources.ports import free_port

ALL = Query("SELECT * FROM loans")
WRONG = "wr0ng/p@ss%word"
# Bytes of rows after which the network fails: beyond what the first batches take.
ENOUGH = 200_000


@pytest.fixture
def loans(db2):
    rows = make_loans(10_000)
    db2.load("loans", rows)
    return rows


def find_backend(connection):
    return make_backend("appstream", {"connection": connection})


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
        (lambda db2: db2.connect_as(READER, password=WRONG),
         "the login is refused", "Correct user and password"),
        (lambda db2: db2.connect_as(READER, database="NOWHERE"),
         "the database is not there", "Correct database"),
        (lambda db2: db2.connection.replace("Authentication=SERVER&", ""),
         "the server does not take logins in this form", "such as Authentication=SERVER"),
    ],
    ids=["password", "database", "form"],
)  # fmt: skip
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


def test_what_nobody_waits_for_any_more_ends(db2, loans):
    # A minute's work: ten thousand million pairs.
    endless = Query("SELECT COUNT(*) FROM loans a, loans b WHERE a.loan_amnt + b.loan_amnt < 0")
    backend = make_backend("appstream", {"connection": db2.connection}, answer_limit_s=1)
    started = time.monotonic()

    # Here it is the driver that gives up; Derby takes its interrupt for the end of the session.
    with pytest.raises(SourceDownError, match=r"the connection broke|ended the statement"):
        backend.read(endless).read_all()

    assert time.monotonic() - started < 10
    assert find_backend(db2.connection).read(ALL).read_all().num_rows == loans.num_rows


def test_without_the_driver_its_package_is_named(db2, monkeypatch):
    monkeypatch.setitem(sys.modules, "ibm_db", None)

    error = fail(db2.connection)

    assert "IBM's driver is not available" in error.problem
    assert "pip install loantap[db2]" in error.remedy
