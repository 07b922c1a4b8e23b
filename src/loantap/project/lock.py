"""One run at a time works in a project's folder."""

import getpass
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from loantap.portfolio.errors import InputError

# Of this process: in the names of what it stages.
RUN = f"{os.getpid()}-{secrets.token_hex(3)}"
NOTHING_PUBLISHED = "nothing of this run is published; files, tables and champions are those of the last good run"
ALL_PUBLISHED = "it came when all was done, and everything of this run is published"
# Where runs keep their account of themselves, in the project's folder.
FOLDER = "data/.run"
_LOCK, _RECORD, _LEFT = "lock", "run.json", "killed-*.json"


class Record(BaseModel):
	"""What a run says of itself while it goes on; still there, it is of a run that was killed.

	Attributes:
		host: name of the machine, or container.
		since: UTC.
		outputs: files to be published, from the project's folder.
		databases: database files of ours written to, likewise.
		mlflow_run: its id there, if it is recorded.
	"""

	model_config = ConfigDict(frozen=True)

	run: str
	pid: int
	host: str
	user: str
	command: str
	since: datetime
	outputs: tuple[Path, ...] = ()
	databases: tuple[Path, ...] = ()
	mlflow_run: str | None = None

	def __str__(self) -> str:
		where = "" if self.host == socket.gethostname() else f" on {self.host}"
		return f"`{self.command}` of {self.user} (process {self.pid}{where}), since {self.since:%Y-%m-%d %H:%M:%S} UTC"


class ProjectLock:
	"""The right to run in a project's folder, which the system takes back when a process ends.

	`outcome` is what became of the results of the run that has it, or had it last.
	"""

	def __init__(self, project: Path) -> None:
		self.project = project
		self.folder = project / FOLDER
		# Kedro may take and return it in different threads.
		self._lock = FileLock(self.folder / _LOCK, timeout=0, thread_local=False, fallback_to_soft=False)
		self._record = _describe_this_process()
		self.outcome = NOTHING_PUBLISHED

	@property
	def is_held(self) -> bool:
		"""Whether this process has it."""
		return self._lock.is_locked

	def acquire(self) -> None:
		"""Take it, or say who has it; an account that a killed run left is put aside.

		Raises:
			InputError: another run has it, or the folder cannot be written or locked.
		"""
		try:
			self.folder.mkdir(parents=True, exist_ok=True)
			self._lock.acquire()
		except Timeout as error:
			raise self._tell_holder() from error
		except OSError as error:
			raise InputError(
				f"folder {self.folder.parent}",
				f"it cannot be written and locked ({error.strerror or error})",
				"Give yourself the right to write there, on a disk that has room and file locks",
			) from error
		self.outcome = NOTHING_PUBLISHED
		self.put_aside()
		self.note()

	def put_aside(self) -> None:
		"""Leave the account that is there to the next run, which does what was not done."""
		path = self.folder / _RECORD
		if (killed := _read(path)) is not None:
			path.replace(self.folder / _LEFT.replace("*", killed.run))

	def note(self, **changes: object) -> None:
		"""Say more of this run: any attribute of its `Record`."""
		self._record = self._record.model_copy(update=changes)
		staged = self.folder / f".{_RECORD}"
		staged.write_text(self._record.model_dump_json(indent=1), "utf-8")
		staged.replace(self.folder / _RECORD)

	def killed(self) -> Iterator[tuple[Path, Record]]:
		"""Accounts of runs that were killed, with the files they are in."""
		for path in sorted(self.folder.glob(_LEFT)):
			if (record := _read(path)) is not None:
				yield path, record

	def release(self) -> None:
		"""Give it back; there is nothing left to say of this run."""
		if self.is_held:
			(self.folder / _RECORD).unlink(missing_ok=True)
			self._record = _describe_this_process()
			self._lock.release(force=True)

	def _tell_holder(self) -> InputError:
		holder = _read(self.folder / _RECORD)
		return InputError(
			f"project {self.project}",
			f"another run works here: {holder or 'it has just begun'}",
			"Wait until it has ended, or end it" + (f" with kill {holder.pid}" if holder else ""),
		)


_locks: dict[Path, ProjectLock] = {}


def lock_of(project: Path) -> ProjectLock:
	"""The lock of a project; the same one for all who ask in this process."""
	return _locks.setdefault(project.resolve(), ProjectLock(project.resolve()))


def _read(path: Path) -> Record | None:
	"""None where there is none, or one that was cut off."""
	try:
		return Record.model_validate_json(path.read_bytes())
	except (OSError, ValidationError):
		return None


def _describe_this_process() -> Record:
	program, *arguments = sys.argv
	name = Path(program).name
	words = ["python", "-m", Path(program).parent.name] if name == "__main__.py" else [name]
	return Record(
		run=RUN,
		pid=os.getpid(),
		host=socket.gethostname(),
		user=_find_user(),
		command=shlex.join([*words, *arguments]),
		since=datetime.now(tz=UTC),
	)


def _find_user() -> str:
	try:
		return getpass.getuser()
	except (KeyError, OSError):  # a container whose user has no name
		return str(os.getuid())
