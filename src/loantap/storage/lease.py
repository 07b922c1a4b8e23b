"""One task at a time works on a bucket's data; a dead task's right expires."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from loantap.portfolio.errors import InputError
from loantap.storage.bucket import Bucket, TryLaterError

KEY = "state/lease.json"
LASTS_S = 90.0
# A bucket tells time in whole seconds; holder and successor keep clear of the end.
_MARGIN_S = 1.0


class LeaseHeldError(TryLaterError):
  """Another task works on the data."""


class LeaseLostError(TryLaterError):
  """It could not be renewed in time, and another task may work on the data."""


class _Record(BaseModel):
  """The holder; `renewals` makes each writing of it another one."""

  model_config = ConfigDict(frozen=True)

  owner: str
  since: datetime
  lasts_s: float
  renewals: int = 0
  is_released: bool = False


class Lease:
  """The right to change a bucket's data, for a run.

  Unless renewed it ends after `lasts_s` seconds; `on_lost` is then called in another thread.
  """

  def __init__(self, bucket: Bucket, owner: str, on_lost: Callable[[], None], lasts_s: float = LASTS_S) -> None:
    self._bucket = bucket
    self._on_lost = on_lost
    self._record = _Record(owner=owner, since=datetime.now(UTC), lasts_s=lasts_s)
    self._etag: str | None = None
    self._until = 0.0
    self._is_lost = False
    self._ending = threading.Event()
    self._thread = threading.Thread(target=self._renew_until_ended, daemon=True)

  def acquire(self) -> None:
    """Take it and keep renewing it, or raise `LeaseHeldError`."""
    found = self._bucket.read(KEY)
    holder = _Record.model_validate_json(found.body) if found else None
    if found and holder and not holder.is_released:
      left_s = holder.lasts_s + _MARGIN_S - found.age_s
      if left_s > 0:
        raise self._tell_held(holder)
    started = time.monotonic()
    self._etag = found.etag if found else None
    self._etag = self._write(self._record)
    if self._etag is None:
      raise self._tell_held(None)
    self._until = started + self._record.lasts_s - _MARGIN_S
    self._thread.start()

  def require(self) -> None:
    """Raises `LeaseLostError` unless it is held."""
    if self._is_lost or time.monotonic() >= self._until:
      raise LeaseLostError(
        f"lease of bucket {self._bucket.name}",
        "it was lost: it could not be renewed in time, or another task has taken it",
        "Nothing was published; start the task again",
      )

  def release(self) -> None:
    """Let the next task begin, unless it was lost."""
    self._ending.set()
    if not self._thread.is_alive():
      return
    self._thread.join()
    if not self._is_lost:
      self._write(self._record.model_copy(update={"is_released": True}))

  def _renew_until_ended(self) -> None:
    while not self._ending.wait(self._record.lasts_s / 5):
      started = time.monotonic()
      renewed = self._record.model_copy(update={"renewals": self._record.renewals + 1})
      try:
        etag = self._write(renewed)
      except InputError:
        # If it was written, the next attempt finds its own text.
        if time.monotonic() < self._until:
          continue
        etag = None
      if etag is None:
        self._is_lost = True
        self._on_lost()
        return
      self._record, self._etag = renewed, etag
      self._until = started + renewed.lasts_s - _MARGIN_S

  def _write(self, record: _Record) -> str | None:
    return self._bucket.write_if(KEY, record.model_dump_json().encode(), self._etag)

  def _tell_held(self, holder: _Record | None) -> LeaseHeldError:
    who = f"run {holder.owner}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC" if holder else ""
    return LeaseHeldError(
      f"bucket {self._bucket.name}",
      f"another task works on its data: {who or 'it has just begun'}",
      f"Wait until it has ended; {self._record.lasts_s:.0f} s after it was killed, the next one takes over",
    )
