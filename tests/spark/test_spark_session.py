import sys

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from loantap import settings
from loantap.datasets.spark.table import open_session
from loantap.portfolio.errors import InputError
from tests.conftest import PROJECT


def load(env):
	given = {"applications": "new.csv", "scores": "out.parquet", "as_of": "2026-11-23"}
	return OmegaConfigLoader(str(PROJECT / "conf"), env=env, runtime_params=given, **settings.CONFIG_LOADER_ARGS)


@pytest.fixture(scope="module")
def base():
	return load("base")["catalog"]


@pytest.fixture(scope="module")
def cluster():
	return load("spark")["catalog"]


def test_only_what_a_cluster_reads_or_makes_is_another_dataset(base, cluster):
	differ = {name for name in cluster if cluster[name] != base.get(name)}

	assert differ == {"applications", "scores", "loans", "labelled_loans", "feature_engineering.features"}


@pytest.mark.parametrize("name", ["scores", "loans", "labelled_loans", "feature_engineering.features"])
def test_it_is_the_same_file_checked_by_the_same_schema(name, base, cluster):
	assert cluster[name]["dataset"] == base[name]["dataset"]
	assert cluster[name]["schema"] == base[name]["validator"]["class"]


def test_parameters_and_credentials_are_the_same():
	for kind in ("parameters", "credentials"):
		assert load("spark")[kind] == load("base")[kind]


def test_no_dataset_needs_spark_before_it_is_used(cluster):
	catalog = DataCatalog.from_config({n: cluster[n] for n in ("applications", "scores", "loans")})

	assert not catalog.exists("applications")
	assert not catalog.exists("scores")


def test_the_session_that_is_there_is_used(spark):
	assert open_session({"spark.master": "local[7]"}) is spark
	assert spark.conf.get("spark.master") == "local[2]"


def test_spark_on_this_machine_listens_to_this_machine_only(spark):
	assert spark.conf.get("spark.driver.bindAddress") == "127.0.0.1"
	assert spark.conf.get("spark.ui.enabled") == "false"


def test_without_pyspark_the_message_says_how_to_get_it(monkeypatch):
	for name in ("pyspark.errors", "pyspark.sql"):
		monkeypatch.setitem(sys.modules, name, None)

	with pytest.raises(InputError, match=r"pip install 'loantap\[spark\]'.*Java 17"):
		open_session({})
