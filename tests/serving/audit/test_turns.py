import signal
import subprocess
import sys
import threading

import pytest

from loantap.serving.audit.errors import AuditUnavailableError
from loantap.serving.audit.turns import Turns

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


def test_nobody_has_a_turn_while_another_has_it(path):
  first, second = Turns(path, "log"), Turns(path, "log")
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
  first.close()
  second.close()
  assert path.stat().st_mode & 0o777 == 0o600


def test_all_turns_know_whether_the_last_was_refused(path):
  first, second = Turns(path, "log"), Turns(path, "log")
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
  first.close()
  second.close()


def _try(path):
  import fcntl

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
