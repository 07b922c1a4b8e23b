"""`loantap-alerts`: take what monitoring found, and deliver it."""

import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from loantap.alerting.channels import find_channel, write_body
from loantap.alerting.deliver import deliver
from loantap.alerting.ledger import list_waiting, open_ledger, take_report
from loantap.portfolio.errors import InputError
from loantap.project.folder import anchor_address, find_project
from loantap.surveillance.monitoring.alerts import Finding

VARIABLE = "LOANTAP_ALERTS_URL"
_DEFAULT = "sqlite:///data/09_serving/alerts.db"
_REPORT = Path("data/08_reporting/alerts.json")


@click.group()
def main() -> None:
	"""Alerts: what monitoring found, told to whoever answers for it."""


@main.command()
@click.option("--deliver", "is_real", is_flag=True, help="Send. Without it, only say what would be sent.")
@click.option("--report", type=click.Path(path_type=Path), help="Instead of data/08_reporting/alerts.json.")
def send(report: Path | None, *, is_real: bool) -> None:
	"""Take the last report of monitoring and deliver what is new, goes on or has cleared.

	What cannot be delivered is kept and tried again by the next call; the exit code is 1 as long as something waits.
	"""
	try:
		as_of, findings = _read_report(report or find_project(Path.cwd()) / _REPORT)
	except InputError as error:
		raise click.ClickException(str(error)) from error
	engine = _open()
	try:
		if is_real:
			_deliver(engine, as_of, findings)
		else:
			_rehearse(engine, as_of, findings)
	finally:
		engine.dispose()


@main.command()
def waiting() -> None:
	"""List messages that have not arrived, and why. Exit code 1 if there are any."""
	engine = _open()
	with engine.begin() as connection:
		found = list_waiting(connection)
	engine.dispose()
	for message, error in found:
		click.echo(f"{message.channel}: {write_body([message])}\n  {message.attempts} attempts; {error or 'not tried yet'}")
	if not found:
		click.echo("Nothing waits")
	sys.exit(bool(found))


def _deliver(engine: Engine, as_of: date, findings: list[Finding]) -> None:
	with engine.begin() as connection:
		take_report(connection, as_of, findings, datetime.now(UTC))
	for told in deliver(engine, find_channel, lambda: datetime.now(UTC)):
		click.echo(f"{told.channel}: {told.n} {f'not delivered. {told.error}' if told.error else 'delivered'}")
	with engine.begin() as connection:
		left = list_waiting(connection)
	if left:
		click.echo(f"{len(left)} messages wait for the next try: `loantap-alerts waiting` lists them", err=True)
		sys.exit(1)
	click.echo("Nothing waits")


def _rehearse(engine: Engine, as_of: date, findings: list[Finding]) -> None:
	with engine.connect() as connection, connection.begin() as transaction:
		take_report(connection, as_of, findings, datetime.now(UTC))
		found = list_waiting(connection)
		transaction.rollback()
	for message, _ in found:
		click.echo(f"{message.channel}: {write_body([message])}")
	click.echo(f"{len(found)} messages would be sent; add --deliver to send them")


def _read_report(path: Path) -> tuple[date, list[Finding]]:
	try:
		content = json.loads(path.read_text("utf-8"))
		return date.fromisoformat(content["as_of"]), [Finding.model_validate(each) for each in content["findings"]]
	except FileNotFoundError as error:
		raise InputError(f"{path}", "there is no report of monitoring", "Run `kedro run --pipelines monitoring`") from error
	except (ValueError, KeyError) as error:
		raise InputError(f"{path}", f"it is no report of monitoring ({error})", "Run monitoring again") from error


def _open() -> Engine:
	url = anchor_address(os.environ.get(VARIABLE) or _DEFAULT, find_project(Path.cwd()))
	if url.startswith("sqlite:///"):
		Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
	return open_ledger(url)


if __name__ == "__main__":
	main()
