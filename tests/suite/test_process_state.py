import logging
import os
import shutil
import subprocess
import sys
import warnings

import mlflow

from tests.conftest import PROJECT
from tests.support.process_state import put_back


def find_mlflow():
	run = mlflow.active_run()
	return (
		mlflow.is_tracking_uri_set(),
		mlflow.get_tracking_uri(),
		mlflow.get_registry_uri(),
		mlflow.tracking.fluent._active_experiment_id,
		run and run.info.run_id,
		mlflow.last_active_run() if mlflow.is_tracking_uri_set() else None,
	)


def test_mlflow_has_its_addresses_its_experiment_and_no_run(empty_store, tmp_path):
	before, variables = find_mlflow(), dict(os.environ)

	with put_back():
		mlflow.set_tracking_uri(f"sqlite:///{shutil.copy(empty_store, tmp_path)}")
		mlflow.set_registry_uri(f"sqlite:///{tmp_path / 'registry.db'}")
		made = mlflow.create_experiment("left behind", artifact_location=tmp_path.as_uri())
		mlflow.set_experiment(experiment_id=made)
		mlflow.start_run()
		assert mlflow.active_run() is not None
		assert "MLFLOW_TRACKING_URI" in os.environ

	assert find_mlflow() == before
	assert dict(os.environ) == variables


def test_warnings_are_logged_no_more():
	before = warnings.showwarning.__module__

	with put_back():
		# Logging does nothing where it believes that it does so already.
		logging.captureWarnings(False)
		logging.captureWarnings(True)
		assert warnings.showwarning.__module__ != before

	assert warnings.showwarning.__module__ == before


# The first test, what it is the first to ask for, and one that fails change the process.
TESTS = """
import logging, logging.config, os, sys
from operator import eq
import pytest

BEFORE = []

def find():
    loggers = [logging.getLogger(name) for name in ("", "loantap", "made_by_a_test")]
    return (
        {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        os.getcwd(), sys.path[:], logging.root.manager.disable,
        [(one.level, one.handlers[:], one.filters[:], one.propagate, one.disabled)
         for one in loggers],
    )

@pytest.fixture(scope="module")
def dear():
    os.environ["LEFT_BY_A_FIXTURE"] = "1"
    logging.getLogger("loantap").setLevel("CRITICAL")
    return 1

def test_first(dear):
    BEFORE.append(find())
    assert "LEFT_BY_A_FIXTURE" not in os.environ
    assert logging.getLogger("loantap").level != logging.CRITICAL
    os.environ["LEFT_BY_A_TEST"] = "1"
    del os.environ["PATH"]
    os.chdir("/")
    sys.path.insert(0, "/nowhere")
    console = {"class": "logging.StreamHandler"}
    root = {"level": "DEBUG", "handlers": ["console"]}
    logging.config.dictConfig({"version": 1, "handlers": {"console": console}, "root": root})
    logger = logging.getLogger("loantap")
    logger.setLevel(logging.CRITICAL)
    logger.addHandler(logging.NullHandler())
    logger.addFilter(lambda record: False)
    logger.propagate = False
    logger.disabled = True
    logging.getLogger("made_by_a_test").setLevel(logging.CRITICAL)
    logging.disable(logging.ERROR)
    assert not any(map(eq, find(), BEFORE[0]))

@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
def test_that_fails():
    os.chdir("/")
    1 / 0

def test_last(dear):
    assert find() == BEFORE[0]
"""


def test_it_happens_around_every_test_and_every_shared_fixture(tmp_path):
	(tmp_path / "test_left.py").write_text(TESTS)
	options = ["-q", "-p", "tests.conftest", "-p", "no:randomly", "-p", "no:cacheprovider"]

	ran = subprocess.run(
		[sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
		env=os.environ | {"PYTHONPATH": str(PROJECT)},
		cwd=tmp_path,
		capture_output=True,
		text=True,
		check=False,
	)

	assert "2 passed, 1 xfailed" in ran.stdout, ran.stdout + ran.stderr
