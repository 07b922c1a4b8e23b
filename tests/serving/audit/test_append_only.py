import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.serving.entries import ANN, connected, make_decision


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET person = 'Eve'",
        "UPDATE records SET decision = NULL WHERE seq = 1",
        "DELETE FROM records",
        "DELETE FROM records WHERE seq = 2",
        "UPDATE personal SET content = '{}'",
    ],
)
def test_a_change_is_refused(store, url, statement):
    store.append([make_decision(1), make_decision(2)], ANN)
    with pytest.raises(DBAPIError, match="the log is append-only"), connected(url) as connection:
        connection.execute(text(statement))

    assert store.verify().n == 2
    assert store.verify().is_ok


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
@pytest.mark.parametrize("table", ["records", "personal"])
def test_a_table_is_not_emptied_in_postgresql(store, url, table):
    with pytest.raises(DBAPIError, match="refuses TRUNCATE"), connected(url) as connection:
        connection.execute(text(f"TRUNCATE {table}"))


def test_what_reads_does_not_write(store):
    refused = "readonly|read-only|does not do it|cannot execute"

    with pytest.raises(Exception, match=refused):
        store.read(lambda connection: connection.execute(text("INSERT INTO probe VALUES ('a', 'b')")))
