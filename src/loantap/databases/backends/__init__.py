"""How a database is reached; which way is chosen by its credentials."""

import re
from pathlib import Path
from typing import Any

from loantap.databases.backends.connection_text import is_url
from loantap.databases.backends.embedded import EMBEDDED, DuckDB, WritableDuckDB
from loantap.databases.backends.interface import Backend, WritableBackend
from loantap.databases.backends.odbc import Odbc
from loantap.databases.backends.odbc_writing import WritableOdbc
from loantap.databases.backends.waiting import SILENCE_LIMIT_S
from loantap.portfolio.errors import InputError

__all__ = ["EMBEDDED", "Backend", "WritableBackend", "make_backend", "make_writable"]

# The default in conf/odbc, which names the variable that holds the real text.
_UNSET = re.compile(r"(\w+) is not set")
_ODBC_FORM = "an ODBC connection string (Driver={..};Server=..;..)"
_FORMS = f"{_ODBC_FORM}, or a URL that starts with db2+ibm_db:// or databricks://"


def make_backend(system: str, credentials: dict[str, Any], answer_limit_s: float | None = None) -> Backend:
	"""The way to read a system; nothing is connected to.

	`credentials` are `{backend: duckdb, path}`, or `{connection}` of a real system, whose form names its driver; after
	`answer_limit_s` the system gives up a statement.

	Raises:
		InputError: the credentials cannot be used.
	"""
	match credentials:
		case {"backend": "duckdb", "path": str(path)}:
			return DuckDB(system, Path(path))
		case {"connection": str(text)}:
			return _make_remote(system, text, answer_limit_s)
	raise _not_understood(system, credentials)


def make_writable(system: str, credentials: dict[str, Any], answer_limit_s: float = SILENCE_LIMIT_S) -> WritableBackend:
	"""The way to write and read tables of ours; nothing is connected to. InputError as `make_backend`."""
	match credentials:
		case {"backend": "duckdb", "path": str(path)}:
			return WritableDuckDB(system, Path(path))
		case {"connection": str(text)}:
			if not isinstance(_make_remote(system, text, None, _ODBC_FORM), Odbc):
				raise InputError(
					f"credentials of {system}", "our own tables can only be written over ODBC", "Give an ODBC connection string"
				)
			return WritableOdbc(system, text, answer_limit_s)
	raise _not_understood(system, credentials)


def _make_remote(system: str, text: str, answer_limit_s: float | None, forms: str = _FORMS) -> Backend:
	if unset := _UNSET.fullmatch(text.strip()):
		raise InputError(
			f"credentials of {system}",
			f"the environment variable {unset[1]} is not set",
			f"Set it to {forms}; `source .sources/env` sets it after `make sources-up`",
		)
	if not text.strip():
		raise InputError(
			f"credentials of {system}",
			"the environment variable is empty",
			f"Set it to {forms}; docs/sources.md names the variable of each system",
		)
	if is_url(text):
		scheme = text.partition("://")[0].strip()
		if scheme == "db2+ibm_db":
			from loantap.databases.backends.db2 import DB2

			return DB2(system, text, answer_limit_s)
		if scheme == "databricks":
			from loantap.databases.backends.databricks import Databricks

			return Databricks(system, text, answer_limit_s)
	elif "=" in text:
		return Odbc(system, text, answer_limit_s)
	raise InputError(
		f"credentials of {system}",
		# The text is not quoted: it may hold a password.
		"the connection text has a form that is not understood",
		f"Set it to {forms}; docs/sources.md names the environment variable of each system",
	)


def _not_understood(system: str, credentials: dict[str, Any]) -> InputError:
	return InputError(
		f"credentials of {system}",
		f"entries {sorted(credentials)} are not understood",
		"Give `backend: duckdb` and a `path`, or `connection` with a connection text",
	)
