import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import PROJECT, require


def make(*words, path=None):
	"""`make` with these words, and with nothing on the PATH but this folder where one is given."""
	return subprocess.run(
		[shutil.which("make") or "make", *words],
		cwd=PROJECT,
		env={"PATH": str(path)} if path else None,
		capture_output=True,
		text=True,
		check=False,
	)


@pytest.mark.parametrize(("made_in", "is_kept"), [("here", True), ("elsewhere", False)])
def test_an_environment_that_came_with_its_folder_is_made_anew(made_in, is_kept, tmp_path):
	shutil.copy(PROJECT / "Makefile", tmp_path)
	environment = tmp_path / ".venv"
	(environment / "bin").mkdir(parents=True)
	(environment / "bin" / "uv").touch()
	folder = tmp_path if made_in == "here" else tmp_path.with_name(made_in)
	(environment / ".ready").write_text(f"{folder}\n")

	assert make("--directory", str(tmp_path), "help").returncode == 0
	left = [(environment / name).exists() for name in (".ready", "bin/uv")]
	assert left == [is_kept, is_kept]


def test_servers_that_are_missing_are_named_before_anything_is_installed(tmp_path):
	(tmp_path / "bin").mkdir()
	(tmp_path / "bin" / "sh").symlink_to("/bin/sh")
	environment = tmp_path / "venv"

	ended = make("sources-up", f"PYTHON={sys.executable}", f"VENV={environment}", path=tmp_path / "bin")

	assert ended.returncode == 2
	assert re.search(r"Run: apt-get install .*odbc-postgresql .*default-jre", ended.stderr)
	assert not environment.exists()
	assert ended.stdout == ""


def test_tables_that_a_trial_leaves_are_not_committed():
	require((PROJECT / ".git").exists(), "this is no checkout")
	tables = ["new.csv", "decisions.parquet", "book.csv.gz", "data/new.csv", "data/a/b.parquet"]

	ignored = subprocess.run(
		["git", "check-ignore", *tables],  # noqa: S607
		cwd=PROJECT,
		capture_output=True,
		text=True,
		check=False,
	)

	assert ignored.stdout.splitlines() == tables
