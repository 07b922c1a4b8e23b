from pathlib import Path

import pytest

from loantap.project.folder import anchor_address, find_project


def test_the_project_is_found_from_a_folder_inside_it(tmp_path):
	(tmp_path / "pyproject.toml").write_text('[tool.kedro]\npackage_name = "loantap"\n')
	inside = tmp_path / "notebooks" / "mine"
	inside.mkdir(parents=True)

	assert find_project(inside) == tmp_path


def test_a_folder_without_one_around_it_is_its_own_project(tmp_path):
	(tmp_path / "pyproject.toml").write_text("[tool.other]")
	inside = tmp_path / "packaged"
	inside.mkdir()

	assert find_project(inside) == inside


@pytest.mark.parametrize(
	("address", "anchored"),
	[
		("sqlite:///mlflow.db", "sqlite:////project/mlflow.db"),
		("sqlite:///mlflow.db?timeout=5", "sqlite:////project/mlflow.db?timeout=5"),
		("sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
		("https://mlflow.example.org", "https://mlflow.example.org"),
		("databricks", "databricks"),
	],
)
def test_only_a_file_with_a_relative_path_is_looked_for_in_the_folder(address, anchored):
	assert anchor_address(address, Path("/project")) == anchored
