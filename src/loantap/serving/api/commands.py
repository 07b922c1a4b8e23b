"""`loantap-api`: serve the API."""

import importlib
import os
from typing import Any, Final

import click

from loantap.portfolio.errors import InputError
from loantap.serving.api.process import loading, own_folder
from loantap.serving.settings import ServingSettings, read_settings

_TARGET: Final = "loantap.serving.api.worker:load"
# Before NumPy, Arrow and MLflow are imported: one thread per request, no reports.
_ENVIRONMENT: Final = {
	"OMP_NUM_THREADS": "1",
	"OPENBLAS_NUM_THREADS": "1",
	# Arrow's own pool keeps some 35 MiB per process after batches.
	"ARROW_DEFAULT_MEMORY_POOL": "system",
	"MLFLOW_DISABLE_TELEMETRY": "true",
	# Seconds, after which the last good model is taken.
	"MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
}
# Seconds that requests in flight have at the end.
_GRACE: Final = 30


@click.command()
@click.option("--host", show_default="127.0.0.1", help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), show_default="8000", help="Port to listen at.")
@click.option("--workers", type=click.IntRange(1, 64), show_default="2", help="Number of processes.")
@click.option("--threads", type=click.IntRange(1, 512), show_default="128", help="Threads of each process.")
def main(**options: Any) -> None:
	"""Serve decisions over HTTP, with the champion and the policy in force.

	Options may also be given as LOANTAP_HOST, LOANTAP_PORT, LOANTAP_WORKERS and LOANTAP_THREADS.
	"""
	try:
		settings = read_settings(**options)
		_serve(settings)
	except InputError as error:
		raise click.ClickException(str(error)) from error


def _serve(settings: ServingSettings) -> None:
	for name, value in _ENVIRONMENT.items():
		os.environ.setdefault(name, value)
	for name in ("host", "port", "workers", "threads"):
		os.environ[f"LOANTAP_{name.upper()}"] = str(getattr(settings, name))
	with own_folder() as folder:
		counted = settings.metrics_folder or folder
		counted.mkdir(parents=True, exist_ok=True)
		os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counted)
		_run(settings)


def _run(settings: ServingSettings) -> None:
	with loading():
		from granian import Granian
		from granian.constants import Interfaces

		from loantap.serving.api.envelope import LOGGING
		from loantap.serving.api.first_start import prepare

		# At once: the first key is kept nowhere.
		for line in prepare(settings):
			click.echo(line)
		# Before processes part: they start sooner and share its memory.
		importlib.import_module(_TARGET.partition(":")[0])
	click.echo(f"LoanTap's API listens at http://{settings.host}:{settings.port}, docs at /docs")
	server = Granian(
		_TARGET,
		address=settings.host,
		port=settings.port,
		interface=Interfaces.WSGI,
		workers=settings.workers,
		blocking_threads=settings.threads,
		backlog=settings.backlog,
		backpressure=settings.backlog,
		websockets=False,
		factory=True,
		log_dictconfig=LOGGING,
		respawn_failed_workers=True,
		workers_kill_timeout=_GRACE,
	)
	server.serve()


if __name__ == "__main__":
	main()
