"""A test leaves the process as it found it: no other test can tell that it has run."""

import logging
import logging.config
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import mlflow
import pytest

from tests.conftest import PROJECT
from tests.support.process_state import put_back


def configure_logging():
    console = {"class": "logging.StreamHandler"}
    root = {"level": "DEBUG", "handlers": ["console"]}
    logging.config.dictConfig(
        {"version": 1, "disable_existing_loggers": True, "handlers": {"console": console},
         "root": root}
    )  # fmt: skip


def configure_a_logger():
    logger = logging.getLogger("loantap")
    logger.setLevel(logging.CRITICAL)
    logger.addHandler(logging.NullHandler())
    logger.addFilter(lambda record: False)
    logger.propagate = False
    logger.disabled = True


def log_warnings():
    # Logging does nothing where it believes that it does so already.
    logging.captureWarnings(False)
    logging.captureWarnings(True)


def find_variables():
    return dict(os.environ)


def find_logging():
    loggers = [logging.getLogger(), logging.getLogger("loantap")]
    return (
        [
            (each.level, each.handlers[:], each.filters[:], each.propagate, each.disabled)
            for each in loggers
        ],
        logging.root.manager.disable,
        warnings.showwarning.__module__,
    )


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


@pytest.mark.parametrize(
    ("leave", "find"),
    [
        pytest.param(lambda: os.environ.update(LEFT="1"), find_variables, id="new-variable"),
        pytest.param(lambda: os.environ.pop("PATH"), find_variables, id="lost-variable"),
        pytest.param(lambda: os.chdir("/"), Path.cwd, id="folder"),
        pytest.param(lambda: sys.path.insert(0, "/nowhere"), lambda: sys.path[:], id="path"),
        pytest.param(configure_logging, find_logging, id="logging"),
        pytest.param(configure_a_logger, find_logging, id="logger"),
        pytest.param(lambda: logging.disable(logging.ERROR), find_logging, id="logging-off"),
        pytest.param(log_warnings, find_logging, id="warnings"),
    ],
)
def test_what_a_test_leaves_is_put_back(leave, find):
    before = find()

    with put_back():
        leave()
        assert find() != before

    assert find() == before


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


@put_back()
def leave_and_fail():
    os.chdir("/")
    raise ZeroDivisionError


def test_it_is_put_back_when_a_test_fails():
    before = Path.cwd()

    with pytest.raises(ZeroDivisionError):
        leave_and_fail()

    assert Path.cwd() == before


# The first test changes the process, by itself and by what it is the first to ask for.
TWO_TESTS = """
import logging, os, pytest

@pytest.fixture(scope="module")
def dear():
    os.environ["LEFT_BY_A_FIXTURE"] = "1"
    logging.getLogger("loantap").setLevel("CRITICAL")
    return 1

def test_first(dear):
    assert "LEFT_BY_A_FIXTURE" not in os.environ
    os.environ["LEFT_BY_A_TEST"] = "1"
    os.chdir("/")
    logging.getLogger("kedro").propagate = False

def test_second(dear):
    assert not [name for name in os.environ if name.startswith("LEFT")]
    assert os.getcwd() != "/"
    assert logging.getLogger("loantap").level != logging.CRITICAL
    assert logging.getLogger("kedro").propagate
"""


def test_it_happens_around_every_test_and_every_shared_fixture(tmp_path):
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    options = ["-q", "-p", "tests.conftest", "-p", "no:randomly", "-p", "no:cacheprovider"]

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr
