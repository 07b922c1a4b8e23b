import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from loantap.portfolio.errors import InputError
from loantap.serving.audit import engines as engines_module
from loantap.serving.audit import schema
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import REVISION, metadata
from loantap.serving.errors import AuditUnavailableError, SchemaError
from tests.serving.conftest import make_url
from tests.serving.entries import ANN, ask, keep, make_decision, other_program, tamper


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
		keep(roomy, 1)
		assert roomy.verify().is_ok
		assert roomy.verify().n == len(kept) + 1


def test_a_file_that_another_program_holds_is_told(shared):
	store, other = shared
	keep(store, 1)
	other.execute("BEGIN IMMEDIATE")

	with pytest.raises(AuditUnavailableError, match="database is locked"):
		keep(store, 2)
	assert len(store.search().records) == 1

	other.execute("COMMIT")
	keep(store, 2)
	assert store.verify().n == 2


def test_whoever_comes_while_another_program_holds_it_waits_once_and_not_for_each_other(sqlite_url, monkeypatch):
	monkeypatch.setattr(engines_module, "WAIT_SECONDS", 2)
	stores = [AuditStore.open(sqlite_url) for _ in range(3)]
	waited = []

	def write(number):
		# A change has a transaction of its own.
		if number % 2:
			stores[number % 3].append([make_decision(number)], ANN)
		else:
			stores[number % 3].change(lambda _: None)

	def ask(number):
		began = time.monotonic()
		with pytest.raises(AuditUnavailableError):
			write(number)
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
		keep(store, 1)
		store.close()


def test_whether_it_can_be_written_is_tried(shared, monkeypatch):
	store, other = shared
	assert store.is_writable()
	other.execute("BEGIN IMMEDIATE")

	assert store.is_writable()  # it was, less than a second ago
	monkeypatch.setattr(store._writer, "written_at", float("-inf"))
	assert not store.is_writable()

	other.rollback()
	assert store.is_writable()
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
	keep(sqlite_store, 1)

	assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700
	files = list((tmp_path / "log").iterdir())
	assert {file.name.removeprefix("audit.db") for file in files} == {"", "-wal", "-shm", "-turns"}
	assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
class TestAServerThatGoes:
	def test_a_connection_that_was_ended_is_made_anew(self, store, url):
		keep(store, 1)
		with psycopg.connect(url, autocommit=True) as admin:
			admin.execute(
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
				"WHERE datname = current_database() AND pid <> pg_backend_pid()"
			)

		keep(store, 2)

		assert store.verify().n == 2
		assert store.is_writable()

	def test_it_is_told_and_goes_on_when_the_server_is_back(self, store, url, postgres):
		keep(store, 1)
		postgres.halt()
		try:
			with pytest.raises(AuditUnavailableError):
				keep(store, 2)
			with pytest.raises(AuditUnavailableError):
				store.search()
			assert make_url(postgres) == url
		finally:
			postgres.start()

		keep(store, 2)
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


_SET = "UPDATE alembic_version SET version_num = :revision"


def test_the_migrations_make_the_tables_that_the_code_reads(store):
	engine = store._engines.writer
	with engine.connect() as connection:
		assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_tables_of_the_first_revision_are_brought_up_to_date_with_what_they_keep(store, url):
	keep(store, 1)
	tamper(url, "DROP TABLE help_offers", _SET, revision="0001")

	assert schema.upgrade(store._engines) == "0001"

	test_the_migrations_make_the_tables_that_the_code_reads(store)
	assert store.verify().n == 1


@pytest.mark.parametrize(
	("revision", "problem", "remedy"),
	[
		("0000", f"at revision 0000, and {REVISION} is needed", "loantap-audit upgrade"),
		("9999", "at revision 9999, which this version of LoanTap", "a newer one"),
	],
)
def test_tables_of_another_age_are_refused(store, url, revision, problem, remedy):
	tamper(url, _SET, revision=revision)
	try:
		with pytest.raises(SchemaError, match=problem) as refused:
			schema.require_current(store._engines)
		assert remedy in refused.value.remedy
		if revision == "9999":
			with pytest.raises(SchemaError, match="does not know"):
				AuditStore.open(url)
	finally:
		tamper(url, _SET, revision=REVISION)


def test_two_processes_may_start_at_once(sqlite_url):
	with ThreadPoolExecutor(4) as threads:
		opened = list(threads.map(AuditStore.open, [sqlite_url] * 4))

	assert ask(sqlite_url, "SELECT version_num FROM alembic_version") == [(REVISION,)]
	assert ask(sqlite_url, "SELECT count(*) FROM probe") == [(1,)]
	for store in opened:
		store.close()


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
def test_postgresql_without_tables_is_refused_until_somebody_makes_them(url, postgres, tmp_path):
	postgres.run_sql("DROP DATABASE IF EXISTS empty")
	postgres.run_sql("CREATE DATABASE empty")
	empty = make_url(postgres, database="empty")

	with pytest.raises(SchemaError, match=r"it has no tables. Run loantap-audit upgrade"):
		AuditStore.open(empty)

	engines = open_engines(empty)
	assert schema.upgrade(engines) is None
	engines.dispose()
	AuditStore.open(empty).close()
