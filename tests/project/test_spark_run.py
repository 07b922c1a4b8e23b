import shutil
from importlib.util import find_spec

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_portfolio
from tests.conftest import require
from tests.support.temporary_project import Project

TABLES = (
	"04_feature/features",
	"05_model_input/splits",
	"05_model_input/benchmark",
	"05_model_input/lending",
	"05_model_input/application",
)


@pytest.fixture(scope="module")
def project(demo, tmp_path_factory):
	require(find_spec("pyspark") is not None, "needs `pip install 'loantap[spark]'`")
	require(shutil.which("java") is not None, "needs `apt-get install openjdk-17-jre-headless`")
	folder = tmp_path_factory.mktemp("spark") / "project"
	shutil.copytree(demo.folder, folder)
	shutil.copy(folder / "conf/local/mlflow.yml", folder / "conf/spark")
	yield Project(folder)

	from pyspark.sql import SparkSession

	if (session := SparkSession.getActiveSession()) is not None:
		session.stop()


@pytest.fixture(scope="module")
def applications(project):
	"""200 applications as CSV with addresses of two lines; one can't be scored."""
	simulated = simulate_portfolio(200, seed=3).portfolio
	rows = render(simulated, portfolio_columns()).drop(columns="loan_status")
	rows.loc[50, "dti"] = -1.0
	path = project.folder / "new.csv"
	rows.to_csv(path, index=False)
	assert len(path.read_text("utf-8").splitlines()) > 300
	return path


def test_scores_are_the_same_to_1e_9(project, applications):
	here, there = (project.folder / name for name in ("here.parquet", "there.parquet"))
	scoring = ("--pipelines", "scoring", "--params")
	project.run(*scoring, f"applications={applications},scores={here}")

	result = project.run("--env", "spark", *scoring, f"applications={applications},scores={there}")

	assert result.exit_code == 0, result.output
	assert "score_applications" in result.output
	assert "1 invalid" in result.output
	assert_frame_equal(pd.read_parquet(there), pd.read_parquet(here), check_exact=False, rtol=0, atol=1e-9)


def test_features_and_what_follows_from_them_are_the_same(project):
	data = project.folder / "data"
	# The champion of the demo's run is there by now, and the gate compares each feature with its training.
	assert project.run("--pipelines", "feature_engineering").exit_code == 0
	before = {name: pd.read_parquet(data / f"{name}.parquet") for name in TABLES}
	report = (data / "08_reporting/leakage_report.json").read_bytes()

	result = project.run("--env", "spark", "--pipelines", "feature_engineering")

	assert result.exit_code == 0, result.output
	assert (data / "04_feature/features.parquet").is_dir()
	for name, table in before.items():
		again = pd.read_parquet(data / f"{name}.parquet")
		assert_frame_equal(again, table, check_exact=False, rtol=0, atol=1e-9)
	assert (data / "08_reporting/leakage_report.json").read_bytes() == report

	# One machine takes over from the cluster.
	assert project.run("--pipelines", "feature_engineering").exit_code == 0
	assert (data / "04_feature/features.parquet").is_file()


def test_pipelines_that_need_frames_are_refused_before_any_node_runs(project):
	before = project.digests()

	result = project.run("--env", "spark", "--pipelines", "insights")

	assert result.exit_code == 1
	assert "only feature_engineering and scoring run on a cluster" in result.output
	assert project.digests() == before
