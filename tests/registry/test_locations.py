import shutil
import sqlite3
from contextlib import closing

import mlflow
import pytest
from click.testing import CliRunner

from loantap.portfolio.errors import InputError
from loantap.project.lock import ProjectLock
from loantap.registry.commands import main
from loantap.registry.locations import _COLUMNS, find_former_places, relocate, require_same_place

INSIDE = "mlartifacts"
ADDRESS = "sqlite:///{}/mlflow.db"


@pytest.fixture
def old(tmp_path, empty_store):
	project = tmp_path / "my project"
	(project / INSIDE).mkdir(parents=True)
	shutil.copy(empty_store, project / "mlflow.db")
	client = mlflow.MlflowClient(ADDRESS.format(project))
	# As kedro-mlflow makes it, a URI; the space is written %20 there.
	experiment = client.create_experiment("moved", (project / INSIDE).as_uri())
	run = client.create_run(experiment)
	client.create_registered_model("loantap-lending")
	source = f"{run.info.artifact_uri}/model"
	client.create_model_version("loantap-lending", source, run.info.run_id)
	client.create_model_version("loantap-lending", str(project / INSIDE / "plain"))
	client.create_model_version("loantap-lending", "/mnt/elsewhere/model")
	return project


@pytest.fixture
def moved(old):
	return old.rename(old.with_name("moved"))


@pytest.fixture(autouse=True)
def _address(monkeypatch):
	before = mlflow.get_tracking_uri()
	monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
	yield
	mlflow.set_tracking_uri(before)


def read_locations(project):
	with closing(sqlite3.connect(project / "mlflow.db")) as store:
		return [
			location
			for table, column in _COLUMNS
			for (location,) in store.execute(f"SELECT {column} FROM {table}")  # noqa: S608
			if location and INSIDE in location
		]


@pytest.mark.parametrize("written", [INSIDE, "{}/mlartifacts", "file://{}/mlartifacts"])
def test_a_moved_project_is_refused_with_the_command_that_mends_it(moved, old, written):
	with pytest.raises(InputError, match=f"moved or copied from {old}") as refused:
		require_same_place(ADDRESS.format(moved), written.format(moved), moved)

	assert "`loantap-models relocate`" in refused.value.remedy


def test_every_location_is_mended_in_its_own_form(moved, old):
	before = read_locations(moved)
	assert any("%20" in location for location in before)

	count = relocate(ADDRESS.format(moved), INSIDE, moved)

	after = read_locations(moved)
	assert count == len(before) == len(after)
	assert all(str(moved) in location for location in after)
	assert [a.startswith("file://") for a in after] == [b.startswith("file://") for b in before]
	require_same_place(ADDRESS.format(moved), INSIDE, moved)
	assert not old.exists()


def test_where_the_project_has_always_been_nothing_is_changed(old):
	(old / INSIDE).rmdir()

	assert relocate(ADDRESS.format(old), INSIDE, old) == 0


def test_without_the_files_it_is_refused(moved):
	(moved / INSIDE).rmdir()

	with pytest.raises(InputError, match="the files of its models are not in"):
		relocate(ADDRESS.format(moved), INSIDE, moved)


def test_while_a_run_works_there_it_is_refused(moved):
	run = ProjectLock(moved)
	run.acquire()
	try:
		with pytest.raises(InputError, match="another run works here"):
			relocate(ADDRESS.format(moved), INSIDE, moved)
	finally:
		run.release()


@pytest.mark.parametrize(
	("address", "artifacts"),
	[
		("https://mlflow.example.org", INSIDE),
		(ADDRESS, "s3://bucket/artifacts"),
		(ADDRESS, "/mnt/artifacts"),
		(ADDRESS, None),
		("sqlite:///{}/missing.db", INSIDE),
	],
)
def test_what_does_not_lie_in_the_project_does_not_move_with_it(moved, address, artifacts):
	assert find_former_places(address.format(moved), artifacts, moved) == []


def test_a_store_of_another_project_keeps_its_files_where_they_are(old):
	"""As with MLFLOW_TRACKING_URI."""
	assert find_former_places(ADDRESS.format(old), INSIDE, old.with_name("mine")) == []


def test_the_command_tells_and_mends(moved, monkeypatch):
	(moved / "pyproject.toml").write_text("[tool.kedro]")
	base = moved / "conf" / "base"
	base.mkdir(parents=True)
	(base / "mlflow.yml").write_text(
		"tracking: {experiment: {create_experiment_kwargs: {artifact_location: mlartifacts}}}"
	)
	monkeypatch.chdir(base)

	listed = CliRunner().invoke(main, ["list"])
	mended = CliRunner().invoke(main, ["relocate"])

	assert "Warning: project" in listed.stderr
	assert mended.exit_code == 0, mended.output
	assert f"MLflow now keeps its files in {moved}" in " ".join(mended.output.split())
	assert "Warning" not in CliRunner().invoke(main, ["list"]).output
	assert "Nothing to do" in CliRunner().invoke(main, ["relocate"]).output
