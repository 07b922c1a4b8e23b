import gc
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from loantap.serving.api.envelope import JsonFormatter, Slots, is_alarm
from loantap.serving.api.first_start import prepare
from loantap.serving.api.process import loading, own_folder
from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.policies.book import PolicyBook
from tests.serving.api.served import make_settings
from tests.support.waiting import wait_until

# A server whose process parted in two, as that of the API does.
_SERVER = """
import os, sys, time
from pathlib import Path
from loantap.serving.api.process import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    child = os.fork()
    if child:
        print(child, folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _thawed():
	yield
	gc.unfreeze()


def test_nothing_is_collected_while_something_is_loaded_and_what_was_loaded_stays():
	with loading():
		assert not gc.isenabled()
		loaded = [[]]

	assert gc.isenabled()
	assert gc.get_freeze_count() > 0
	assert not any(one is loaded for one in gc.get_objects())


def test_garbage_is_collected_again_after_what_could_not_be_loaded():
	with pytest.raises(OSError, match="no model"), loading():
		raise OSError("no model")

	assert gc.isenabled()


def test_the_first_start_makes_log_policy_and_one_key_that_is_printed_once(tmp_path):
	settings = make_settings(tmp_path)

	told = prepare(settings)

	store = AuditStore.open(settings.audit_url)
	key = Keys(store).check(told[1].strip())
	assert key.scopes == {Scope.SCORE, Scope.READ, Scope.DECIDE, Scope.HELP, Scope.ADMIN}
	active = PolicyBook(store).active()
	assert active.policy.name == "npv 2026-11"
	store.close()
	assert prepare(settings) == []


@pytest.mark.slow
def test_no_library_that_only_trains_is_loaded():
	asked = (
		"import sys, loantap.serving.api.first_start, loantap.serving.api.worker; "
		"print(*sorted({'glum', 'imblearn', 'kedro', 'matplotlib', 'mlflow'} & sys.modules.keys()))"
	)

	said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)

	assert said.stdout.split() == ["mlflow"]


def test_as_many_as_there_are_slots_work_at_once():
	slots = Slots(2, room=0, patience=1)

	assert [slots.take(), slots.take(), slots.take()] == [True, True, False]

	slots.give_back()
	assert slots.take()


def test_who_waited_longest_is_next():
	slots, served = Slots(1, room=5, patience=10), []
	slots.take()
	threads = []

	def work(number):
		if slots.take():
			served.append(number)
			slots.give_back()

	for number in range(5):
		threads.append(threading.Thread(target=work, args=(number,)))
		threads[-1].start()
		wait_until(lambda n=number: len(slots._waiting) == n + 1)
	slots.give_back()
	for thread in threads:
		thread.join()

	assert served == [0, 1, 2, 3, 4]


def test_who_comes_when_the_room_is_full_is_refused_at_once():
	slots = Slots(1, room=1, patience=60)
	slots.take()
	waiting = threading.Thread(target=slots.take)
	waiting.start()
	wait_until(lambda: len(slots._waiting) == 1)

	began = time.monotonic()
	assert not slots.take()
	assert time.monotonic() - began < 10

	slots.give_back()
	waiting.join()


def test_a_folder_of_counters_is_there_until_the_end(tmp_path):
	with own_folder(tmp_path) as folder, own_folder(tmp_path) as other:
		(folder / "counter_1.db").write_bytes(b"1")
		assert folder.parent == other.parent == tmp_path
		assert folder != other
	assert list(tmp_path.iterdir()) == []


def test_that_of_a_killed_server_goes_once_none_of_its_processes_lives(tmp_path):
	command = [sys.executable, "-c", _SERVER, str(tmp_path)]
	with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
		child, left = server.stdout.readline().split()
		server.kill()
	(Path(left) / "counter_1.db").write_bytes(b"1")

	with own_folder(tmp_path):
		assert Path(left).exists()
	descriptor = os.pidfd_open(int(child))
	os.kill(int(child), signal.SIGKILL)
	assert select.select([descriptor], [], [], 10)[0]
	os.close(descriptor)
	with own_folder(tmp_path):
		assert not Path(left).exists()


def test_a_folder_of_somebody_else_stays(tmp_path):
	(tmp_path / "loantap-metrics-without-lock").mkdir()

	with own_folder(tmp_path):
		pass

	assert (tmp_path / "loantap-metrics-without-lock").exists()


def make_record(text, *arguments, exc_info=None):
	return logging.LogRecord("loantap.x", logging.WARNING, __file__, 1, text, arguments, exc_info)


def test_a_line_is_json_with_its_message_and_level():
	line = json.loads(JsonFormatter().format(make_record("a %s happened", "thing")))

	assert line.pop("at").endswith("Z")
	assert line == {"level": "warning", "event": "log", "logger": "loantap.x", "message": "a thing happened"}


def test_of_an_exception_its_type_and_place_are_told_and_not_its_text():
	def fail():
		raise ValueError("Zoë earns 52,000")

	try:
		fail()
	except ValueError:
		line = JsonFormatter().format(make_record("it failed", exc_info=sys.exc_info()))

	told = json.loads(line)
	assert told["exception"] == "ValueError"
	assert told["where"].startswith(f"{__file__}:")
	assert told["where"].endswith(" fail")
	assert "52,000" not in line


def test_the_server_does_not_warn_of_many_threads():
	assert not is_alarm(make_record("Configuration allows spawning up to 130 threads"))
	assert is_alarm(make_record("the disk is full"))
