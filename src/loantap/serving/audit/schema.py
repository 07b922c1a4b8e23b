"""Makes the tables, and refuses those of another version."""

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text

from loantap.serving.audit.engines import Engines
from loantap.serving.audit.tables import REVISION
from loantap.serving.errors import SchemaError

_PACKAGE = "loantap.serving.audit"


def find_revision(connection: Connection) -> str | None:
	"""The tables' migration; None without tables."""
	if not inspect(connection).has_table("alembic_version"):
		return None
	found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
	return None if found is None else str(found)


def upgrade(engines: Engines) -> str | None:
	"""Make or change the tables in one transaction; returns their revision before, or None.

	`SchemaError` where they are newer than this version of LoanTap.
	"""
	from alembic import command
	from alembic.config import Config
	from alembic.util import CommandError

	# The writers' lock keeps out a process that starts meanwhile.
	with engines.writing() as connection, as_file(files(_PACKAGE) / "migrations") as folder:
		before = find_revision(connection)
		if before == REVISION:
			return before
		config = Config()
		config.set_main_option("script_location", str(folder))
		config.set_main_option("path_separator", "os")
		config.attributes["connection"] = connection
		try:
			command.upgrade(config, "head")
		except CommandError as error:
			raise _unknown(engines.where, before) from error
		return before


def require_current(engines: Engines) -> None:
	"""Raise `SchemaError` unless the tables are this version's."""
	with engines.reading() as connection:
		found = find_revision(connection)
	if found == REVISION:
		return
	if found is None:
		raise SchemaError(engines.where, "it has no tables", "Run loantap-audit upgrade")
	if found < REVISION:
		raise SchemaError(
			engines.where,
			f"its tables are at revision {found}, and {REVISION} is needed",
			"Make a backup, then run loantap-audit upgrade",
		)
	raise _unknown(engines.where, found)


def _unknown(where: str, found: str | None) -> SchemaError:
	return SchemaError(
		where,
		f"its tables are at revision {found}, which this version of LoanTap ({REVISION}) does not know",
		"Install the version of LoanTap that made them, or a newer one",
	)
