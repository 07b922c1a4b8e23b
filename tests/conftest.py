import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, settings
from kedro.framework.project import configure_project

from loantap.features.build import build_features
from loantap.model.scoring.trained import make_trained_model
from loantap.model.training.options import TrainingOptions
from loantap.model.training.train import feature_names, train_logistic
from loantap.portfolio import cleaning
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import parse, split_address
from loantap.simulator import simulate_portfolio
from tests.support.process_state import put_back
from tests.support.sharing import Sharing, count_workers, mark_slow, put_in_order

PROJECT = Path(__file__).parents[1]
# PySpark, which Pandera imports where it is installed, takes a main module without a file, such as
# that of xdist's workers, for its own doctests, and ends the process with exit code 0.
sys.modules["__main__"].__dict__.setdefault("__file__", __file__)
AS_OF = pd.Timestamp("2026-11-23")
# In CI, browser, drivers, servers and Spark must be there; the real data must where it is said so.
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
DATA_REQUIRED = os.environ.get("LOANTAP_REQUIRE_DATA", "").lower() in {"1", "true"}
# A made-up borrower: 12,000 over three years at 12% a year, which makes 398.57 a month.
MADE_UP_LOAN = {
	"loan_amnt": "12000.0",
	"term": " 36 months",
	"int_rate": "12.0",
	"installment": "398.57",
	"grade": "B",
	"sub_grade": "B4",
	"emp_title": "Clock maker",
	"emp_length": "4 years",
	"home_ownership": "RENT",
	"annual_inc": "60000.0",
	"verification_status": "Verified",
	"issue_d": "Jan-2014",
	"loan_status": "Fully Paid",
	"purpose": "debt_consolidation",
	"title": "Debt consolidation",
	"dti": "18.5",
	"earliest_cr_line": "Jan-2004",
	"open_acc": "11.0",
	"pub_rec": "0.0",
	"revol_bal": "9999.0",
	"revol_util": "45.5",
	"total_acc": "25.0",
	"initial_list_status": "w",
	"application_type": "INDIVIDUAL",
	"mort_acc": "2.0",
	"pub_rec_bankruptcies": "0.0",
	"address": "12 Nowhere Lane\r\nSampleville, OK 22690",
}

# The rolling origin of the tests: as shipped, but content with fewer loans to train on.
OUT_OF_TIME = {
	"outcomes_as_of": "2017-03-01",
	"term_months": 36,
	"first_origin": "2012-07-01",
	"step_months": 6,
	"last_month": "2013-12-01",
	"settled_only": False,
	"min_outcomes": 50,
}

# Boosting as shipped, with fewer trees.
CHALLENGER = {"learning_rate": 0.05, "trees": 20, "leaves": 4, "min_loans_in_leaf": 60, "l2_penalty": 10}

settings.register_profile("loantap", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("loantap")
# A mutant is killed by the first example that fails; looking for a shorter one takes minutes.
settings.register_profile(
	"mutants", settings.get_profile("loantap"), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


def raw_loans(*changes):
	"""Made-up loans as a CSV file gives them, one per change; without any, the loan as it is."""
	rows = [MADE_UP_LOAN | change for change in changes or ({},)]
	return pd.DataFrame(rows, dtype="str")


def read_portfolio(csv, *given, **named):
	"""A portfolio file of one batch, checked."""
	[cleaned] = cleaning.read_portfolio([csv], *given, **named)
	return cleaned


def training_options(feature_set="lending", **changes):
	"""Options of a training that takes a second: one candidate, three folds."""
	given = {
		"name": feature_set,
		"seed": 7,
		"folds": 3,
		"balancing": ("none",),
		"l1_ratios": (0,),
		"inverse_penalties": (0.1,),
		"max_iterations": 100,
		"jobs": 1,
		"promotion": {
			"resamples": 100,
			"confidence": 0.95,
			"calibration_confidence": 0.95,
			"tolerated_ece": 0.05,
			"min_charge_offs": 20,
		},
	}
	return TrainingOptions(**(given | changes))


def train(loans, options, origin="simulated"):
	"""The model that `options` make of `loans`."""
	rows = loans[["loan_id", "is_charged_off"]].join(build_features(loans, feature_names(options)))
	fitted = train_logistic(rows, options)
	return make_trained_model(fitted, rows[feature_names(options)], origin, options)


def pytest_xdist_auto_num_workers():
	return count_workers()


def pytest_xdist_make_scheduler(config, log):
	return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
	"""Marks before -m selects, the order after pytest-randomly's."""
	mark_slow(items)
	yield
	put_in_order(items)


@pytest.fixture(scope="session", autouse=True)
def _configured():
	"""Kedro knows the package, whichever test of this process runs a pipeline first."""
	configure_project("loantap")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
	"""A test leaves the process as it found it, so that none depends on another."""
	with put_back():
		return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
	"""What many tests share is a value only: the test that happens to make it is like the others.

	Or the first of them would see, for one, MLflow's address as a whole run has left it.
	"""
	if fixturedef.scope == "function":
		return (yield)
	with put_back():
		return (yield)


def require(condition, reason):
	"""Skip a test where programs it needs are not installed; in CI that is a failure."""
	_skip_or_fail(condition, reason, IN_CI, "CI is set")


def require_data(path):
	"""Skip a test where real data it needs is not; with LOANTAP_REQUIRE_DATA=1 that is a failure.

	Real data is never part of the project, so a checkout has none.
	"""
	reason = f"{path.name} is not at {path.parent} (set LOANTAP_DATA)"
	_skip_or_fail(path.is_file(), reason, DATA_REQUIRED, "LOANTAP_REQUIRE_DATA is set")


def _skip_or_fail(condition, reason, required, why):
	if condition:
		return
	if required:
		pytest.fail(f"{reason}, and must be there: {why}")
	pytest.skip(reason)


@pytest.fixture(scope="session")
def sample_csv():
	"""Path of the real 5,239-row sample, which is never part of the project."""
	folder = Path(os.environ.get("LOANTAP_DATA", PROJECT.parent / "shared" / "data"))
	path = folder / "loantap_sample.csv"
	require_data(path)
	return path


@pytest.fixture(scope="session")
def sample_text(sample_csv):
	return pd.read_csv(sample_csv, dtype="str", keep_default_na=False, na_values=[""])


@pytest.fixture(scope="session")
def sample_loans(sample_text):
	"""The real sample as typed canonical rows."""
	return parse(sample_text, portfolio_columns(), AS_OF).rows


@pytest.fixture(scope="session")
def real_loans(sample_loans):
	return sample_loans.assign(
		loan_id=[f"{number:05d}" for number in range(len(sample_loans))],
		is_charged_off=mark_outcome(sample_loans["loan_status"]),
		**split_address(sample_loans["address"]),
	)


@pytest.fixture(scope="session")
def simulated_loans():
	"""4,000 simulated loans as `03_primary` has them; copy before you change one."""
	rows = simulate_portfolio(4_000, seed=20_261_123).portfolio
	return rows.assign(
		loan_id=[f"{number:05d}" for number in range(len(rows))],
		is_charged_off=mark_outcome(rows["loan_status"]),
		**split_address(rows["address"]),
	)


@pytest.fixture(scope="session")
def lending_model(simulated_loans):
	"""A `lending` model trained on the simulated loans."""
	return train(simulated_loans, training_options("lending"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
	"""An MLflow store with tables and nothing in them, which takes seconds to make: copy it."""
	import mlflow

	path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
	mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
	return path


@pytest.fixture(scope="session")
def demo_result(tmp_path_factory):
	"""A default run on 2,000 simulated loans as a person starts it, and what it said."""
	from tests.support.temporary_project import make_project

	project = make_project(tmp_path_factory.mktemp("demo"))
	return project, project.start("--params", "loans=2000")


@pytest.fixture(scope="session")
def demo(demo_result):
	project, result = demo_result
	assert result.exit_code == 0, result.output
	return project
