"""How a run is ended, by Ctrl-C or a signal, and what a task and the run that it starts tell each other."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# Set by the task, for the process that runs.
RUN_VARIABLE: Final = "LOANTAP_RUN"
# Names the bucket with the published data.
BUCKET_VARIABLE: Final = "LOANTAP_BUCKET"
# Nothing has to be mended: the same command succeeds in a while. EX_TEMPFAIL of sysexits.h.
TRY_LATER: Final = 75


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
NOTHING_BEGUN = "Interrupted by {} while starting: nothing was done, nothing is published."


class Interruption:
	"""Whether somebody asked this process to end, and when it obeys.

	It obeys by a `KeyboardInterrupt` in the main thread; since an import or a destructor may lose
	that, what was asked is remembered.
	"""

	def __init__(self) -> None:
		self.received: signal.Signals | None = None
		self._deferred = 0

	@property
	def name(self) -> str:
		"""What a person calls it."""
		return _NAMES[self.received] if self.received else ""

	def settle(self) -> int:
		"""The exit code of a process that has obeyed, as shells count; 0 where nobody asked.

		Text is evaluated here: else `python -m` would, after an interrupted `exec`, end by SIGINT whatever the code.
		"""
		eval("None")  # noqa: S307 - see above
		return 128 + self.received if self.received else 0

	def obey(self) -> None:
		"""Raise KeyboardInterrupt here if it was asked for before."""
		if self.received:
			raise KeyboardInterrupt

	@contextmanager
	def deferred(self) -> Iterator[None]:
		"""Obey after the block: what is in it is brief and must be done whole."""
		self._deferred += 1
		try:
			yield
		finally:
			self._deferred -= 1

	@contextmanager
	def listening(self) -> Iterator[None]:
		"""Obey within the block; signals that the process was told to ignore stay so."""
		self.received = None
		if threading.current_thread() is not threading.main_thread():
			yield
			return
		heard = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
		before = {each: signal.signal(each, self._hear) for each in heard}
		try:
			yield
		finally:
			for each, handler in before.items():
				signal.signal(each, signal.SIG_DFL if handler is _leave_at_once else handler)

	def _hear(self, number: int, _frame: FrameType | None) -> None:
		self.received = signal.Signals(number)
		if not self._deferred:
			raise KeyboardInterrupt


interruption = Interruption()


def leave_at_once_while_starting() -> None:
	"""Until a run begins, end without ado: imports take seconds, and may lose an exception."""
	if threading.current_thread() is threading.main_thread():
		for each in _SIGNALS:
			if signal.getsignal(each) in {signal.SIG_DFL, signal.default_int_handler}:
				signal.signal(each, _leave_at_once)


def _leave_at_once(number: int, _frame: FrameType | None) -> None:
	text = NOTHING_BEGUN.format(_NAMES[signal.Signals(number)])
	os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{text}\n".encode())
	os._exit(128 + number)
