import os
import re
import subprocess
from pathlib import Path

import pytest

from tests import conftest
from tests.conftest import PROJECT, require, require_data
from tests.support import sharing

MISSING = Path("nowhere") / "loantap_sample.csv"


def would_do(goal, *options, **variables):
	environment = {name: value for name, value in os.environ.items() if name != "CI"}
	return subprocess.run(
		["make", "--dry-run", "--no-print-directory", *options, goal],  # noqa: S607 (make is on the PATH)
		cwd=PROJECT,
		env=environment | variables,
		capture_output=True,
		text=True,
		check=True,
	).stdout


def test_ci_runs_make_test_and_nothing_else_of_make():
	lines = (PROJECT / ".ci" / "run").read_text("utf-8").splitlines()

	assert [line.strip() for line in lines if re.match(r"\s*make\b", line)] == ["make test"]
	assert lines[-1] == "make test"
	assert not [line for line in lines if "pytest" in line and not line.startswith("#")]


@pytest.mark.parametrize(("ci", "is_measured"), [("", False), ("true", True)])
def test_make_test_uses_all_cores_after_lint_and_ci_measures_coverage(ci, is_measured):
	done = would_do("test", CI=ci)

	assert done.index("ruff check") < done.index("-m pytest")
	assert "-n auto --dist loadfile --no-loadscope-reorder" in done
	assert ("--cov --cov-fail-under=97" in done) is is_measured
	assert ("--cov" in done) is is_measured


@pytest.mark.parametrize(("ci", "asks"), [("", False), ("true", True)])
def test_drivers_and_spark_are_installed_for_the_tests_of_ci_only(ci, asks):
	assert ("requirements/spark.txt" in would_do("test", "--always-make", CI=ci)) is asks


def test_make_test_fast_leaves_out_what_is_slow():
	done = would_do("test-fast")

	assert '-m "not slow"' in done
	assert "--cov" not in done


def test_make_docs_lets_no_warning_pass():
	assert "mkdocs build --quiet --strict -f tools/docs/mkdocs.yml" in would_do("docs")


def test_make_validate_names_the_version():
	assert "loantap-models validate loantap-lending 2" in would_do("validate", "ARGS=loantap-lending 2")


def test_there_is_a_worker_for_each_core_that_has_memory(monkeypatch):
	monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
	pages = {"SC_PAGE_SIZE": 4_096, "SC_PHYS_PAGES": 4_500_000_000 // 4_096 + 1}
	monkeypatch.setattr(os, "sysconf", pages.__getitem__)

	assert sharing.count_workers() == 3
	monkeypatch.setitem(pages, "SC_PHYS_PAGES", 1_000)
	assert sharing.count_workers() == 1
	monkeypatch.setitem(pages, "SC_PHYS_PAGES", 1_000_000_000)
	assert sharing.count_workers() == 8


@pytest.mark.parametrize("is_ci", [False, True])
@pytest.mark.parametrize("is_data_required", [False, True])
def test_ci_asks_for_programs_and_a_variable_of_its_own_for_data(is_ci, is_data_required, monkeypatch, tmp_path):
	monkeypatch.setattr(conftest, "IN_CI", is_ci)
	monkeypatch.setattr(conftest, "DATA_REQUIRED", is_data_required)
	ends = {False: pytest.skip.Exception, True: pytest.fail.Exception}

	with pytest.raises(ends[is_ci], match="there is no browser"):
		require(False, "there is no browser")
	with pytest.raises(ends[is_data_required], match=r"loantap_sample\.csv is not at nowhere"):
		require_data(MISSING)
	(tmp_path / MISSING.name).touch()
	require(True, "there is no browser")
	require_data(tmp_path / MISSING.name)


def test_ci_asks_for_data_where_its_folder_is(tmp_path):
	script = (PROJECT / ".ci" / "run").read_text("utf-8")
	asking = re.search(r"^if \[\[ -d .*?^fi$", script, re.MULTILINE | re.DOTALL)

	def ask(folder):
		return subprocess.run(
			["bash", "-c", f'{asking[0]}; echo "${{LOANTAP_REQUIRE_DATA:-not}}"'],  # noqa: S607
			cwd=tmp_path,
			env={"PATH": os.environ["PATH"], "LOANTAP_DATA": str(folder)},
			capture_output=True,
			text=True,
			check=True,
		).stdout.strip()

	assert ask(tmp_path) == "1"
	assert ask(tmp_path / "nowhere") == "not"
