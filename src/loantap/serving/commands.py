"""`loantap-serve`: API and dashboard together, on what the last run left."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from types import FrameType
from typing import Any, Final

import click
import httpx

from loantap.portfolio.errors import InputError
from loantap.serving.api.first_start import prepare
from loantap.serving.audit.commands import make_caller
from loantap.serving.audit.store import AuditStore
from loantap.serving.dashboard.commands import make_command
from loantap.serving.dashboard.settings import API_VARIABLE, KEY_VARIABLE, PROJECT_VARIABLE
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.settings import ServingSettings, read_settings

_HOST: Final = "127.0.0.1"
# The API ends requests in flight within 30 seconds.
_ENDS_WITHIN: Final = 35.0
_RATE_PER_MINUTE: Final = 6_000


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), show_default="8000", help="Port of the API.")
@click.option(
	"--dashboard-port", type=click.IntRange(1, 65_535), default=8501, show_default=True, help="Port of the dashboard."
)
def main(port: int | None, dashboard_port: int) -> None:
	"""Serve decisions and the dashboard on this machine until Ctrl-C."""
	signal.signal(signal.SIGTERM, _interrupt)
	try:
		settings = read_settings(host=_HOST, port=port)
		_refuse_busy(settings.port, "--port")
		_refuse_busy(dashboard_port, "--dashboard-port")
		_serve(settings, dashboard_port)
	except InputError as error:
		raise click.ClickException(str(error)) from error
	except KeyboardInterrupt:
		click.echo("API and dashboard have ended")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
	raise KeyboardInterrupt


def _refuse_busy(port: int, option: str) -> None:
	with socket.socket() as tried:
		tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		try:
			tried.bind((_HOST, port))
		except OSError as error:
			raise InputError(f"{_HOST}:{port}", "another program listens there", f"Give {option} another port") from error


def _serve(settings: ServingSettings, dashboard_port: int) -> None:
	for line in prepare(settings):
		click.echo(line)
	api = f"http://{_HOST}:{settings.port}"
	dashboard = f"http://{_HOST}:{dashboard_port}"
	with ExitStack() as stack:
		key = stack.enter_context(_dashboard_key(settings))
		told = {**os.environ, API_VARIABLE: api, KEY_VARIABLE: key, PROJECT_VARIABLE: str(settings.project)}
		serve_api = [sys.executable, "-m", "loantap.serving.api.commands"]
		options = ["--host", _HOST, "--port", str(settings.port)]
		run = [
			stack.enter_context(_running([*serve_api, *options], dict(os.environ))),
			stack.enter_context(_running(make_command(_HOST, dashboard_port), told)),
		]
		_wait_until_ready(f"{api}/readyz", run)
		_wait_until_ready(f"{dashboard}/_stcore/health", run)
		click.echo(f"Dashboard  {dashboard}\nAPI        {api}/docs\nTry        {_write_curl(api)}")
		while all(one.poll() is None for one in run):
			time.sleep(0.5)
		raise InputError("loantap-serve", "API or dashboard ended", "Read its last lines above")


@contextmanager
def _dashboard_key(settings: ServingSettings) -> Iterator[str]:
	with closing(AuditStore.open(settings.audit_url)) as store:
		key, text = Keys(store).create(
			"dashboard", (Scope.SCORE, Scope.READ), make_caller("loantap-serve"), _RATE_PER_MINUTE
		)
	try:
		yield text
	finally:
		with closing(AuditStore.open(settings.audit_url)) as store:
			Keys(store).revoke(key.id, make_caller("loantap-serve"))


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
	# In its own session: Ctrl-C reaches it through us alone.
	process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603
	try:
		yield process
	finally:
		process.terminate()
		try:
			process.wait(_ENDS_WITHIN)
		except subprocess.TimeoutExpired:
			process.kill()
			process.wait()


def _wait_until_ready(url: str, run: list[subprocess.Popen[bytes]]) -> None:
	until = time.monotonic() + 60.0
	told = "no answer"
	while time.monotonic() < until:
		if any(one.poll() is not None for one in run):
			raise InputError("loantap-serve", "a server ended as it began", "Read its lines above")
		try:
			answer = httpx.get(url, timeout=2)
		except httpx.TransportError:
			time.sleep(0.1)
			continue
		if answer.is_success:
			return
		told = answer.text
		time.sleep(0.3)
	raise InputError(url, f"not ready: {told}", "Run `make run` for a champion, then try again")


def _write_curl(api: str) -> str:
	example: dict[str, Any] = httpx.get(f"{api}/v1/schema/application").json()["example"]
	body = json.dumps(example).replace("'", "'\\''")
	return (
		f"curl {api}/v1/applications/score -H 'Authorization: Bearer YOUR_KEY' "
		f"-H 'Content-Type: application/json' -d '{body}'"
	)


if __name__ == "__main__":
	main()
