import signal

import pytest

from tests.serving.browser.person import Person
from tests.serving.server.running import serving
from tests.serving.watched import write_monitoring, write_watchlist
from tests.support.browser import launched


@pytest.fixture(scope="package")
def browser():
	with launched() as chromium:
		yield chromium


@pytest.fixture(scope="package")
def served(demo, tmp_path_factory):
	folder = tmp_path_factory.mktemp("served")
	write_watchlist(folder)
	# The dashboard reads the reports of the project; they are taken away again.
	write_monitoring(demo.reporting)
	with serving(demo.folder, folder, reports=str(folder)) as running:
		running.wait_until_told("Try ")
		yield running
		assert running.stop(signal.SIGINT) == 0
	(demo.reporting / "monitoring.json").unlink()


@pytest.fixture(scope="package")
def asha(browser, served):
	"""She may do everything."""
	return Person(browser, served.pages, served.make_key("Asha Rao"))
