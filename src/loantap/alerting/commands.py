"""`loantap-alerts`: take what monitoring found, and deliver it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from loantap.alerting.delivery import deliver, write_body
from loantap.alerting.ledger import list_waiting, open_ledger, take_report
from loantap.portfolio.errors import InputError
from loantap.project.folder import anchor_address, find_project
from loantap.surveillance.monitoring.checks import AlertReport

VARIABLE = "LOANTAP_ALERTS_URL"
_DEFAULT = "sqlite:///data/09_serving/alerts.db"
_REPORT = Path("data/08_reporting/alerts.json")


@click.group()
def main() -> None:
	"""Tell whoever answers for it what monitoring found."""


@main.command()
@click.option("--deliver", "is_real", is_flag=True, help="Send; without it, only say what would be sent.")
@click.option("--report", type=click.Path(path_type=Path), help="Instead of data/08_reporting/alerts.json.")
def send(report: Path | None, *, is_real: bool) -> None:
	"""Deliver what monitoring found new, still there or gone.

	What cannot be delivered is kept and tried again by the next call; the exit code is 1 as long as something waits.
	"""
	try:
		found = _read_report(report or find_project(Path.cwd()) / _REPORT)
	except InputError as error:
		raise click.ClickException(str(error)) from error
	with _opened() as engine:
		(_deliver if is_real else _rehearse)(engine, found)


@main.command()
def waiting() -> None:
	"""List messages that have not arrived, and why. Exit code 1 if there are any."""
	with _opened() as engine, engine.begin() as connection:
		found = list_waiting(connection)
	for message, error in found:
		click.echo(
			f"{message.channel}: {write_body([message])}\n  attempts: {message.attempts}; {error or 'not tried yet'}"
		)
	if not found:
		click.echo("Nothing waits")
	sys.exit(bool(found))


def _deliver(engine: Engine, report: AlertReport) -> None:
	# Another sender at the same time has taken the report, on a database that lets both read first.
	with suppress(IntegrityError), engine.begin() as connection:
		_tell_ignored(take_report(connection, report, datetime.now(UTC)), report)
	for told in deliver(engine, lambda: datetime.now(UTC)):
		click.echo(f"{told.channel}: {told.n} {f'not delivered. {told.error}' if told.error else 'delivered'}")
	with engine.begin() as connection:
		left = list_waiting(connection)
	if left:
		click.echo(f"Waiting for the next try: {len(left)}. `loantap-alerts waiting` lists them", err=True)
		sys.exit(1)
	click.echo("Nothing waits")


def _tell_ignored(made: int | None, report: AlertReport) -> None:
	if made is None:
		click.echo(f"The report of {report.as_of} counts for nothing: one of a later day was taken before", err=True)


def _rehearse(engine: Engine, report: AlertReport) -> None:
	with engine.connect() as connection, connection.begin() as transaction:
		_tell_ignored(take_report(connection, report, datetime.now(UTC)), report)
		found = list_waiting(connection)
		transaction.rollback()
	for message, _ in found:
		click.echo(f"{message.channel}: {write_body([message])}")
	click.echo(f"Messages that would be sent: {len(found)}. Add --deliver to send them")


def _read_report(path: Path) -> AlertReport:
	try:
		report = AlertReport.model_validate_json(path.read_text("utf-8"))
	except FileNotFoundError as error:
		raise InputError(f"{path}", "there is no report of monitoring", "Run `kedro run --pipelines monitoring`") from error
	except ValueError as error:
		raise InputError(f"{path}", f"it is no report of monitoring ({error})", "Run monitoring again") from error
	# A day is allowed for clocks that are apart. Beyond that it would stand in the way of all that come.
	if report.as_of > datetime.now(UTC).date() + timedelta(days=1):
		raise InputError(
			f"{path}", f"it is of {report.as_of}, a day to come", "Set the clock right, and run monitoring again"
		)
	return report


@contextmanager
def _opened() -> Iterator[Engine]:
	url = anchor_address(os.environ.get(VARIABLE) or _DEFAULT, find_project(Path.cwd()))
	try:
		if url.startswith("sqlite:///"):
			Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
		engine = open_ledger(url)
	except (SQLAlchemyError, ImportError, OSError) as error:
		said = str(error).splitlines()[0]
		raise click.ClickException(f"{VARIABLE}: the ledger cannot be opened ({said}). Look whether it is up") from error
	try:
		yield engine
	finally:
		engine.dispose()


if __name__ == "__main__":
	main()
