"""An empty project, and what puts the demo's files back."""

import shutil

import pandas as pd
import pytest

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator import simulate_portfolio
from tests.support.temporary_project import Original, make_project


@pytest.fixture
def empty_project(tmp_path, empty_store):
	shutil.copy(empty_store, tmp_path)
	return make_project(tmp_path)


@pytest.fixture(scope="session")
def _demo_files(demo, tmp_path_factory):
	"""What the default run has left under `data/`, and the evidence of each version, which a later run renews."""
	folders = [demo.folder / "data", *(demo.folder / "mlartifacts").rglob("evidence")]
	copies = tmp_path_factory.mktemp("original")
	return [Original(folder, copies / str(number)) for number, folder in enumerate(folders)]


@pytest.fixture(autouse=True)
def _demo_put_back(request):
	"""The next test finds the demo's files as the default run left them.

	A test that trains replaces reports, be it on the same data: the new model has a champion to be compared with. The
	versions that it registers would stand between the demo's and those of the next test.
	"""
	if "demo" not in request.fixturenames:
		yield
		return
	originals: list[Original] = request.getfixturevalue("_demo_files")
	registry = request.getfixturevalue("demo").folder / "mlflow.db"
	kept = registry.read_bytes()
	yield
	for original in originals:
		original.put_back()
	if registry.read_bytes() != kept:
		registry.write_bytes(kept)


@pytest.fixture(scope="session")
def portfolio_text():
	simulated = simulate_portfolio(1_000, seed=11).portfolio
	return render(simulated, portfolio_columns()).astype("str")


@pytest.fixture(scope="session")
def applications(portfolio_text):
	return portfolio_text.drop(columns="loan_status").replace("nan", None)


@pytest.fixture
def score(demo, tmp_path):
	def score(applications, *given):
		source, target = tmp_path / "new.csv", tmp_path / "scored" / "scores.parquet"
		applications.to_csv(source, index=False)
		params = ",".join([f"applications={source}", f"scores={target}", *given])
		result = demo.run("--pipelines", "scoring", "--params", params)
		assert result.exit_code == 0, result.output
		return pd.read_parquet(target), " ".join(result.output.split())

	return score
