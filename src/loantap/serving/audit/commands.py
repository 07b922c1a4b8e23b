"""`loantap-audit`: verify the log, show a record, erase personal data, upgrade the tables."""

import getpass
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from loantap.portfolio.errors import InputError
from loantap.serving.audit import schema
from loantap.serving.audit.engines import VARIABLE, choose_url, open_engines
from loantap.serving.audit.export import export_decisions
from loantap.serving.audit.records import Caller, Head
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import REVISION


@click.group()
@click.option("--url", help=f"Address of the log, instead of {VARIABLE} and the project's file.")
@click.pass_context
def main(context: click.Context, url: str | None) -> None:
	"""The audit log: each decision, and each act of a person."""
	context.obj = choose_url(url)


@contextmanager
def explained() -> Iterator[None]:
	"""A mendable error becomes one message and exit code 1."""
	try:
		yield
	except InputError as error:
		raise click.ClickException(str(error)) from error


@contextmanager
def opened(url: str) -> Iterator[AuditStore]:
	"""The log, closed at the end; see `explained`."""
	with explained(), closing(AuditStore.open(url)) as store:
		yield store


def make_caller(command: str) -> Caller:
	"""Who is at the terminal, as a record's caller."""
	return Caller(command, getpass.getuser(), uuid.uuid4().hex)


@main.command()
@click.option("--noted", help="An end of the log that was noted down earlier, SEQ:HASH.")
@click.pass_obj
def verify(url: str, noted: str | None) -> None:
	"""Check every record. If one does not hold, name the first and end with exit code 1.

	Note down the end that it prints, away from the log: only with an earlier end can anybody tell
	that records were cut off since, or that the whole log was written anew.
	"""
	with opened(url) as store:
		verdict = store.verify(_read_head(noted))
		if verdict.fault is not None:
			click.echo(f"{verdict.n:,} records hold. Then {verdict.fault}", err=True)
			sys.exit(1)
		click.echo(f"All {verdict.n:,} records hold. The log ends at {verdict.head}")


@main.command()
@click.argument("record_id")
@click.pass_obj
def show(url: str, record_id: str) -> None:
	"""Show a record, and what happened to it since, as JSON."""
	with opened(url) as store:
		record = store.find(record_id)
		if record is None:
			raise InputError(f"record {record_id}", "there is none of this id", "Search for it")
		told = [asdict(found) for found in (record, *store.about(record_id))]
	click.echo(json.dumps(told, indent=2, default=str, ensure_ascii=False))


@main.command()
@click.argument("record_ids", nargs=-1, metavar="[ID]...")
@click.option("--application-id", help="Take all records of this application.")
@click.option("--reason", required=True, help="Why; it is kept for good: name nobody in it.")
@click.pass_obj
def erase(url: str, record_ids: tuple[str, ...], application_id: str | None, reason: str) -> None:
	"""Erase the personal parts of decisions. What is about them is erased too; nothing brings it back."""
	if bool(record_ids) == bool(application_id):
		raise click.UsageError("Give ids of records, or --application-id")
	with opened(url) as store:
		caller = make_caller("loantap-audit")
		n = store.erase(caller, reason, record_ids=record_ids, application_id=application_id)
	click.echo(f"Erased {n:,} personal parts")


@main.command()
@click.option("--older-than", "days", type=click.IntRange(min=0), required=True, help="Age in days.")
@click.pass_obj
def purge(url: str, days: int) -> None:
	"""Erase the personal parts of all records that are older."""
	with opened(url) as store:
		n = store.purge_older_than(days, make_caller("loantap-audit"))
	click.echo(f"Erased {n:,} personal parts that were older than {days} days")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", type=click.DateTime(), help="Kept at this time or later, UTC.")
@click.option("--until", type=click.DateTime(), help="Kept before this time, UTC.")
@click.pass_obj
def export(url: str, file: Path, since: datetime | None, until: datetime | None) -> None:
	"""Write decisions with their applications to FILE.parquet.

	Names, addresses and job titles are left out.

	`kedro run --pipelines monitoring --params decisions=FILE.parquet` reads it.
	"""
	with explained():
		bounds = (time and time.replace(tzinfo=UTC) for time in (since, until))
		n = export_decisions(url, file, *bounds)
	click.echo(f"Wrote {n:,} decisions to {file}" if n else f"No decision was kept in this time; {file} was not written")


@main.command()
@click.pass_obj
def upgrade(url: str) -> None:
	"""Make the tables, or bring them up to date. On PostgreSQL, run it as their owner."""
	with explained():
		engines = open_engines(url)
		try:
			before = schema.upgrade(engines)
		finally:
			engines.dispose()
	if before == REVISION:
		click.echo(f"Nothing to do: the tables are at revision {before}")
	else:
		click.echo(f"The tables are at revision {REVISION}, before: {before or 'none'}")


def _read_head(noted: str | None) -> Head | None:
	if noted is None:
		return None
	seq, mark, hashed = noted.partition(":")
	if not mark or not seq.isdigit():
		raise click.BadParameter(f"{noted} is not SEQ:HASH, as verify prints it")
	return Head(int(seq), hashed)


if __name__ == "__main__":
	main()
