import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from loantap.model.scoring.trained import TrainedModel
from tests.conftest import train, training_options
from tests.serving.server.running import Running, make_project, start
from tests.serving.watched import write_watchlist


@pytest.fixture(scope="session")
def served_project(
    tmp_path_factory: pytest.TempPathFactory,
    empty_store: Path,
    lending_model: TrainedModel,
    simulated_loans: pd.DataFrame,
) -> Path:
    application = train(simulated_loans, training_options("application"))
    folder = tmp_path_factory.mktemp("served") / "project"
    write_watchlist(folder / "data/08_reporting")
    return make_project(folder, empty_store, lending_model, application)


@pytest.fixture(scope="session")
def running(served_project: Path) -> Iterator[Running]:
    """A server of two processes, with a log of its own; ended as Ctrl-C ends it."""
    audit = served_project / "server.db"
    audit.unlink(missing_ok=True)
    started = start(served_project, "server", audit_url=f"sqlite:///{audit}")
    yield started
    assert started.stop(signal.SIGINT) == 0
