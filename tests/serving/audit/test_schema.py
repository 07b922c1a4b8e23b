from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from loantap.serving.audit import schema
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.errors import SchemaError
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import REVISION, metadata
from tests.serving.conftest import make_url
from tests.serving.entries import ANN, ask, make_decision, tamper

_SET = "UPDATE alembic_version SET version_num = :revision"


def test_the_migrations_make_the_tables_that_the_code_reads(store):
  engine = store._engines.writer
  with engine.connect() as connection:
    assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_tables_of_the_first_revision_are_brought_up_to_date_with_what_they_keep(store, url):
  store.append([make_decision(1)], ANN)
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
