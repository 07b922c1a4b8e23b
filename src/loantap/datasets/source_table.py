"""Give source tables, and the place our own go to, to the pipelines; an embedded table can be replaced."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn, Protocol, runtime_checkable

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from loantap.databases.backends import EMBEDDED, make_backend, make_writable
from loantap.databases.backends.embedded import DuckDB
from loantap.databases.backends.interface import BATCH_ROWS, Query
from loantap.databases.backends.waiting import SILENCE_LIMIT_S, TIME_LIMIT_S, Patience
from loantap.databases.inspection import Inspection, TargetSystem
from loantap.databases.source_table import SourceTable
from loantap.portfolio.dictionary import REAL, Table
from loantap.portfolio.errors import InputError


@runtime_checkable
class Credentialed(Protocol):
	"""A dataset in a system that has to be logged in to."""

	def require_credentials(self) -> None:
		"""Raise InputError, without connecting, where the credentials cannot be used."""


class SourceTableDataset(AbstractDataset[pd.DataFrame | Iterable[pd.DataFrame], SourceTable]):
	"""Gives a table of a source system, to be read when needed; replaces an embedded one.

	Args:
		query: `package:file.sql`, the extraction query.
	"""

	def __init__(
		self,
		*,
		system: str,
		table: str,
		query: str,
		credentials: dict[str, Any],
		time_limit_s: float = TIME_LIMIT_S,
		silence_limit_s: float = SILENCE_LIMIT_S,
		batch_rows: int = BATCH_ROWS,
		metadata: dict[str, Any] | None = None,
	) -> None:
		self._system = system
		self._table = Table(table)
		self._query = query
		self._credentials = credentials
		self._patience = Patience(time_limit_s, silence_limit_s)
		self._batch_rows = batch_rows
		self.metadata = metadata

	@property
	def is_embedded(self) -> bool:
		"""Whether the database is a file of ours rather than a real system."""
		return self._credentials.get("backend") == EMBEDDED

	@property
	def system(self) -> str:
		"""Name of the source system."""
		return self._system

	def count_real(self) -> int:
		"""Rows of real origin in an embedded table; 0 where there is none, or it does not tell."""
		if not self.is_embedded or not self._exists():
			return 0
		database = self._embedded()
		if "origin" not in database.describe(self._table).names:
			return 0
		counted = f"SELECT count(*) AS n FROM {self._table} WHERE origin = ?"  # noqa: S608
		rows = database.read(Query(counted, (REAL,))).read_all()
		return int(rows.column("n")[0].as_py())

	def require_credentials(self) -> None:
		"""See `Credentialed`."""
		make_backend(self._system, self._credentials)

	def load(self) -> SourceTable:
		"""The table; nothing is connected to before it is asked for rows."""
		return SourceTable(
			self._system, self._table, self._read_statement(), self._credentials, self._patience, self._batch_rows
		)

	def save(self, data: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
		"""Replace the table in one transaction, from frames; InputError for a real system."""
		self._embedded().replace(self._table, [data] if isinstance(data, pd.DataFrame) else data)

	def _embedded(self) -> DuckDB:
		if not self.is_embedded:
			raise InputError(
				f"{self._system}, table {self._table}",
				"it belongs to a real system, which is only read",
				"Use `--env base` for sources that can be written",
			)
		return DuckDB(self._system, Path(self._credentials["path"]))

	def _read_statement(self) -> str:
		package, _, name = self._query.partition(":")
		return files(package).joinpath(name).read_text(encoding="utf-8")

	def _exists(self) -> bool:
		# Asking a real system would connect before the rows are needed.
		return not self.is_embedded or self._embedded().has_table(self._table)

	def _describe(self) -> dict[str, Any]:
		# Credentials are left out: this text goes to logs.
		return {"system": self._system, "table": self._table.value, "query": self._query}


class TargetSystemDataset(AbstractDataset[NoReturn, TargetSystem]):
	"""Gives the place our own tables go to; nothing is connected to before it is tried."""

	def __init__(self, *, system: str, credentials: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
		self._system = system
		self._credentials = credentials
		self.metadata = metadata

	def require_credentials(self) -> None:
		"""See `Credentialed`."""
		make_writable(self._system, self._credentials)

	def load(self) -> TargetSystem:
		"""The system."""
		return TargetSystem(self._system, self._credentials)

	def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
		"""Refused: tables are written, not systems."""
		raise DatasetError("a system cannot be saved to; TargetTableDataset writes a table")

	def _exists(self) -> bool:
		return True

	def _describe(self) -> dict[str, Any]:
		return {"system": self._system}


class InspectionDataset(AbstractDataset[Inspection, pd.DataFrame]):
	"""Takes a look at the systems, and gives what was found."""

	def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
		self._findings: pd.DataFrame | None = None
		self.metadata = metadata

	def load(self) -> pd.DataFrame:
		"""One row per check; see `Inspection.look`."""
		if self._findings is None:
			raise DatasetError("the systems have not been looked at: run check_sources")
		return self._findings

	def save(self, data: Inspection) -> None:
		"""Look, at one system after the other."""
		self._findings = data.look()

	def _exists(self) -> bool:
		return self._findings is not None

	def _describe(self) -> dict[str, Any]:
		return {}
