"""`loantap-dashboard`: serve the dashboard with Streamlit."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from loantap.portfolio.errors import InputError
from loantap.serving.dashboard.look import list_theme_options
from loantap.serving.dashboard.settings import read_settings


def make_command(host: str, port: int) -> list[str]:
	"""The command for Streamlit: headless, telling nobody, with the reports' look."""
	found = find_spec("loantap.serving.dashboard.entry.app")
	if found is None or found.origin is None:
		raise InputError("dashboard", "its pages are not installed", "Install loantap again")
	options = {
		"server.address": host,
		"server.port": str(port),
		"server.headless": "true",
		"server.fileWatcherType": "none",
		"browser.gatherUsageStats": "false",
		"client.toolbarMode": "viewer",
		# Errors go to the log alone.
		"client.showErrorDetails": "none",
		"client.showErrorLinks": "false",
		**list_theme_options(),
	}
	script = str(Path(found.origin))
	given = [f"--{name}={value}" for name, value in options.items()]
	return [sys.executable, "-m", "streamlit", "run", script, *given]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8501, show_default=True, help="Port to listen at.")
def main(host: str, port: int) -> None:
	"""Serve the dashboard; LOANTAP_API_URL and LOANTAP_DASHBOARD_KEY say what it asks."""
	try:
		read_settings()
		command = make_command(host, port)
	except InputError as error:
		raise click.ClickException(str(error)) from error
	os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
	main()
