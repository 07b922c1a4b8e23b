import multiprocessing
import random
import time
from contextlib import contextmanager

import pandas as pd
import pytest

from loantap.databases.backends import odbc_writing, waiting
from loantap.databases.backends.interface import SourceDownError
from loantap.portfolio.errors import InputError
from tests.sources.our_tables import TABLE, assert_holds, holds_one_of, make_loans, make_target, refusal, tables, write
from tests.support.waiting import wait_until
from tools.sources.postgres import OWNER


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
	monkeypatch.setattr(waiting, "_FIRST_PAUSE_S", 0.05)


@pytest.fixture
def loans():
	return make_loans(3)


def count_sessions(server):
	asked = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{OWNER}'"
	return int(server.run_sql(asked))


def restart(server):
	server.run_sql("CHECKPOINT")  # nothing that is committed gets lost
	server.halt()
	server.start()


class TestFaults:
	"""After each the old rows are there, and no staging table."""

	@pytest.fixture
	def written(self, warehouse, loans):
		write(warehouse.owner_connection, loans)
		return warehouse

	@pytest.fixture(autouse=True)
	def _old_rows_stay(self, written, loans):
		yield
		assert_holds(written, loans)
		assert tables(written) == ["portfolio"]

	def test_a_statement_that_is_given_up_ends_at_the_server_too(self, written, monkeypatch):
		"""It would go on, and keep others waiting for the table."""
		monkeypatch.setattr(odbc_writing, "GRACE_S", 0.5)
		written.run_sql(
			f"CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
			f"'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
			f"CREATE TRIGGER dawdle BEFORE UPDATE ON {TABLE} EXECUTE FUNCTION dawdle()"
		)

		with pytest.raises(InputError) as refused:
			write(written.owner_connection, make_loans(3, version=1), time_limit_s=2)

		assert "no answer came for 2 s" in refused.value.problem
		wait_until(lambda: count_sessions(written) == 0)

	def test_a_value_that_the_table_does_not_admit(self, written):
		written.run_sql(f"ALTER TABLE {TABLE} ADD CHECK (profession NOT LIKE 'Secret%')")

		error = refusal(written, make_loans(3, version=1).assign(profession="Secret agent"))

		assert "violates check constraint" in error.problem
		assert "Secret agent" not in str(error)

	def test_a_table_that_somebody_else_holds(self, written):
		"""It is waited for less long than an answer, so that the reason is known."""
		import pyodbc

		other = pyodbc.connect(written.owner_connection, autocommit=False)
		other.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
		try:
			with pytest.raises(InputError) as refused:
				write(written.owner_connection, make_loans(3, version=1), time_limit_s=2)
		finally:
			other.close()

		assert "another transaction holds the table" in refused.value.problem

	def test_a_server_that_lost_the_staged_rows_in_a_crash(self, written):
		target = make_target(written.owner_connection)
		target.save(make_loans(30, version=1))
		restart(written)

		with pytest.raises(InputError, match="30 rows were sent, and 0 are in the staging table"):
			target.publish()
		target.discard()

	def test_a_server_that_is_stopped_before_the_rows_are_published(self, written, caplog):
		target = make_target(written.owner_connection, time_limit_s=0.5)
		target.save(make_loans(3, version=1))
		written.run_sql("CHECKPOINT")  # nothing that is committed gets lost
		written.halt()
		try:
			with pytest.raises(InputError, match=r"does not answer .* tried \d+ times in"):
				target.publish()
			target.discard()
		finally:
			written.start()

		left = next(name for name in tables(written) if "__staged_" in name)
		assert f"Staging table {left} is left behind" in caplog.text
		assert written.password_of(OWNER) not in caplog.text
		written.run_sql(f'DROP TABLE underwriting."{left}"')


@pytest.mark.parametrize("step", ["insert", "lock"])
def test_a_connection_that_is_cut_once_costs_no_row_and_doubles_none(step, warehouse, monkeypatch):
	real = getattr(odbc_writing.PostgresTransaction, step)
	calls = []

	def cut_the_second_time(self, *arguments):
		calls.append(step)
		if len(calls) == 2:
			warehouse.run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{OWNER}'")
		real(self, *arguments)

	monkeypatch.setattr(odbc_writing.PostgresTransaction, step, cut_the_second_time)
	loans, target = make_loans(200), make_target(warehouse.owner_connection, time_limit_s=10)
	for start in range(0, 200, 100):
		target.save(loans[start : start + 100])
	target.publish()
	write(warehouse.owner_connection, loans, time_limit_s=10)

	assert len(calls) > 2
	assert_holds(warehouse, loans)


@pytest.mark.parametrize("lost_one", [2, 3], ids=["of rows sent", "of the publication"])
def test_a_commit_whose_answer_was_lost_is_not_made_twice(lost_one, warehouse, monkeypatch):
	"""The second attempt finds what the first has done."""
	real = odbc_writing.WritableOdbc.transaction
	made = []

	@contextmanager
	def lose_one_answer(self):
		with real(self) as transaction:
			yield transaction
		made.append(self)
		if len(made) == lost_one:
			raise SourceDownError("warehouse", "the connection broke", "")

	monkeypatch.setattr(odbc_writing.WritableOdbc, "transaction", lose_one_answer)
	target = make_target(warehouse.owner_connection, mode="upsert", time_limit_s=10)
	target.save(make_loans(200))
	target.save(make_loans(100, version=1))
	target.publish()

	assert len(made) > lost_one
	last = pd.concat([make_loans(100, version=1), make_loans(200).tail(100)], ignore_index=True)
	assert_holds(warehouse, last)


def _make_version(version):
	"""Each has keys that the one before has not, and lacks some of its: all kinds of change."""
	return make_loans(2_000, version).iloc[100 * (version % 5) :][:1_500].reset_index(drop=True)


def _write_version(connection, version, started, publishing):
	target = make_target(connection, time_limit_s=20)
	loans = _make_version(version)
	started.set()
	for start in range(0, 1_500, 500):
		target.save(loans[start : start + 500])
	publishing.set()
	# A statement at a time, with room to be killed in between.
	execute = odbc_writing.PostgresTransaction.execute

	def execute_slowly(self, statement):
		time.sleep(0.01)
		return execute(self, statement)

	odbc_writing.PostgresTransaction.execute = execute_slowly
	target.publish()


def test_a_run_that_is_killed_at_any_moment_loses_and_doubles_no_row(warehouse):
	"""Ten times: at once the old rows or the new ones are there, and the next run completes.

	Every other run is killed from the beginning of the publication on, whose statements would show.
	"""
	context = multiprocessing.get_context("forkserver")
	context.set_forkserver_preload(["loantap.datasets"])
	moments, killed = random.Random(20_261_123), {True: 0, False: 0}  # noqa: S311
	write(warehouse.owner_connection, _make_version(0), time_limit_s=20)

	for version in range(1, 11):
		is_late = version % 2 == 0
		events = (context.Event(), context.Event())
		arguments = (warehouse.owner_connection, version, *events)
		run = context.Process(target=_write_version, args=arguments)
		run.start()
		assert events[is_late].wait(30)
		time.sleep(moments.uniform(0, 0.15))
		run.kill()
		run.join()
		killed[is_late] += run.exitcode == -9

		expected = _make_version(version)
		assert holds_one_of(warehouse, _make_version(version - 1), expected)
		write(warehouse.owner_connection, expected, time_limit_s=20)
		assert_holds(warehouse, expected)

	assert min(killed.values()) >= 2
