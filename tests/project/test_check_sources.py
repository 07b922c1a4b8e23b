import re
import shutil

import duckdb
import pytest

from tests.support.temporary_project import make_project

VARIABLES = ("LOANTAP_WAREHOUSE", "LOANTAP_APPSTREAM", "LOANTAP_BUSINESS_EVENTS", "LOANTAP_WAREHOUSE_OUTPUT")
AS_OF = "as_of=2026-11-23"


@pytest.fixture(scope="module")
def filled(tmp_path_factory, empty_store):
	folder = tmp_path_factory.mktemp("filled")
	shutil.copy(empty_store, folder)
	project = make_project(folder)
	made = project.run("--pipelines", "sources", "--params", f"loans=1000,{AS_OF}")
	assert made.exit_code == 0, made.output
	return project.folder / "data"


@pytest.fixture
def project(empty_project, filled):
	shutil.copytree(filled, empty_project.folder / "data")
	return empty_project


def change(project, system, statement):
	path = project.folder / "data" / "00_sources" / f"{system}.duckdb"
	with duckdb.connect(str(path)) as connection:
		connection.execute(statement)


@pytest.fixture(autouse=True)
def _in_a_terminal_that_holds_a_row_on_one_line(monkeypatch):
	monkeypatch.setenv("COLUMNS", "1000")


def check(project, *arguments):
	return project.run("--pipelines", "check_sources", "--params", AS_OF, *arguments)


def words_of(result):
	rows = [line for line in result.output.splitlines() if line.startswith("│")]
	return " ".join(" ".join(rows).replace("│", " ").split())


def test_all_is_well_and_looking_leaves_no_trace(project):
	before = project.digests()
	result = check(project)

	assert result.exit_code == 0, result.output
	words = words_of(result)
	assert words.count("fine") == 13
	assert "fault" not in words
	counts = [int(n.replace(",", "")) for n in re.findall(r"rows fine ([\d,]+)", words)]
	loans = min(counts)
	assert loans > 1_000
	assert counts.count(loans) == 2
	assert "columns fine all 12" in words
	assert "2026-11-23 to 2026-11-23 00:00 UTC" in words
	assert "a table was made, written and removed again" in words
	assert project.digests() == before


def test_every_variable_that_is_not_set_is_named_at_once(empty_project, monkeypatch):
	for name in VARIABLES:
		monkeypatch.delenv(name, raising=False)
	result = check(empty_project, "--env", "odbc")

	assert result.exit_code == 1
	words = words_of(result)
	for name in VARIABLES:
		assert name in words
	assert "4 of 4 checks failed" in result.output


@pytest.mark.parametrize(
	("statement", "said"),
	[
		("DELETE FROM loans", "the table has none"),
		("UPDATE loans SET updated_at = NULL", "no row has a time"),
		("DROP TABLE loans", "loans"),
	],
	ids=["no rows", "no times", "no table"],
)
def test_a_fault_of_one_system_does_not_hide_the_others(statement, said, project):
	change(project, "warehouse", statement)
	result = check(project)

	assert result.exit_code == 1
	words = words_of(result)
	assert said in words
	assert words.count("fault") == 1
	assert words.count("fine all 21") == 1
	assert "checks failed: warehouse, table loans" in result.output


def test_a_new_column_and_a_time_that_is_yet_to_come_are_worth_a_note_and_no_more(project):
	change(project, "appstream", "ALTER TABLE applications ADD COLUMN shoe_size INTEGER")
	change(project, "warehouse", "UPDATE loans SET updated_at = TIMESTAMP '2031-01-01 10:00:00'")
	result = check(project)

	assert result.exit_code == 0
	words = words_of(result)
	assert "note all 21; not read: shoe_size" in words
	assert "note 2031-01-01 to 2031-01-01 10:00" in words
	assert "which is in the future" in words


def test_a_place_that_may_not_be_written_to_is_a_fault(project, tmp_path):
	credentials = project.folder / "conf" / "local" / "credentials.yml"
	path = tmp_path / "is_a_folder.duckdb"
	path.mkdir()
	credentials.write_text(f"warehouse_output: {{backend: duckdb, path: '{path}'}}\n")
	result = check(project)

	assert result.exit_code == 1
	assert "checks failed: warehouse, our own tables" in result.output
