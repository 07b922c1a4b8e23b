import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from sqlalchemy import create_engine, text

from loantap.serving.audit.records import Caller, Entry, Kind
from loantap.serving.audit.store import AuditStore
from loantap.serving.errors import NotNowError

ANN = Caller("key-a", "Ann Lee", "request-1")
BOB = Caller("key-b", "Bob Ray", "request-2")


def make_decision(number=1, decision="approve", **public):
	return Entry(
		Kind.DECISION,
		{
			"decision": decision,
			"probability_of_default": 0.1 + number / 1000,
			"amount": 1000.0 * number,
			"model": {"name": "loantap-lending-demo", "version": "3"},
			"policy": {"version": "npv 2026-11", "digest": "189e91e62ae3"},
			**public,
		},
		{
			"application_id": f"A{number}",
			"application": {"annual_inc": 52_000.5, "emp_title": "Zoë's café", "term": 36},
			"reasons": ["the DTI of 31% raises the risk"],
		},
	)


def keep(store, *numbers, by=ANN):
	return store.append([make_decision(number) for number in numbers], by)


def erase(store, *record_ids):
	return store.erase(BOB, "asked for", record_ids=record_ids)


def tamper(url, *statements, **values):
	"""The triggers are out of the way, as for who owns the database."""
	with connected(url) as connection:
		if connection.dialect.name == "sqlite":
			for trigger in ("records_no_update", "records_no_delete", "personal_no_update"):
				connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
		else:
			connection.execute(text("SET LOCAL session_replication_role = replica"))
		for statement in statements:
			used = {key: value for key, value in values.items() if f":{key}" in statement}
			connection.execute(text(statement), used)


def race(url, n, act):
	"""What four people get who act at once, over two stores as two processes have; None where it was refused."""
	stores = [AuditStore.open(url), AuditStore.open(url)]

	def attempt(number):
		caller = Caller(f"key-{number % 4}", f"Person {number % 4}", "r")
		try:
			return act(stores[number % 2], caller, number)
		except NotNowError:
			return None

	with ThreadPoolExecutor(8) as threads:
		found = list(threads.map(attempt, range(n)))
	for store in stores:
		store.close()
	return found


def ask(url, question, **values):
	with connected(url) as connection:
		return [tuple(row) for row in connection.execute(text(question), values)]


@contextmanager
def other_program(url):
	"""It holds the log after `BEGIN IMMEDIATE`."""
	path = url.removeprefix("sqlite:///")
	with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
		yield other


@contextmanager
def connected(url):
	engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
	try:
		with engine.begin() as connection:
			yield connection
	finally:
		engine.dispose()
