"""A page as a PDF, printed by a browser without a window."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from loantap.portfolio.errors import InputError

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LONGEST_SECONDS: Final = 120


def print_page(page: Path) -> Path:
	"""Print an HTML page, its charts drawn, into a PDF of the same name beside it; return that.

	An older one is replaced only when it is complete. InputError: no page, no browser, or nothing printed.
	"""
	if not page.is_file():
		raise InputError(page.name, "there is no such page", "Run `--pipelines insights` first")
	browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
	if browser is None:
		raise InputError(
			page.name,
			"no Chromium was found to print it",
			"Install it (apt-get install chromium), or print the page from your own browser",
		)
	printed = page.with_suffix(".pdf")
	partial = printed.with_suffix(".pdf.tmp")
	command = [
		browser,
		"--headless",
		"--disable-gpu",
		"--no-first-run",
		"--disable-background-networking",
		"--no-pdf-header-footer",
		"--virtual-time-budget=10000",  # milliseconds of the page's own clock, for its charts
		f"--print-to-pdf={partial.resolve()}",
		page.resolve().as_uri(),
	]
	if os.geteuid() == 0:
		command.insert(1, "--no-sandbox")  # Chromium has none for root; the page is our own
	try:
		done = subprocess.run(  # noqa: S603 - a browser that was found, and a file of ours
			command, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
		)
		if done.returncode or not partial.is_file():
			said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
			raise InputError(page.name, f"the browser did not print it: {said[0]}", "Try again")
		partial.replace(printed)
	except subprocess.TimeoutExpired as error:
		raise InputError(
			page.name,
			f"the browser did not print it within {_LONGEST_SECONDS} seconds",
			"Try again, or print the page from your own browser",
		) from error
	finally:
		partial.unlink(missing_ok=True)
	return printed
