"""Where the registry is, and what it looks like when it is locked or down.

SQLite's own waiting for a lock is silent and deaf to Ctrl-C, so SQLAlchemy opens these connections.
"""

import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from loantap.portfolio.errors import InputError
from loantap.project.folder import anchor_address

T = TypeVar("T")

# Seconds: MLflow's own, and a run's that has a search to lose.
USUAL_S, LONGEST_S = 20.0, 120.0
_PAUSE_S, _BETWEEN_LINES_S = 0.25, 15.0
# The lowest byte of an extended code is the primary one.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_BUSY_TIMEOUT = "PRAGMA busy_timeout"

logger = logging.getLogger(__name__)
# It logs a traceback of what it raises; the command tells it once.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

_limit_s: float | None = None


def wait_for(seconds: float | None) -> None:
	"""Seconds to wait for a locked database from now on; None: as usual."""
	global _limit_s  # noqa: PLW0603 (connections belong to the process, as does their patience)
	_limit_s = seconds


def patience() -> float | None:
	"""Seconds that a database is waited for; None where nobody has said."""
	return _limit_s


@contextmanager
def waiting_for(seconds: float) -> Iterator[None]:
	"""Wait so long within the block."""
	before = _limit_s
	wait_for(seconds)
	try:
		yield
	finally:
		wait_for(before)


def persist(attempt: Callable[[], T]) -> T:
	"""What an attempt gives, repeated while another process has the database; sqlite3.OperationalError in the end."""
	started = told = time.monotonic()
	limit_s = USUAL_S if _limit_s is None else _limit_s
	while True:
		try:
			return attempt()
		except sqlite3.OperationalError as error:
			now = time.monotonic()
			if error.sqlite_errorcode & 0xFF not in _BUSY or now - started >= limit_s:
				raise
			if told == started or now - told >= _BETWEEN_LINES_S:
				told = now
				logger.warning(
					"MLflow's database is locked by another process; waited %.0f s of at most %.0f s", now - started, limit_s
				)
		time.sleep(_PAUSE_S)


class _PatientCursor(sqlite3.Cursor):
	def execute(self, sql: str, parameters: Any = ()) -> Any:
		if sql.lstrip().startswith(_BUSY_TIMEOUT):  # MLflow sets it for every session
			sql = f"{_BUSY_TIMEOUT} = {_PAUSE_S * 1_000:.0f}"
		return persist(lambda: super(_PatientCursor, self).execute(sql, parameters))

	def executemany(self, sql: str, parameters: Iterable[Any]) -> Any:
		held = list(parameters)
		return persist(lambda: super(_PatientCursor, self).executemany(sql, held))


class PatientConnection(sqlite3.Connection):
	"""A connection whose statements and commits wait, and can be interrupted."""

	def cursor(self, factory: Any = _PatientCursor) -> Any:
		"""See `sqlite3.Connection.cursor`."""
		return super().cursor(factory)

	def commit(self) -> None:
		"""See `sqlite3.Connection.commit`."""
		persist(super().commit)


@event.listens_for(Engine, "do_connect")
def _be_patient(dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
	if dialect.name == "sqlite":
		options |= {"factory": PatientConnection, "timeout": _PAUSE_S}


# Goes before `conf/`.
ADDRESS_VARIABLE = "MLFLOW_TRACKING_URI"
_DEFAULT_ADDRESS = "sqlite:///mlflow.db"

# By default it tries a server that is down for four minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# Of files on the same disk.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

_SQLITE = "sqlite:///"
_SERVER_ERROR = 500
# Seconds to wait for a locked database where there is a last good model.
_PATIENCE = 2.0


class RegistryDownError(InputError):
	"""The registry does not answer."""

	def __init__(self, reason: str) -> None:
		super().__init__(
			f"model registry ({registry_address()})",
			f"it does not answer: {reason}",
			"Start its server, or put its database back; what is registered there stays as it is",
		)


def choose_address(configured: str | None, project: Path) -> str:
	"""Address of the registry: `MLFLOW_TRACKING_URI`, which is told, or else that of `mlflow.yml`.

	A file is looked for from the working directory in the first case, else from the project.
	"""
	usual = anchor_address(configured or _DEFAULT_ADDRESS, project)
	given = os.environ.get(ADDRESS_VARIABLE)
	if not given:
		return usual
	chosen = anchor_address(given, Path.cwd())
	if chosen != usual:
		click.echo(f"Registry: {_without_password(chosen)}, as {ADDRESS_VARIABLE} says", err=True)
	return chosen


@contextmanager
def keeping_address_variable() -> Iterator[None]:
	"""Leave `MLFLOW_TRACKING_URI` as it was, where MLflow writes too."""
	before = os.environ.get(ADDRESS_VARIABLE)
	try:
		yield
	finally:
		if before is None:
			os.environ.pop(ADDRESS_VARIABLE, None)
		else:
			os.environ[ADDRESS_VARIABLE] = before


def use_registry(uri: str) -> None:
	"""Ask this store from now on; nothing is opened."""
	with keeping_address_variable():
		# The registry follows; set by itself it would stay in the environment.
		mlflow.set_tracking_uri(uri)


def registry_address() -> str:
	"""Address of the registry, without a password."""
	return _without_password(str(mlflow.get_registry_uri()))


def _without_password(address: str) -> str:
	return re.sub(r"(//[^:/@]*):[^@/]*@", r"\1:***@", address)


@contextmanager
def asking_registry(*, must_exist: bool = True) -> Iterator[None]:
	"""Put questions to the registry; MLflow makes a missing database unless it `must_exist`.

	Raises:
		RegistryDownError: no connection, a server's error, or a database missing, locked or none.
	"""
	_check_database(must_exist=must_exist)
	try:
		yield
	except MlflowException as error:
		is_answer = int(error.get_http_status_code()) < _SERVER_ERROR  # type: ignore[no-untyped-call]
		if is_answer and not isinstance(error.__cause__, SQLAlchemyError):
			raise
		raise RegistryDownError(_first_line(error)) from error
	except (SQLAlchemyError, sqlite3.Error, OSError) as error:
		raise RegistryDownError(_first_line(error)) from error


def _check_database(*, must_exist: bool) -> None:
	"""Whether an embedded registry can be read; MLflow would try for minutes."""
	uri = str(mlflow.get_registry_uri())
	if not uri.startswith(_SQLITE):
		return
	path = Path(uri.removeprefix(_SQLITE).partition("?")[0])
	if not path.exists():
		if must_exist:
			raise RegistryDownError(f"there is no database {path}")
		return
	address = f"file:{quote(str(path.absolute()))}?mode=ro"
	try:
		connection = sqlite3.connect(address, uri=True, timeout=0, factory=PatientConnection)
		with closing(connection) as database, waiting_for(patience() or _PATIENCE):
			database.cursor().execute("SELECT count(*) FROM sqlite_master")
	except sqlite3.Error as error:
		raise RegistryDownError(f"{path}: {error}") from error


def _first_line(error: Exception) -> str:
	return str(error).splitlines()[0] if str(error) else type(error).__name__
