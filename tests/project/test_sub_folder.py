import pandas as pd
import pytest

from tests.support.temporary_project import Project


@pytest.fixture
def notebooks(empty_project):
	folder = empty_project.folder / "notebooks"
	folder.mkdir()
	return folder


def run_in(folder, project, *arguments):
	return Project(project.folder, folder).run(*arguments)


def test_sources_are_built_in_the_project_and_nothing_beside_the_person(empty_project, notebooks, portfolio_text):
	"""A file that is named with --params is the one beside the person."""
	(empty_project.folder / "conf" / "local" / "mlflow.yml").unlink()
	portfolio_text.head(100).to_csv(notebooks / "mine.csv", index=False)

	result = run_in(notebooks, empty_project, "--pipelines", "sources", "--params", "portfolio=mine.csv")

	assert result.exit_code == 0, result.output
	assert [path.name for path in notebooks.iterdir()] == ["mine.csv"]
	assert (empty_project.folder / "data/00_sources/warehouse.duckdb").is_file()
	refused = pd.read_parquet(empty_project.folder / "data/00_sources/portfolio_quarantine.parquet")
	assert refused.empty


def test_an_environment_that_is_not_there_is_told_from_there_too(empty_project, notebooks):
	result = run_in(notebooks, empty_project, "--env", "prodd", "--pipelines", "sources")

	assert result.exit_code == 1
	assert "--env prodd: unknown environment. Known names: aws, base, local, odbc, spark" in result.output
