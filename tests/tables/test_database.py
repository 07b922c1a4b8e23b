import subprocess
import sys
from pathlib import Path

import pytest

from loantap.tables import database
from loantap.tables.database import MIB, connect

GIB = 1024 * MIB


@pytest.fixture
def limits(tmp_path):
	for path, text in {
		"memory.max": "max\n",
		"app/memory.max": f"{3 * GIB}\n",
		"app/job/memory.max": "max\n",
		"memory/old/memory.limit_in_bytes": f"{2 * GIB}\n",
	}.items():
		(tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
		(tmp_path / path).write_text(text)
	return tmp_path


@pytest.mark.parametrize(
	("groups", "found"),
	[("0::/app/job\n", [3 * GIB]), ("0::/\n", []), ("0::/gone\n", []), ("5:cpu:/old\n4:memory:/old\n", [2 * GIB])],
)
def test_the_limits_of_a_container_and_of_those_around_it(limits, groups, found):
	own = limits / "cgroup"
	own.write_text(groups)

	assert database._container_limits(own, limits) == found


def test_where_there_are_no_containers_the_machine_counts(tmp_path):
	assert database._container_limits(tmp_path / "none", tmp_path) == []


def test_a_limit_of_the_shell_counts():
	code = (
		"import resource; resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, -1));"
		"from loantap.tables.database import available_memory; print(available_memory())"
	)
	said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

	assert int(said.stdout) <= 2 * GIB


@pytest.mark.parametrize(
	("available", "working"), [(GIB, 256 * MIB), (5 * GIB, 640 * MIB), (8 * GIB, GIB), (64 * GIB, 2 * GIB)]
)
def test_an_operation_takes_its_share(monkeypatch, available, working):
	monkeypatch.setattr(database, "available_memory", lambda: available)

	assert database.working_memory() == working


@pytest.fixture(params=["file", "computation"])
def settings(request, tmp_path):
	path = tmp_path / "sources.duckdb" if request.param == "file" else None
	with connect(path, scratch=tmp_path / "scratch") as connection:
		return dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())


def test_a_join_that_goes_to_disk_does_not_filter_the_other_side(settings):
	"""https://github.com/duckdb/duckdb/issues/25702: rows are lost."""
	assert settings["disabled_optimizers"] == "join_filter_pushdown"


def test_what_exceeds_the_memory_goes_to_the_folder_given(settings, tmp_path):
	assert Path(settings["temp_directory"]) == tmp_path / "scratch"
	assert settings["enable_external_file_cache"] == "false"
