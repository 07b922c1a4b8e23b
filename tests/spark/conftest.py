import shutil
from importlib.util import find_spec

import pytest
import yaml

from loantap.datasets import SparkTableDataset
from loantap.datasets.spark.table import open_session
from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import PROJECT, require
from tests.spark import functions_of_rows

SESSION = yaml.safe_load((PROJECT / "conf" / "spark" / "catalog.yml").read_text())["_session"]
SCORES = "loantap.policy.schemas.SCORES"


@pytest.fixture(scope="session")
def spark():
	require(find_spec("pyspark") is not None, "needs `pip install 'loantap[spark]'`")
	require(shutil.which("java") is not None, "needs `apt-get install openjdk-17-jre-headless`")
	from pyspark import cloudpickle

	cloudpickle.register_pickle_by_value(functions_of_rows)
	session = open_session(SESSION)
	yield session
	session.stop()


@pytest.fixture
def make_table(spark):
	def make(path, schema=SCORES):
		dataset = {"type": "pandas.ParquetDataset", "filepath": str(path)}
		return SparkTableDataset(dataset=dataset, schema=schema, session=SESSION)

	return make


@pytest.fixture(scope="session")
def scorer(lending_model):
	return Scorer(lending_model, "loantap-lending-demo", "3")


@pytest.fixture(scope="session")
def applications(simulated_loans):
	"""600 applications in LoanTap format: some with missing values, some that can't be scored."""
	rows = render(simulated_loans.head(600), portfolio_columns()).drop(columns="loan_status")
	rows.loc[[3, 250, 599], "dti"] = -1.0
	rows.loc[rows.index[::7], "revol_util"] = None
	rows.loc[10, "term"] = "48 months"
	rows.loc[[11, 12], "emp_title"] = ["None", 'Clock "maker", senior']
	return rows
