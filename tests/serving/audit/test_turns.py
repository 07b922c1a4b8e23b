"""Writers take turns, and a turn ends with its process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from loantap.serving.audit.errors import AuditUnavailableError
from loantap.serving.audit.turns import Turns

_HOLD = """
import sys
from pathlib import Path
from loantap.serving.audit.turns import Turns
def hold():
    print("taken", flush=True)
    sys.stdin.read()
Turns(Path(sys.argv[1]), "log", 4).run(hold)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db-turns"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the turn."""
    command = [sys.executable, "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        process.kill()


def test_nobody_has_a_turn_while_another_has_it(path: Path) -> None:
    first, second = Turns(path, "log", 4), Turns(path, "log", 4)
    had = threading.Event()
    waiting = threading.Thread(target=second.run, args=(had.set,))

    def hold() -> bool:
        waiting.start()
        return had.wait(0.2)

    assert not first.run(hold)
    assert had.wait(5)
    waiting.join()
    first.close()
    second.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_done_after_a_wait_is_returned_or_raised(path: Path) -> None:
    turns, other = Turns(path, "log", 10), Turns(path, "log", 10)
    with ThreadPoolExecutor(2) as threads:

        def hold() -> list[Any]:
            asked = [threads.submit(turns.run, act) for act in (lambda: 17, lambda: 1 / 0)]
            threading.Event().wait(0.2)
            return asked

        good, bad = other.run(hold)
        assert good.result(5) == 17
        with pytest.raises(ZeroDivisionError):
            bad.result(5)
    assert turns.run(lambda: "at once") == "at once"


def test_a_holder_that_hangs_is_not_waited_for_longer_than_that(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    turns = Turns(path, "log", 0.1)
    done: list[str] = []

    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(AuditUnavailableError, match="other writers held it"):
            turns.run(lambda: done.append("written too late"))
        assert time.monotonic() - began < 3
    holder.communicate("")

    until = time.monotonic() + 10
    while not done and time.monotonic() < until:
        try:
            turns.run(lambda: done.append("written"))
        except AuditUnavailableError:
            continue
    assert done == ["written"]
    _try(path)


def _try(path: Path) -> None:
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_killed_process_has_no_turn(path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(BlockingIOError):
        _try(path)

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    _try(path)


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "missing" / "audit.db-turns", "log", 4)

    with pytest.raises(AuditUnavailableError, match=r"audit\.db-turns: No such file"):
        turns.run(int)
