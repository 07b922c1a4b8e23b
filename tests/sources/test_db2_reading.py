import os
import subprocess
import sys

import pyarrow as pa
import pytest

from loantap.databases.backends import make_backend
from loantap.databases.backends.interface import Query
from tests.sources.source_rows import EMOJI, find_source, make_loans

LATIN1 = "819"  # as IBM numbers code pages


@pytest.fixture
def loans(db2):
    rows = make_loans(1_000)
    db2.load("loans", rows)
    return rows


def count(db2, sql, *parameters):
    backend = make_backend("appstream", {"connection": db2.connection})
    return backend.read(Query(sql, parameters)).read_all().columns[0][0].as_py()


def test_writers_are_not_kept_waiting_by_a_reader(db2, loans):
    reader = find_source(db2.connection, batch_rows=100).read()
    reader.read_next_batch()

    db2.run_sql("UPDATE appstream.loans SET grade = 'C' WHERE loan_id = '00000000';")

    assert pa.Table.from_batches(list(reader)).num_rows == 900


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


def test_a_time_is_bound_with_any_fraction_of_a_second(db2, loans):
    asked = "SELECT COUNT(*) FROM loans WHERE updated_at >= CAST(? AS TIMESTAMP)"

    assert count(db2, asked, "2016-01-01 16:38:00") == 2
    assert count(db2, asked, "2016-01-01 16:38:00.5") == 1
    assert count(db2, asked, "2016-01-01T16:39:00.000001") == 0
