import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest
import yaml
from kedro.config import OmegaConfigLoader

from loantap.cli import _is_for_later
from loantap.databases.backends.interface import SourceDownError
from loantap.portfolio.errors import InputError
from loantap.project.interruption import RUN_VARIABLE
from loantap.settings import CONFIG_LOADER_ARGS
from loantap.storage.commands import choose_configuration, find_run, require_variables
from loantap.storage.state import State
from tests.conftest import PROJECT
from tests.support.local_server import serve

SYSTEMS = ("APPSTREAM", "BUSINESS_EVENTS", "WAREHOUSE", "WAREHOUSE_OUTPUT")
FIRST = ("--pipelines", "sources,ingestion", "--params", "loans=1000")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
	path = tmp_path_factory.mktemp("image") / "conf.tar.gz"
	with tarfile.open(path, "w:gz") as files:
		files.add(PROJECT / "conf", "conf")
	return path


@pytest.fixture
def start(signed_in, bucket, archive, tmp_path):
	given = {
		**{name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ},
		**signed_in,
		"LOANTAP_BUCKET": bucket.name,
		"LOANTAP_CONF_SOURCE": str(archive),
		"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
	}
	started = []

	def start(folder, *arguments, **changes):
		(tmp_path / folder).mkdir(exist_ok=True)
		task = subprocess.Popen(
			[sys.executable, "-m", "loantap.storage.commands", *arguments],
			cwd=tmp_path / folder,
			env={n: v for n, v in {**given, **changes}.items() if v is not None},
			stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT,
			text=True,
		)
		started.append(task)
		return task

	yield start
	for task in started:
		if task.poll() is None:
			task.kill()
		task.communicate()


@pytest.fixture
def run(start):
	def run(*arguments, **changes):
		task = start(*arguments, **changes)
		said = task.communicate(timeout=240)[0]
		return task.returncode, " ".join(said.split())

	return run


def wait_for(condition, task=None, within_s=90.0):
	ends = time.monotonic() + within_s
	while not condition():
		assert time.monotonic() < ends
		assert task is None or task.poll() is None, task.communicate()[0]
		time.sleep(0.1)


def test_one_task_goes_on_from_another_and_a_killed_one_changes_nothing(run, start, bucket, tmp_path):
	code, said = run("one", *FIRST)
	assert code == 0, said
	first = State(bucket).read()
	assert {"data/03_primary/loans.parquet", "data/00_sources/warehouse.duckdb"} <= set(first.files)

	# In mid-run: it has staged a file, or is about to.
	killed = start("two", "--pipelines", "feature_engineering,modeling")
	wait_for((tmp_path / "two/data/.run/run.json").exists, killed)
	time.sleep(4)
	killed.send_signal(signal.SIGTERM)
	said = killed.communicate(timeout=60)[0]
	assert killed.returncode == 143, said
	assert "Interrupted by SIGTERM: nothing of this run is published" in said
	assert State(bucket).read() == first

	code, said = run("three", "--pipelines", "feature_engineering")
	assert code == 0, said
	second = State(bucket).read()
	new = set(second.files) - set(first.files)
	assert {"data/04_feature/features.parquet", "data/05_model_input/lending.parquet"} <= new
	assert first.files.items() <= second.files.items()


def test_a_task_that_loses_its_lease_ends_its_run_and_publishes_nothing(run, start, bucket):
	task = start("one", *FIRST, LOANTAP_LEASE_SECONDS="5")
	wait_for(lambda: bucket.read("state/lease.json"), task)
	bucket.write("state/lease.json", b"{}")
	said = task.communicate(timeout=60)[0]

	assert task.returncode == 75, said
	assert "it was lost" in said
	assert State(bucket).read() is None


@pytest.mark.parametrize(
	("arguments", "changes", "code", "message"),
	[
		(("--pipelines",), {}, 2, "requires an argument"),
		(("--params", "lones=3"), {"LOANTAP_BUCKET": None}, 1, "Did you mean loans?"),
		((), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 75, "cannot be reached"),
		((), {"LOANTAP_BUCKET": "loantap-nowhere"}, 1, "there is no such bucket"),
		((), {"LOANTAP_BUCKET": ""}, 1, "environment variable LOANTAP_BUCKET: it is empty"),
		((), {"LOANTAP_CONF_SOURCE": "/no/conf.tar.gz"}, 1, "conf.tar.gz: it is not in the image"),
		(("states", "--lats", "3"), {}, 2, "No such option"),
	],
)
def test_how_a_task_ends_that_cannot_run(run, bucket, arguments, changes, code, message):
	ended, said = run("empty", *arguments, **changes)

	assert (ended, message in said) == (code, True), said
	assert "Traceback" not in said
	assert State(bucket).read() is None


@pytest.mark.parametrize("arguments", [("--env", "aws"), ("--env=aws",), ("-e", "aws")])
@pytest.mark.parametrize("name", ["LOANTAP_" + each for each in SYSTEMS])
@pytest.mark.parametrize("value", [None, " "])
def test_a_secret_that_is_missing_or_empty_is_named(arguments, name, value):
	given = {"LOANTAP_" + each: "x" for each in (*SYSTEMS, "BUCKET")}
	given |= {"AWS_REGION": "eu-central-1", "MLFLOW_TRACKING_URI": "http://mlflow:5000"}
	assert require_variables(arguments, given) == "x"
	changed = {n: v for n, v in (given | {name: value}).items() if v is not None}

	problem = "it is not set" if value is None else "it is empty"
	with pytest.raises(InputError, match=rf"variable {name}: {problem}.*Secrets Manager"):
		require_variables(arguments, changed)
	with pytest.raises(InputError, match=f"variable {name}: {problem}"):
		require_variables((), changed | {"KEDRO_ENV": "aws"})


@pytest.mark.parametrize("name", ["AWS_REGION", "MLFLOW_TRACKING_URI"])
def test_a_bucket_needs_a_region_and_a_registry(name):
	given = {"LOANTAP_BUCKET": "x", "AWS_REGION": "r", "MLFLOW_TRACKING_URI": "m"}

	with pytest.raises(InputError, match=f"variable {name}: it is not set"):
		require_variables((), {each: given[each] for each in given if each != name})
	assert require_variables((), {}) is None


def test_a_checkout_has_its_own_configuration(tmp_path):
	(tmp_path / "conf").mkdir()

	assert choose_configuration(["--env", "x"], tmp_path) == ["--env", "x"]
	assert choose_configuration(["--conf-source=c"], tmp_path / "no") == ["--conf-source=c"]


def test_the_run_has_the_id_of_its_task(monkeypatch):
	def answer(path, *_):
		arn = "arn:aws:ecs:eu-central-1:1:task/loantap-staging/0123abcd"
		return 200, json.dumps({"TaskARN": arn, "path": path})

	with serve(answer) as port:
		monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"http://127.0.0.1:{port}/v4/x")
		assert find_run() == "0123abcd"

	assert find_run() != find_run()  # nobody answers any more: an id of our own


def test_a_system_that_is_down_is_for_later_where_a_task_asks(monkeypatch):
	error = InputError("loans", "too slow", "wait")
	error.__cause__ = SourceDownError("warehouse", "no answer", "wait")

	assert not _is_for_later(error)
	monkeypatch.setenv(RUN_VARIABLE, "x")
	assert _is_for_later(error)
	assert not _is_for_later(InputError("a", "b", "c"))


def test_environments_change_where_data_lives_not_what_is_computed():
	def load(name, what):
		loader = OmegaConfigLoader(str(PROJECT / "conf"), env=name, **CONFIG_LOADER_ARGS)
		loader.config_patterns["mlflow"] = ["mlflow*"]
		return loader[what]

	for what in ("parameters", "catalog"):
		assert load("aws", what) == load("base", what), what
	assert load("aws", "credentials") == load("odbc", "credentials")
	ours, aws = load("base", "mlflow"), load("aws", "mlflow")
	assert ours["tracking"]["experiment"].pop("create_experiment_kwargs")
	assert aws["tracking"]["experiment"].pop("create_experiment_kwargs") == {"artifact_location": None}
	assert aws.pop("server") != ours.pop("server")
	assert aws == ours
	both = [(PROJECT / "conf" / name / "credentials.yml").read_bytes() for name in ("aws", "odbc")]
	assert yaml.safe_load(both[0]) == yaml.safe_load(both[1])
