import pytest
from click.testing import CliRunner

from loantap.storage.bucket import Lease
from loantap.storage.commands import main
from loantap.storage.state import State
from tests.storage.conftest import read_files, write_files

RUN = """#!/bin/sh
mkdir -p data/08_reporting
echo "$@" > data/08_reporting/ran.json
exit {code}
"""


@pytest.fixture
def task(tmp_path, bucket, monkeypatch):
	"""Runs the command in an empty project's folder; `code` is what the run ends with."""
	folder = tmp_path / "srv"
	folder.mkdir()
	(folder / "pyproject.toml").write_text("[tool.kedro]\n", "utf-8")
	(folder / "conf").mkdir()
	monkeypatch.chdir(folder)
	monkeypatch.setenv("LOANTAP_BUCKET", bucket.name)
	monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

	def run(*arguments, code=0):
		program = tmp_path / "run"
		program.write_text(RUN.format(code=code), "utf-8")
		program.chmod(0o755)
		monkeypatch.setattr("sys.executable", str(program))
		return CliRunner().invoke(main, list(arguments))

	run.folder = folder
	return run


@pytest.fixture
def states(tmp_path, bucket):
	"""Two published states: `a` of run one, then `a` and `b` of run two."""
	project = tmp_path / "earlier"
	for run, content in (("one", {"a": "1"}), ("two", {"a": "2", "b": "2"})):
		state = State(bucket)
		state.read()
		state.publish(write_files(project, **content), run, lambda: None)


def test_what_a_run_makes_is_published(task, bucket):
	ended = task("--pipelines", "training")

	assert ended.exit_code == 0, ended.output
	assert "published, 1 new files" in ended.output
	assert State(bucket).read().files.keys() == {"data/08_reporting/ran.json"}
	assert read_files(task.folder)["ran"] == "-m loantap --pipelines training\n"
	assert "Nothing has changed" in task("run", "--pipelines", "training").output


def test_a_run_that_fails_publishes_nothing_and_tells_its_code(task, bucket, states):
	ended = task("--pipelines", "training", code=75)

	assert ended.exit_code == 75
	assert "2 files of the state of run two are here" in ended.output
	assert State(bucket).read().run == "two"


def test_without_a_bucket_nothing_is_sent(task, bucket, monkeypatch):
	monkeypatch.delenv("LOANTAP_BUCKET")

	assert task("--pipelines", "training").exit_code == 0
	assert State(bucket).read() is None
	refused = task("states")
	assert refused.exit_code == 1
	assert "LOANTAP_BUCKET" in refused.output


def test_another_task_makes_it_wait(task, bucket):
	lease = Lease(bucket, "other", lambda: None)
	lease.acquire()
	try:
		ended = task("--pipelines", "training")
	finally:
		lease.release()

	assert ended.exit_code == 75
	assert "another task works on its data: run other" in ended.output
	assert State(bucket).read() is None


def test_states_are_listed_fetched_and_published_again(task, bucket, states):
	listed = task("states").output
	assert listed.index("two") < listed.index("one")
	newest = task("states", "--last", "1").output
	assert ("│ two " in newest, "│ one " in newest) == (True, False)

	assert task("restore", "--only", "06_models").exit_code == 0
	assert read_files(task.folder) == {}
	assert "1 files of the state of run one" in task("restore", "one").output
	assert read_files(task.folder) == {"a": "1"}
	assert "--replace" in task("restore").output
	assert task("restore", "--replace").exit_code == 0
	assert read_files(task.folder) == {"a": "2", "b": "2"}

	assert "The state of run one is published" in task("rollback", "one").output
	assert State(bucket).read().run == "one"
	unknown = task("rollback", "never")
	assert unknown.exit_code == 1
	assert "no state of run never is kept" in unknown.output


def test_an_empty_bucket_is_told_unless_nothing_is_expected(task):
	assert "nothing is published in it" in task("restore").output
	assert task("restore", "--if-any").exit_code == 0
