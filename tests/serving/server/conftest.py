import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loantap.model.scoring.scorer import Scorer
from tests.serving.server.running import Running, make_project, start
from tests.serving.watched import write_watchlist


@pytest.fixture(scope="session")
def served_project(
	tmp_path_factory: pytest.TempPathFactory, empty_store: Path, lending: Scorer, application: Scorer
) -> Path:
	folder = tmp_path_factory.mktemp("served") / "project"
	write_watchlist(folder / "data/08_reporting")
	return make_project(folder, empty_store, lending.trained, application.trained)


@pytest.fixture(scope="session")
def running(served_project: Path) -> Iterator[Running]:
	"""A server of two processes, with a log of its own; ended as Ctrl-C ends it."""
	audit = served_project / "server.db"
	audit.unlink(missing_ok=True)
	started = start(served_project, "server", audit_url=f"sqlite:///{audit}")
	yield started
	assert started.stop(signal.SIGINT) == 0
