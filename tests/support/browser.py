"""Chromium without a window, which asks for nothing that it is not told to."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from tests.conftest import require

_ARGUMENTS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--no-first-run",
]


@contextmanager
def launched():
	"""The system's Chromium; a test is skipped without it, and fails in CI."""
	chromium = shutil.which("chromium")
	require(chromium is not None, "there is no chromium (apt-get install chromium)")
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
		yield browser
		browser.close()
