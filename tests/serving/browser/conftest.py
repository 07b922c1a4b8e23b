import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.serving.browser.person import Person
from tests.serving.server.running import Running, serving
from tests.serving.watched import write_watchlist
from tests.support.browser import launched
from tests.support.temporary_project import Project


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
	with launched() as chromium:
		yield chromium


@pytest.fixture(scope="package")
def served(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
	folder = tmp_path_factory.mktemp("served")
	write_watchlist(folder)
	with serving(demo.folder, folder, reports=str(folder)) as running:
		running.wait_until_told("Try ")
		yield running
		assert running.stop(signal.SIGINT) == 0


@pytest.fixture(scope="package")
def asha(browser: Browser, served: Running) -> Person:
	"""Asha Rao, who may do everything, at a desk."""
	return Person(browser, served.pages, served.make_key("Asha Rao"))
