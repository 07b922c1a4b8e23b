import signal

import pytest

from tests.serving.server.running import make_project, start
from tests.serving.watched import write_watchlist


@pytest.fixture(scope="session")
def served_project(tmp_path_factory, empty_store, lending, application):
	folder = tmp_path_factory.mktemp("served") / "project"
	write_watchlist(folder / "data/08_reporting")
	return make_project(folder, empty_store, lending.trained, application.trained)


@pytest.fixture(scope="session")
def running(served_project):
	"""Two processes; ended as Ctrl-C ends it."""
	audit = served_project / "server.db"
	audit.unlink(missing_ok=True)
	started = start(served_project, "server", audit_url=f"sqlite:///{audit}")
	yield started
	assert started.stop(signal.SIGINT) == 0
