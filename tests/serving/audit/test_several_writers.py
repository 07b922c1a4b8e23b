import fcntl
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from loantap.serving.audit.turns import Turns
from loantap.serving.errors import AuditUnavailableError, IdempotencyConflictError
from tests.serving.entries import ANN, BOB, ask, erase, make_decision, race, tamper

KEYED = replace(ANN, idempotency_key="order 66", request_digest="d1")


def test_a_repeated_request_gets_what_was_kept(store):
	first = store.append([make_decision(1), make_decision(2)], KEYED)

	again = store.append([make_decision(3), make_decision(4)], replace(KEYED, request_id="another"))

	assert again == first
	assert store.find_idempotent("key-a", "order 66") == first
	assert store.verify().n == 2


def test_another_request_under_the_key_is_refused_and_keeps_nothing(store):
	store.append([make_decision(1)], KEYED)

	with pytest.raises(IdempotencyConflictError, match="order 66: it was used for another") as no:
		store.append([make_decision(1)], replace(KEYED, request_digest="d2"))

	assert "a key of its own" in no.value.remedy
	assert store.verify().n == 1


def test_each_caller_has_keys_of_its_own(store):
	[ann] = store.append([make_decision(1)], KEYED)
	[bob] = store.append([make_decision(1)], replace(KEYED, key_id=BOB.key_id))

	assert ann.id != bob.id
	assert store.find_idempotent(BOB.key_id, "order 66") == [bob]
	assert store.find_idempotent("key-c", "order 66") == []


def test_an_erased_answer_says_so(store):
	[kept] = store.append([make_decision(1)], KEYED)
	erase(store, kept.id)

	[again] = store.append([make_decision(1)], KEYED)

	assert again.id == kept.id
	assert again.is_erased
	assert again.personal is None


def test_the_database_itself_refuses_a_second_record_under_a_key(store, url):
	store.append([make_decision(1)], KEYED)
	copied = (
		"INSERT INTO records SELECT seq + 1, id || 'x', kind, at, caller, person, subject, "
		"request_id, idempotency_key, position, request_digest, decision, model_version, "
		"policy_digest, public, personal_digest, previous, hash FROM records"
	)

	with pytest.raises(IntegrityError):
		tamper(url, copied)


def test_a_conflict_leaves_the_others_of_its_group_alone(store):
	store.append([make_decision(1)], KEYED)
	callers = [replace(KEYED, request_digest="d2"), *[ANN] * 30]

	def ask_for(number):
		try:
			return len(store.append([make_decision(number)], callers[number])) == 1
		except IdempotencyConflictError:
			return False

	with ThreadPoolExecutor(31) as threads:
		kept = list(threads.map(ask_for, range(31)))

	assert kept == [False, *[True] * 30]
	assert store.verify().n == 31


def test_threads_of_two_stores_keep_each_request_once(url, store):
	def ask_for(log, _, number):
		caller = replace(KEYED, idempotency_key=f"key {number // 8}", request_id=f"r{number}")
		return log.append([make_decision(number // 8)], caller)[0].id

	ids = race(url, 160, ask_for)

	assert all(len(set(ids[i : i + 8])) == 1 for i in range(0, 160, 8))
	assert store.verify().n == 20
	assert ask(url, "SELECT count(*), count(DISTINCT idempotency_key) FROM records") == [(20, 20)]


_KEEP = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from loantap.serving.audit.store import AuditStore
from tests.serving.entries import ANN, make_decision
store = AuditStore.open(sys.argv[1])
def keep(thread):
    for number in range(10_000):
        key = f"{sys.argv[2]}-{thread}-{number}"
        [record] = store.append([make_decision(number)], replace(ANN, request_id=key, idempotency_key=key))
        os.write(1, f"{key} {record.id}\\n".encode())
with ThreadPoolExecutor(8) as threads:
    list(threads.map(keep, range(8)))
"""


def test_a_writer_that_is_killed_between_records_leaves_all_that_it_acknowledged(url, store):
	acknowledged = {}
	for name in ("first", "second"):
		command = [sys.executable, "-c", _KEEP, url, name]
		process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
		lines = [line for line, _ in zip(process.stdout, range(100), strict=False)]
		process.kill()
		rest, _ = process.communicate()
		whole = (line.split() for line in (*lines, *rest.splitlines(keepends=True)) if line.endswith("\n"))
		acknowledged |= dict(whole)

	assert len(acknowledged) >= 200
	for key, record_id in acknowledged.items():
		assert [record.id for record in store.find_idempotent(ANN.key_id, key)] == [record_id]
	kept = store.verify()
	assert kept.is_ok
	assert kept.n >= len(acknowledged)
	store.append([make_decision()], ANN)
	assert store.verify().is_ok


_HOLD = """
import sys
from pathlib import Path
from loantap.serving.audit.turns import Turns
with Turns(Path(sys.argv[1]), "log").taken():
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
	return tmp_path / "audit.db-turns"


@pytest.fixture
def turns(path):
	made = Turns(path, "log"), Turns(path, "log")
	yield made
	for one in made:
		one.close()


def test_nobody_has_a_turn_while_another_has_it(turns, path):
	first, second = turns
	had = threading.Event()

	def wait():
		with second.taken():
			had.set()

	waiting = threading.Thread(target=wait)
	with first.taken():
		waiting.start()
		assert not had.wait(0.2)
	assert had.wait(5)
	waiting.join()
	assert path.stat().st_mode & 0o777 == 0o600


def test_all_turns_know_whether_the_last_was_refused(turns):
	first, second = turns
	told = AuditUnavailableError("log", "the database is locked", "Wait")

	with pytest.raises(AuditUnavailableError, match="is locked"), first.taken():
		raise told
	fault = KeyError("a fault of its own, which says nothing of the database")
	with pytest.raises(KeyError), second.taken():
		raise fault
	with first.taken():
		assert first.was_refused
	with second.taken():
		assert not second.was_refused


def _try(path):
	with path.open("w") as file:
		fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_killed_process_has_no_turn(path):
	holder = subprocess.Popen(
		[sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
	)
	assert holder.stdout.readline() == "taken\n"
	with pytest.raises(BlockingIOError):
		_try(path)

	holder.send_signal(signal.SIGKILL)
	holder.communicate()

	_try(path)


def test_a_file_that_cannot_be_made_is_told(tmp_path):
	turns = Turns(tmp_path / "missing" / "audit.db-turns", "log")

	told = pytest.raises(AuditUnavailableError, match=r"audit\.db-turns: No such file")
	with told, turns.taken():
		pass
