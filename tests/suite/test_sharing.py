import os
import re
import subprocess
import sys

import pytest

from tests.conftest import PROJECT
from tests.support.sharing import GROUPS, SLOW_FILES, find_fixtures, find_group

# Where each may be made: once a process, so once for each of these.
MADE_IN = {
	"demo_result": {"demo"},
	"databricks": {"databricks"},
	"db2": {"databricks", "db2"},
	"postgres": {"audit", "databricks", "postgres"},
	"spark": {"spark"},
}


def test_every_group_and_every_slow_pattern_has_files():
	tests = PROJECT / "tests"

	for patterns in (*GROUPS.values(), SLOW_FILES):
		for pattern in patterns:
			assert list(tests.glob(pattern)), pattern


@pytest.mark.parametrize("fixture", MADE_IN)
def test_who_asks_for_what_is_dear_is_slow_and_in_its_group(fixture, request):
	"""Of the tests that were selected, so of all in `make test`."""
	asking = [item for item in request.session.items if fixture in find_fixtures(item)]

	assert {find_group(item.nodeid) for item in asking} <= MADE_IN[fixture]
	assert all(item.get_closest_marker("slow") for item in asking)


# Who makes the server writes down that it did.
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def postgres():
    with open("made", "a") as file:
        file.write("made\\n")
"""
TESTS = """
import time

def test_of_the_server(postgres):
    time.sleep(0.2)

def test_without():
    time.sleep(0.2)
"""


def run_as_make_test(folder, *options):
	words = re.search(r"^PYTEST := .* -m (pytest .*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
	return subprocess.run(
		[sys.executable, "-m", *words[1].split(), "-p", "tests.conftest", *options],
		env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTEST_XDIST_AUTO_NUM_WORKERS": "2"},
		cwd=folder,
		capture_output=True,
		text=True,
		check=False,
	).stdout


def test_files_of_a_group_run_in_one_process_and_the_slow_can_be_left_out(tmp_path):
	(tmp_path / "conftest.py").write_text(CONFTEST)
	(tmp_path / "tests" / "sources").mkdir(parents=True)
	for name in ("one", "two", "three"):
		(tmp_path / "tests" / "sources" / f"test_{name}.py").write_text(TESTS)

	said = run_as_make_test(tmp_path)

	assert "6 passed" in said, said
	assert re.search(r"Using --randomly-seed=\d+", said)
	assert (tmp_path / "made").read_text().split() == ["made"]

	assert "3 passed" in run_as_make_test(tmp_path, "-n0", "-m", "not slow")
