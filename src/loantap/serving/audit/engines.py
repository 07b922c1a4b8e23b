"""Connections to SQLite and PostgreSQL, for writing and for reading."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from loantap.portfolio.errors import InputError
from loantap.project.folder import anchor_address, find_project
from loantap.serving.audit.turns import Turns
from loantap.serving.errors import AuditUnavailableError

VARIABLE = "LOANTAP_AUDIT_URL"
_DEFAULT = "sqlite:///data/09_serving/audit.db"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
# For another process's writer.
WAIT_SECONDS = 4
# After a wait in vain, or waits would add up.
_AGAIN_SECONDS = 0.1
# PostgreSQL's advisory lock of the chain's end.
_LOCK = 0x10A47A9
# An insert per number of rows stays prepared.
_CACHED_STATEMENTS = 256
# Memory for a batch of 10,000 (25 MB), or it is written twice; its journal waits for `checkpoint`.
_LARGE = ("PRAGMA cache_size=-65536", "PRAGMA wal_autocheckpoint=0")
_SMALL = ("PRAGMA cache_size=-4096", "PRAGMA wal_autocheckpoint=1000")
# Commits survive a loss of power; what is erased is overwritten; triggers refuse replacing a row.
_DURABLE = (
	# Of a new file: half as many writes as with SQLite's 4,096.
	"PRAGMA page_size=8192",
	"PRAGMA journal_mode=WAL",
	"PRAGMA synchronous=FULL",
	"PRAGMA secure_delete=ON",
	"PRAGMA recursive_triggers=ON",
	*_SMALL,
)
_REMEDY = "Look whether its server is up, its disk has room and no other program holds it"


def choose_url(given: str | None = None) -> str:
	"""SQLAlchemy's URL of the log: the given one, LOANTAP_AUDIT_URL, or the project's file."""
	return anchor_address(given or os.environ.get(VARIABLE) or _DEFAULT, find_project(Path.cwd()))


def has_log(url: str) -> bool:
	"""Whether there is a log to read: a SQLite file must be there, a server is asked later."""
	parsed = _parse(url)
	return parsed.get_backend_name() != SQLITE or bool(parsed.database and Path(parsed.database).is_file())


class KeptConnection:
	"""The connection that records are kept over, always open, for one thread at a time.

	SQLAlchemy's pool, begin and commit cost more than a small group's records.
	"""

	def __init__(self, engine: Engine, begin: Callable[[], Sequence[str]]) -> None:
		self._engine = engine
		self._tell_begin = begin
		self._connection: Any = None

	@contextmanager
	def writing(self) -> Iterator[Any]:
		"""A cursor in a transaction, committed at the end; an error closes the connection."""
		is_committed = False
		try:
			cursor = self._begin()
			yield cursor
			cursor.execute("COMMIT")
			is_committed = True
		finally:
			if not is_committed:
				self.close()

	def close(self) -> None:
		"""Close the connection; what was not committed is undone."""
		connection, self._connection = self._connection, None
		if connection is not None:
			connection.close()

	def _begin(self) -> Any:
		is_used = self._connection is not None
		if self._connection is None:
			self._connect()
		cursor = self._connection.cursor()
		try:
			self._run_begin(cursor)
		except self._engine.dialect.loaded_dbapi.Error:
			# Nothing was done before the server's restart: another attempt is safe.
			if not is_used or not getattr(self._connection, "closed", False):
				raise
			self.close()
			self._connect()
			cursor = self._connection.cursor()
			self._run_begin(cursor)
		return cursor

	def _run_begin(self, cursor: Any) -> None:
		for statement in self._tell_begin():
			cursor.execute(statement)

	def _connect(self) -> None:
		pooled = self._engine.raw_connection()
		pooled.detach()
		self._connection = pooled.dbapi_connection
		if hasattr(self._connection, "set_autocommit"):
			# Our statements begin and commit, as in SQLite.
			self._connection.set_autocommit(True)


@dataclass(frozen=True, slots=True)
class Engines:
	"""Both kinds of connection to one log; its context managers raise `AuditUnavailableError`.

	`writer` keeps all other writers out from its beginning, `reader` reads one state of the log, `kept` is for records;
	`turns` is None where the database keeps them; `where` names the log without password.
	"""

	writer: Engine
	reader: Engine
	where: str
	kept: KeptConnection
	turns: Turns | None = None

	@property
	def is_sqlite(self) -> bool:
		"""Whether the log is a file."""
		return self.writer.dialect.name == SQLITE

	def dispose(self) -> None:
		"""Close what is open."""
		self.kept.close()
		self.writer.dispose()
		self.reader.dispose()
		if self.turns is not None:
			self.turns.close()

	@contextmanager
	def explained(self) -> Iterator[None]:
		"""Errors of the database become one, which says what to do."""
		try:
			yield
		except (DBAPIError, PoolTimeoutError, self.writer.dialect.loaded_dbapi.Error) as error:
			said = str(getattr(error, "orig", None) or error).strip().splitlines()
			problem = said[0] if said else type(error).__name__
			raise AuditUnavailableError(self.where, problem, _REMEDY) from error

	@contextmanager
	def keeping(self, *, is_large: bool = False) -> Iterator[Any]:
		"""A transaction of the only writer, as a cursor of the driver's.

		`checkpoint` follows a large one (thousands of records), which lets other writers go on.
		"""
		begin, end = (_LARGE, _SMALL) if is_large and self.is_sqlite else ((), ())
		with self._in_turn(), self.explained():
			with self.kept.writing() as cursor:
				for statement in begin:
					cursor.execute(statement)
				yield cursor
			for statement in end:
				cursor.execute(statement)

	@contextmanager
	def writing(self) -> Iterator[Connection]:
		"""A transaction of the only writer; an error undoes it."""
		with self._in_turn(), self.explained(), self.writer.begin() as connection:
			yield connection

	def checkpoint(self, how: str = "PASSIVE") -> None:
		"""Copy SQLite's journal into the file while others write and read."""
		if self.is_sqlite:
			with self.explained():
				connection = self.writer.raw_connection()
				try:
					connection.cursor().execute(f"PRAGMA wal_checkpoint({how})").fetchall()
				finally:
					connection.close()

	def _in_turn(self) -> AbstractContextManager[None]:
		return nullcontext() if self.turns is None else self.turns.taken()

	@contextmanager
	def reading(self) -> Iterator[Connection]:
		"""A transaction that reads."""
		with self.explained(), self.reader.begin() as connection:
			yield connection


def open_engines(url: str) -> Engines:
	"""Connections to the log at a URL, none open yet; SQLite's folder is made.

	`InputError` where it is no URL of a SQLite file or of PostgreSQL.
	"""
	parsed = _parse(url)
	where = f"audit log {parsed.render_as_string(hide_password=True)}"
	if parsed.get_backend_name() == SQLITE:
		return _open_sqlite(parsed, where)
	return _open_postgresql(parsed, where)


def _parse(url: str) -> URL:
	try:
		parsed = make_url(url)
		name = parsed.get_backend_name()
		parsed.get_dialect()
	except (ArgumentError, NoSuchModuleError) as error:
		raise _not_understood("it is not understood") from error
	if name not in {SQLITE, POSTGRESQL}:
		raise _not_understood(f"{name} is not one of {SQLITE}, {POSTGRESQL}")
	if name == SQLITE and parsed.database in {None, "", ":memory:"}:
		raise _not_understood("a log in memory would be lost")
	if name == POSTGRESQL:
		return parsed.set(drivername=f"{POSTGRESQL}+psycopg")
	return parsed


def _not_understood(problem: str) -> InputError:
	return InputError(VARIABLE, problem, "Give sqlite:////folder/audit.db or postgresql://user@host/database")


def _open_sqlite(url: URL, where: str) -> Engines:
	path = Path(str(url.database))
	try:
		path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
		# SQLite's other files get its rights.
		os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
	except OSError as error:
		raise AuditUnavailableError(
			where, f"the file cannot be written ({error.strerror})", f"Set {VARIABLE} or its rights"
		) from error
	wait = WAIT_SECONDS

	def connect() -> sqlite3.Connection:
		# The registry makes SQLAlchemy's connections to SQLite wait longer; the driver's transactions would begin too late.
		return sqlite3.connect(
			path, timeout=wait, isolation_level=None, check_same_thread=False, cached_statements=_CACHED_STATEMENTS
		)

	writer = create_engine(url, creator=connect)
	reader = create_engine(url, creator=connect)
	_run_when_connected(writer, _DURABLE)
	_run_when_connected(reader, ("PRAGMA query_only=ON",))
	turns = Turns(path.with_name(f"{path.name}-turns"), where)

	def begin() -> list[str]:
		seconds = min(wait, _AGAIN_SECONDS) if turns.was_refused else wait
		return [f"PRAGMA busy_timeout={seconds * 1e3:.0f}", "BEGIN IMMEDIATE"]

	_run_at_begin(writer, begin)
	_run_at_begin(reader, lambda: ["BEGIN"])
	return Engines(writer, reader, where, KeptConnection(writer, begin), turns)


def _open_postgresql(url: URL, where: str) -> Engines:
	if "connect_timeout" not in url.query:
		url = url.update_query_dict({"connect_timeout": str(WAIT_SECONDS)})
	writer = create_engine(url, pool_pre_ping=True)
	reader = create_engine(url, pool_pre_ping=True, isolation_level="REPEATABLE READ")
	begin = [f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'", f"SELECT pg_advisory_xact_lock({_LOCK})"]
	_run_at_begin(writer, lambda: begin)
	_run_at_begin(reader, lambda: ["SET TRANSACTION READ ONLY"])
	return Engines(writer, reader, where, KeptConnection(writer, lambda: ["BEGIN", *begin]))


def _run_when_connected(engine: Engine, statements: Sequence[str]) -> None:
	@event.listens_for(engine, "connect")
	def connected(connection: Any, _: Any) -> None:
		for statement in statements:
			connection.execute(statement)


def _run_at_begin(engine: Engine, tell: Callable[[], Sequence[str]]) -> None:
	@event.listens_for(engine, "begin")
	def began(connection: Connection) -> None:
		for statement in tell():
			connection.exec_driver_sql(statement)
