import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

COMMAND = [sys.executable, "-m", "kedro", "run", "--pipelines", "sources,ingestion"]
# The longest that a start may take on a machine that is busy with other tests.
PATIENCE_S = 300


class Run:
	def __init__(self, project, *options):
		self._record = project.folder / "data" / ".run" / "run.json"
		self._process = subprocess.Popen(
			[*COMMAND, *options], cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
		)

	@property
	def pid(self):
		return self._process.pid

	def wait_until_it_works(self):
		deadline = time.monotonic() + PATIENCE_S
		while not self._record.exists() and time.monotonic() < deadline:
			assert self._process.poll() is None, self._process.communicate()[0]
			time.sleep(0.02)

	def end(self):
		said, _ = self._process.communicate(timeout=PATIENCE_S)
		return self._process.returncode, " ".join(said.split())

	def stop(self):
		self._process.kill()
		self._process.communicate()


@pytest.fixture
def project(empty_project):
	"""A project whose sources take long enough to be met at work."""
	local = empty_project.folder / "conf" / "local" / "parameters.yml"
	given = yaml.safe_load(local.read_text()) | {"sources": {"loans": 20_000}}
	local.write_text(yaml.safe_dump(given))
	return empty_project


@pytest.fixture
def run(project):
	started = Run(project)
	yield started
	started.stop()


def test_the_second_of_two_is_told_who_works_there_and_the_first_ends_well(project, run):
	run.wait_until_it_works()
	code, said = Run(project, "--params", "loans=1000").end()

	assert code == 1
	assert f"Error: project {project.folder}: another run works here:" in said
	assert f"(process {run.pid}), since 20" in said
	assert "Traceback" not in said
	assert run.end()[0] == 0
	assert len(pd.read_parquet(project.folder / "data/03_primary/loans.parquet")) == 20_000
	assert list(project.folder.rglob("*.staged.*")) == []


@pytest.mark.parametrize(
	("number", "name", "code", "after_s"), [(signal.SIGINT, "Ctrl-C", 130, 0.0), (signal.SIGTERM, "SIGTERM", 143, 2.0)]
)
def test_one_that_is_interrupted_says_what_is_published_and_leaves_nothing(number, name, code, after_s, project, run):
	run.wait_until_it_works()
	time.sleep(after_s)
	os.kill(run.pid, number)

	ended, said = run.end()

	assert ended == code
	assert f"Interrupted by {name}: nothing of this run is published" in said
	assert "Traceback" not in said
	assert list(project.folder.rglob("*.staged.*")) == []
	assert not (project.folder / "data/03_primary/loans.parquet").exists()


def test_one_that_is_interrupted_while_it_starts_has_done_nothing(project):
	"""As `python -m loantap`, whose first second is ours already; while Kedro is imported."""
	text = (
		"import os, signal, sys\nfrom loantap.__main__ import main\nclass Interrupter:\n"
		"    def find_spec(self, name, *_):\n        if name == 'kedro.framework.session':\n"
		"            os.kill(os.getpid(), signal.SIGINT)\nsys.meta_path.insert(0, Interrupter())\nmain([])\n"
	)
	ended = subprocess.run(
		[sys.executable, "-c", text], cwd=project.folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
	)

	assert ended.returncode == 130
	assert "Interrupted by Ctrl-C while starting: nothing was done" in ended.stderr
	assert not Path(project.folder, "data").exists()
