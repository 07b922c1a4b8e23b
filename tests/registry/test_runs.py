import json
import subprocess

import mlflow
import pandas as pd
import pytest

from loantap.project.journal import Conclusion
from loantap.registry import runs
from loantap.registry.loading import find_registered, forget_registered
from loantap.registry.models import OUTCOME, ModelVersion, promote
from loantap.registry.runs import conclude_again, end_forgotten_run, end_run, end_runs_of_killed_tasks
from tests.registry.registered import champions, tags_of

CANDIDATES = pd.DataFrame(
	{
		"candidate": ["none L2 C=0.1", "smote L1 C=1"],
		"mean_f2": [0.58, 0.57],
		"converged": [True, False],
		"chosen": [True, False],
	}
)


def recorded(run):
	return mlflow.get_run(run.info.run_id)


def test_parameters_are_logged_by_path(active_run):
	runs.log_parameters({"feature_engineering.split.seed": 42})

	assert recorded(active_run).data.params == {"feature_engineering.split.seed": "42"}


def test_runs_are_compared_by_a_few_figures_with_readable_names(active_run):
	figures = {"n": 500, "roc_auc": 0.71, "brier": 0.14, "f2": 0.58, "f2_low": 0.5, "ks": 0.3}
	runs.log_metrics(
		{
			"lending": {"cv": figures, "test": figures, "out_of_time": {"n": 90, "roc_auc": 0.69}},
			"benchmark": {"cv": figures, "test": figures | {"roc_auc": 0.9}, "out_of_time": None},
			"origin": "simulated",
		}
	)

	assert recorded(active_run).data.metrics == {
		"lending/AUC test": 0.71,
		"lending/AUC out of time": 0.69,
		"lending/Brier test": 0.14,
		"lending/F2 test": 0.58,
		"benchmark/AUC test": 0.9,
		"benchmark/Brier test": 0.14,
		"benchmark/F2 test": 0.58,
	}


def test_the_search_is_a_table_of_the_run_and_no_run_of_its_own(active_run, registry):
	runs.log_candidates(CANDIDATES, "lending")

	stored = registry / active_run.info.run_id / "artifacts/candidates/lending.csv"
	pd.testing.assert_frame_equal(pd.read_csv(stored), CANDIDATES)
	assert len(mlflow.search_runs(output_format="list")) == 1


LOANS = pd.DataFrame({"loan_id": ["31415", "92653"], "dti_pct": [17.25, None], "is_charged_off": [0, 1]})
MONTHS = pd.to_datetime(["2014-01-01", "2014-02-01"])


def test_the_dataset_is_named_with_its_digest_and_columns_and_not_one_row(active_run, registry):
	loans = LOANS.assign(issue_month=MONTHS)
	for rows in (loans, loans.set_axis([7, 9])):  # which is the same to MLflow
		runs.log_dataset("lending features", "real", rows)

	[logged] = recorded(active_run).inputs.dataset_inputs
	assert len(logged.dataset.digest) == 36
	assert logged.dataset.name == "real lending features, 2 loans"
	assert [tag.value for tag in logged.tags] == ["training"]
	columns = json.loads(logged.dataset.schema)["mlflow_colspec"]
	assert {column["name"]: column["type"] for column in columns} == {
		"loan_id": "string",
		"dti_pct": "double",
		"is_charged_off": "double",
		"issue_month": "datetime",
	}
	everything = str(logged.dataset.to_dictionary())
	assert "31415" not in everything
	assert "17.25" not in everything
	assert not [path for path in registry.rglob("*") if path.is_file()]


def test_a_file_that_still_waits_is_attached_under_its_name_in_its_folder(active_run, registry, tmp_path):
	plot = tmp_path / ".roc.staged.png"
	plot.write_bytes(b"picture")
	runs.log_file(plot, "roc.png", "lending")
	runs.log_file(plot, "roc.png", None)

	stored = registry / active_run.info.run_id / "artifacts"
	assert (stored / "lending" / "roc.png").read_bytes() == b"picture"
	assert (stored / "roc.png").is_file()


def test_nothing_is_recorded_without_a_run(registry):
	assert not runs.is_recording()
	assert runs.active_run_id() is None
	assert find_registered("lending") is None
	forget_registered()
	assert end_runs_of_killed_tasks("data") == 0
	with mlflow.start_run() as run:
		assert runs.is_recording()
		assert runs.active_run_id() == run.info.run_id


@pytest.fixture
def checkout(tmp_path, monkeypatch):
	for name in ("AUTHOR", "COMMITTER"):
		monkeypatch.setenv(f"GIT_{name}_NAME", "Tester")
		monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.org")
	monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	folder = tmp_path / "checkout"
	folder.mkdir()
	(folder / "code.py").write_text("1\n")
	for command in ("init -q", "add code.py", "commit -q -m first"):
		subprocess.run(["git", *command.split()], cwd=folder, check=True)  # noqa: S607
	return folder


def test_the_commit_is_named_in_full_and_whether_a_file_has_changed(checkout):
	head = (checkout / ".git" / "logs" / "HEAD").read_text().split()[1]
	assert runs.git_commit(checkout) == head

	(checkout / "code.py").write_text("2\n")
	assert runs.git_commit(checkout) == f"{head}-dirty"


def test_outside_a_checkout_or_without_git_there_is_no_commit(checkout, tmp_path, monkeypatch):
	monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
	assert runs.git_commit(tmp_path) is None

	monkeypatch.setenv("PATH", "")
	assert runs.git_commit(checkout) is None


def test_a_task_ends_what_killed_tasks_on_its_data_left_running(active_run, registry):
	client, experiment = mlflow.MlflowClient(), active_run.info.experiment_id
	tags = {"ours": {"loantap.bucket": "data"}, "other": {"loantap.bucket": "more"}, "person": {}}
	left = {name: client.create_run(experiment, tags=given).info.run_id for name, given in tags.items()}

	assert end_runs_of_killed_tasks("data") == 1
	states = {name: client.get_run(run_id).info.status for name, run_id in left.items()}
	assert states == {"ours": "KILLED", "other": "RUNNING", "person": "RUNNING"}
	assert recorded(active_run).info.status == "RUNNING"
	assert end_runs_of_killed_tasks("data") == 0


def read_states(*run_ids):
	return [mlflow.get_run(run_id).info.status for run_id in run_ids]


def test_a_run_ends_as_is_said_with_those_nested_in_it(active_run):
	outer, nested = active_run.info.run_id, mlflow.start_run(nested=True).info.run_id

	end_run(outer, "FAILED")

	assert read_states(outer, nested) == ["FAILED", "FAILED"]
	assert mlflow.active_run() is None


def test_a_forgotten_run_is_ended_once_with_those_nested_in_it_that_still_run(registry):
	client = mlflow.MlflowClient()
	outer = client.create_run("1").info.run_id
	inner, done = (client.create_run("1", tags={"mlflow.parentRunId": outer}).info.run_id for _ in range(2))
	client.set_terminated(done)

	assert [end_forgotten_run(run_id) for run_id in (outer, outer, "0")] == [True, False, False]
	assert read_states(outer, inner, done) == ["KILLED", "KILLED", "FINISHED"]


@pytest.mark.parametrize(
	("outcome", "displaced", "before", "after"),
	[
		("promoted", None, None, "2"),
		("promoted", "1", "1", "2"),
		("promoted", "1", "2", "2"),
		("promoted", "1", "3", "3"),  # somebody has moved the alias since
		("kept", "1", "1", "1"),
	],
)
def test_a_verdict_of_a_killed_run_is_written(outcome, displaced, before, after, registry):
	client = mlflow.MlflowClient()
	client.create_registered_model("loantap-lending")
	model = ModelVersion("loantap-lending", "2")
	for _ in range(3):
		client.create_model_version(model.name, str(registry))
	if before:
		promote(ModelVersion(model.name, before))

	promoted = outcome == "promoted"
	conclude_again(Conclusion(name=model.name, version="2", promoted=promoted, reason="r", displaced=displaced))

	assert champions() == {model.name: after}
	assert tags_of(model)[OUTCOME] == outcome
