import os
import subprocess
import sys

import pytest

from loantap.portfolio.errors import InputError
from loantap.project.lock import ProjectLock

HOLD = """
import sys, time
from pathlib import Path
from loantap.project.lock import ProjectLock
lock = ProjectLock(Path(sys.argv[1]))
lock.acquire()
lock.note(mlflow_run="abc")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
	process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
	assert process.stdout is not None
	assert process.stdout.readline() == "held\n"
	yield process
	process.kill()
	process.communicate()


def test_a_second_run_is_told_who_has_it_and_since_when_as_often_as_it_tries(other, tmp_path):
	for _ in range(2):
		with pytest.raises(InputError, match="another run works here") as refused:
			ProjectLock(tmp_path).acquire()

		for said in (f"(process {other.pid}", " of ", "since 20"):
			assert said in str(refused.value)
		assert f"kill {other.pid}" in refused.value.remedy


def test_the_system_lets_go_of_it_on_a_kill_and_the_account_is_put_aside(other, tmp_path):
	other.kill()
	other.wait()
	lock = ProjectLock(tmp_path)

	lock.acquire()

	((path, killed),) = lock.killed()
	assert killed.pid == other.pid
	assert killed.mlflow_run == "abc"
	path.unlink()
	lock.release()


def test_a_run_that_has_ended_leaves_nothing_to_say(tmp_path):
	lock = ProjectLock(tmp_path)
	lock.acquire()
	lock.note(outputs=(tmp_path / "metrics.json",))
	lock.release()

	again = ProjectLock(tmp_path)
	again.acquire()
	assert list(again.killed()) == []
	again.release()
	assert [path.name for path in lock.folder.iterdir()] == ["lock"]


def test_other_folders_are_free(other, tmp_path):
	elsewhere = ProjectLock(tmp_path / "elsewhere")

	elsewhere.acquire()
	assert elsewhere.is_held
	elsewhere.release()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
	"""A file in its place: rights do not keep root, who runs in containers, from anything."""
	(tmp_path / "data").write_text("in the way")

	with pytest.raises(InputError, match="it cannot be written and locked"):
		ProjectLock(tmp_path).acquire()


def test_an_account_that_was_cut_off_is_no_obstacle(tmp_path):
	lock = ProjectLock(tmp_path)
	lock.folder.mkdir(parents=True)
	(lock.folder / "run.json").write_text('{"run": ')

	lock.acquire()
	assert list(lock.killed()) == []
	assert str(os.getpid()) in (lock.folder / "run.json").read_text()
	lock.release()
