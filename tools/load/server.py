"""A server in processes of its own: started, measured, killed under load; and `loantap-api` as one.

Of what was answered before kill -9, every decision must be in the log; an unanswered request, sent again under its
idempotency key, must have one decision.
"""

import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from threading import Timer
from typing import Final, Self

from loantap.serving.audit.records import Caller, Verdict
from loantap.serving.audit.store import AuditStore
from loantap.serving.keys.keys import Keys, Scope
from tools.benchmarks.measured import list_tree, reset_peak, status_mib
from tools.load.applications import name_key, number_request, number_requests
from tools.load.generator import LOST, ask, render_request, send
from tools.sources.processes import Process, free_port, read_end

_READY: Final = render_request("GET", "/readyz")
_START_SECONDS: Final = 60.0
_READ_KEYS: Final = (
	"SELECT idempotency_key, id FROM records WHERE kind = 'decision' AND idempotency_key >= ? AND idempotency_key < ?"
)
FAULTS: Final = ("missing", "twice", "changed", "refused")


class Server:
	"""A command that serves on a port of this machine, with its workers.

	Attributes:
		port: where it listens; `/readyz` answers 200 when it can do its work.
		log: where it writes what it has to say.
		folder: the working directory.
		seconds_to_ready: from the start to the first 200.
	"""

	seconds_to_ready = 0.0
	_process: Process | None = None

	def __init__(
		self, command: Sequence[str], port: int, environment: Mapping[str, str], log: Path, folder: Path | None = None
	) -> None:
		self.port, self._command, self._environment = port, command, environment
		self._log, self._folder = log, folder

	def __enter__(self) -> Self:
		self.start()
		return self

	def __exit__(self, *_: object) -> None:
		self.stop()

	def start(self) -> None:
		"""Start it and wait until it is ready.

		Raises:
			RuntimeError: it ended, or was not ready in time; with the end of what it wrote.
		"""
		started = time.perf_counter()
		self._process = Process.start(self._command, self._log, env=self._environment, folder=self._folder)
		try:
			self._wait_until_ready(self._process, started + _START_SECONDS)
		except BaseException:  # Ctrl-C too leaves no process behind
			self.kill()
			raise
		self.seconds_to_ready = time.perf_counter() - started

	def _wait_until_ready(self, process: Process, end: float) -> None:
		while process.is_running and time.perf_counter() < end:
			with suppress(OSError):
				if ask(self.port, _READY, 5.0).status == 200:
					return
			time.sleep(0.02)
		raise RuntimeError(f"{self._command[0]} was not ready; it wrote: {read_end(self._log)}")

	def stop(self) -> None:
		"""Ask it to end, and kill what doesn't."""
		if self._process is not None:
			self._process.end(within_s=20)
		self.kill()

	def kill(self) -> None:
		"""Kill -9, all of its processes at once."""
		if self._process is not None:
			self._process.send(signal.SIGKILL)
			self._process.end()
			self._process = None

	def list_processes(self) -> list[int]:
		"""Its processes, the first one first."""
		return list_tree(self._process.pid) if self._process is not None else []

	def take_peak(self) -> float:
		"""The most resident MiB of one of its processes since this was last asked."""
		processes = self.list_processes()
		peak = max(status_mib(process, "VmHWM") for process in processes)
		for process in processes:
			reset_peak(process)
		return peak


class LoanTapApi(Server):
	"""`loantap-api` on a project, with an audit log of its own in a folder, and headers of a caller who may score."""

	def __init__(self, project: Path, folder: Path, settings: dict[str, str]) -> None:
		self._records = folder / "audit.db"
		self._url = f"sqlite:///{self._records}"
		port = free_port()
		environment = os.environ | {"LOANTAP_AUDIT_URL": self._url, "LOANTAP_PORT": str(port)} | settings
		command = [sys.executable, "-m", "loantap.serving.api.commands"]
		super().__init__(command, port, environment, folder / "api.log", project)
		with closing(AuditStore.open(self._url)) as store:
			who = Caller("load", "load", "load")
			_, key = Keys(store).create("load", (Scope.SCORE, Scope.READ), who, rate_per_minute=10_000_000)
		self.headers = {"Authorization": f"Bearer {key}"}

	def read_log(self, prefix: str) -> Mapping[str, Sequence[str]]:
		"""The ids of the decisions under each idempotency key with a prefix."""
		ids = defaultdict[str, list[str]](list)
		with closing(sqlite3.connect(f"file:{self._records}?mode=ro", uri=True)) as connection:
			for key, decision in connection.execute(_READ_KEYS, (f"{prefix}-", f"{prefix}.")):
				ids[key].append(decision)
		return ids

	def verify(self) -> Verdict:
		"""Whether the chain of the log holds."""
		with closing(AuditStore.open(self._url)) as store:
			return store.verify()


def kill_under_load(api: LoanTapApi, requests: Sequence[bytes], prefix: str, seconds: float) -> Counter[str]:
	"""Load a server, kill all its processes, start it again, compare answers with the log.

	Idempotency keys begin with a prefix that no other load has.

	Returns:
		How many requests were `answered`; were `lost` on their way; of those, were `kept` in the log already. And
		`FAULTS`: answers `missing` in the log; keys with more than one decision after all was sent again (`twice`);
		answers `changed` when sent again; requests, sent once or again, answered otherwise than with success
		(`refused`).
	"""
	found = Counter(dict.fromkeys(FAULTS, 0))
	bodies: dict[int, bytes] = {}
	lost: list[int] = []

	def note(number: int, status: int, body: bytes) -> None:
		if status == 200:
			bodies[number] = body
		elif status == LOST:
			lost.append(number)
		else:
			found["refused"] += 1

	timer = Timer(seconds, api.kill)
	timer.start()
	try:
		numbered = number_requests(requests, prefix)
		send(api.port, numbered, 60.0, listen=note, until=lambda: not timer.is_alive())
	finally:
		timer.cancel()
		timer.join()
	api.start()
	log = api.read_log(prefix)
	for number, body in bodies.items():
		found["missing"] += json.loads(body)["id"] not in log.get(name_key(prefix, number), ())
	found.update(answered=len(bodies), lost=len(lost), kept=sum(name_key(prefix, number) in log for number in lost))
	for number in [*lost, *islice(reversed(bodies), 100)]:
		answer = ask(api.port, number_request(requests, prefix, number))
		found["refused"] += answer.status != 200
		found["changed"] += number in bodies and answer.body != bodies[number]
	found["twice"] = sum(len(ids) > 1 for ids in api.read_log(prefix).values())
	return found
