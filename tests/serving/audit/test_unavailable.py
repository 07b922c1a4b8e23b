import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import event

from loantap.portfolio.errors import InputError
from loantap.serving.audit import engines as engines_module
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.errors import AuditUnavailableError
from loantap.serving.audit.store import AuditStore
from tests.serving.conftest import make_url
from tests.serving.entries import ANN, make_decision, other_program


@pytest.fixture
def small_store(sqlite_url):
  """A log on a disk that is soon full."""
  opened = AuditStore.open(sqlite_url)

  def limit(connection, _):
    connection.execute("PRAGMA max_page_count = 60")

  opened.close()
  event.listen(opened._engines.writer, "connect", limit)
  yield opened
  opened.close()


def test_what_was_acknowledged_stays_and_it_goes_on_where_there_is_room(small_store, sqlite_url):
  kept = []

  def keep_on():
    for _ in range(1_000):
      kept.extend(record.id for record in small_store.append([make_decision()] * 5, ANN))

  with pytest.raises(AuditUnavailableError, match="database or disk is full") as full:
    keep_on()

  assert "its disk has room" in full.value.remedy
  assert 20 < len(kept) < 1_000
  assert all(small_store.find(record_id) for record_id in kept)
  assert small_store.verify().is_ok
  assert small_store.waiting == 0
  with closing(AuditStore.open(sqlite_url)) as roomy:
    roomy.append([make_decision()], ANN)
    assert roomy.verify().is_ok
    assert roomy.verify().n == len(kept) + 1


def test_a_file_that_another_program_holds_is_told(sqlite_url, monkeypatch):
  monkeypatch.setattr(engines_module, "WAIT_SECONDS", 0.1)
  with closing(AuditStore.open(sqlite_url)) as store, other_program(sqlite_url) as other:
    store.append([make_decision(1)], ANN)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(AuditUnavailableError, match="database is locked"):
      store.append([make_decision(2)], ANN)
    assert len(store.search().records) == 1

    other.execute("COMMIT")
    store.append([make_decision(2)], ANN)
    assert store.verify().n == 2


def test_whoever_comes_while_another_program_holds_it_waits_once_and_not_for_each_other(sqlite_url, monkeypatch):
  monkeypatch.setattr(engines_module, "WAIT_SECONDS", 2)
  stores = [AuditStore.open(sqlite_url) for _ in range(3)]
  waited = []

  def keep(number):
    # A change has a transaction of its own.
    if number % 2:
      stores[number % 3].append([make_decision(number)], ANN)
    else:
      stores[number % 3].change(lambda _: None)

  def ask(number):
    began = time.monotonic()
    with pytest.raises(AuditUnavailableError):
      keep(number)
    waited.append(time.monotonic() - began)

  with other_program(sqlite_url) as other:
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(24) as threads:
      for number in range(24):
        threads.submit(ask, number)
        time.sleep(0.05)
  # One after the other, they would wait for 16 seconds and more.
  assert len(waited) == 24
  assert max(waited) < 8
  for store in stores:
    store.append([make_decision()], ANN)
    store.close()


def test_whether_it_can_be_written_is_tried(sqlite_url, monkeypatch):
  monkeypatch.setattr(engines_module, "WAIT_SECONDS", 0.1)
  with closing(AuditStore.open(sqlite_url)) as store:
    assert store.is_writable()
    with other_program(sqlite_url) as other:
      other.execute("BEGIN IMMEDIATE")

      assert store.is_writable()  # it was, less than a second ago
      monkeypatch.setattr(store._writer, "written_at", float("-inf"))
      assert not store.is_writable()

    assert store.is_writable()


def test_a_log_that_was_never_written_to_is_tried_first(store):
  assert store._writer.written_at == float("-inf")
  assert store.is_writable()
  assert store._writer.written_at > 0
  assert store.verify().n == 0


@pytest.mark.parametrize(
  ("file", "problem"), [("plain/audit.db", "the file cannot be written"), ("plain", "not a database")]
)
def test_a_file_that_cannot_be_the_log_is_told(tmp_path, file, problem):
  (tmp_path / "plain").write_text("hello" * 1_000)

  with pytest.raises(AuditUnavailableError, match=problem):
    AuditStore.open(f"sqlite:///{tmp_path}/{file}")


@pytest.mark.parametrize(
  ("url", "problem"),
  [
    ("nothing://host/db", "it is not understood"),
    ("mysql://host/db", "is not one of sqlite, postgresql|it is not understood"),
    ("sqlite:///:memory:", "a log in memory would be lost"),
  ],
)
def test_another_address_is_refused(url, problem):
  with pytest.raises(InputError, match=problem) as refused:
    open_engines(url)

  assert refused.value.where == "LOANTAP_AUDIT_URL"
  assert "postgresql://" in refused.value.remedy


@pytest.mark.slow
def test_nobody_reads_the_password_in_a_message():
  with pytest.raises(AuditUnavailableError) as refused:
    AuditStore.open("postgresql://ann:s3cret@127.0.0.1:9/audit")

  assert "s3cret" not in str(refused.value)
  assert "ann:***@127.0.0.1:9/audit" in str(refused.value)


def test_the_files_are_its_owners_alone(sqlite_store, tmp_path):
  sqlite_store.append([make_decision()], ANN)

  assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700
  files = list((tmp_path / "log").iterdir())
  assert {file.name.removeprefix("audit.db") for file in files} == {"", "-wal", "-shm", "-turns"}
  assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
class TestAServerThatGoes:
  def test_a_connection_that_was_ended_is_made_anew(self, store, url):
    store.append([make_decision(1)], ANN)
    with psycopg.connect(url, autocommit=True) as admin:
      admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
      )

    store.append([make_decision(2)], ANN)

    assert store.verify().n == 2
    assert store.is_writable()

  def test_it_is_told_and_goes_on_when_the_server_is_back(self, store, url, postgres):
    store.append([make_decision(1)], ANN)
    postgres.halt()
    try:
      with pytest.raises(AuditUnavailableError):
        store.append([make_decision(2)], ANN)
      with pytest.raises(AuditUnavailableError):
        store.search()
      assert make_url(postgres) == url
    finally:
      postgres.start()

    store.append([make_decision(2)], ANN)
    assert store.verify().n == 2

  def test_another_writer_that_does_not_end_is_told(self, url, monkeypatch):
    monkeypatch.setattr(engines_module, "WAIT_SECONDS", 1)
    first, second = AuditStore.open(url), AuditStore.open(url)

    told = pytest.raises(AuditUnavailableError, match="lock timeout")
    with first._engines.writing(), told:
      second.append([make_decision(1)], ANN)

    second.append([make_decision(1)], ANN)
    first.close()
    second.close()
