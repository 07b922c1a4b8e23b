"""A bucket of S3, the lease of who writes to it, and what a person can mend when it refuses."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
	BotoCoreError,
	ClientError,
	CredentialRetrievalError,
	HTTPClientError,
	NoCredentialsError,
	PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from pydantic import BaseModel, ConfigDict
from s3transfer.exceptions import RetriesExceededError

from loantap.portfolio.errors import InputError

_MISSING = {"404", "NoSuchKey", "NotFound"}
# If-Match on a missing key gives 404, two writers at once 409.
_OVERTAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409", *_MISSING}
_CREDENTIALS = (
	"the credentials are expired or not known",
	"Start a new task, which gets new ones from its role; elsewhere sign in again",
)
_REGION = ("it is in another region", "Set AWS_REGION to the region of the bucket")
_DENIED = (
	"access is denied",
	"Allow the role s3:ListBucket on it, s3:GetObject and s3:PutObject on state/*, and its KMS key",
)
_REFUSALS = {
	"AccessDenied": _DENIED,
	"403": _DENIED,
	"ExpiredToken": _CREDENTIALS,
	"ExpiredTokenException": _CREDENTIALS,
	"InvalidAccessKeyId": _CREDENTIALS,
	"InvalidToken": _CREDENTIALS,
	"SignatureDoesNotMatch": _CREDENTIALS,
	"TokenRefreshRequired": _CREDENTIALS,
	"AuthorizationHeaderMalformed": _REGION,
	"IllegalLocationConstraintException": _REGION,
	"PermanentRedirect": _REGION,
	"301": _REGION,
	"NoSuchBucket": ("there is no such bucket", "Set LOANTAP_BUCKET to the bucket's name"),
	"RequestTimeTooSkewed": ("the clock of this machine is wrong", "Set the clock"),
}
KEY = "state/lease.json"
LASTS_S = 90.0
# A bucket tells time in whole seconds; holder and successor keep clear of the end.
_MARGIN_S = 1.0


class TryLaterError(InputError):
	"""Nothing has to be mended: the same command succeeds in a while."""


class BucketDownError(TryLaterError):
	"""The bucket does not answer."""


@dataclass(frozen=True, slots=True)
class Stored:
	"""A small object; `age_s` is seconds since it was written, by the bucket's clock."""

	body: bytes
	etag: str
	age_s: float


class Bucket:
	"""A bucket by its name; it connects when a method is called.

	Every method raises `BucketDownError` or, refused, `InputError`.
	"""

	def __init__(self, name: str) -> None:
		self.name = name
		patience = Config(
			connect_timeout=5, read_timeout=20, max_pool_connections=32, retries={"mode": "standard", "total_max_attempts": 3}
		)
		region = os.environ.get("AWS_REGION")
		self._client: Any = boto3.session.Session(region_name=region).client("s3", config=patience)

	def read(self, key: str) -> Stored | None:
		"""A small object; None where there is none."""
		with self._asking(f"read {key}"):
			try:
				found = self._client.get_object(Bucket=self.name, Key=key)
			except ClientError as error:
				if _code(error) in _MISSING:
					return None
				raise
			now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
			age_s = (now - found["LastModified"]).total_seconds()
			return Stored(found["Body"].read(), found["ETag"], age_s)

	def write_if(self, key: str, body: bytes, etag: str | None) -> str | None:
		"""Write a small object if its etag is still this (None: if there is none); returns the new etag, or None.

		No two writers may send one content.
		"""
		condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
		with self._asking(f"write {key}"):
			try:
				put = self._client.put_object(Bucket=self.name, Key=key, Body=body, **condition)
				return str(put["ETag"])
			except ClientError as error:
				if _code(error) not in _OVERTAKEN:
					raise
		# An answer may be lost, and the second attempt then meets the first.
		found = self.read(key)
		return found.etag if found is not None and found.body == body else None

	def write(self, key: str, body: bytes) -> None:
		"""Write a small object, whatever is there."""
		with self._asking(f"write {key}"):
			self._client.put_object(Bucket=self.name, Key=key, Body=body)

	def list_keys(self, prefix: str) -> list[str]:
		"""Keys with a prefix, in the order of their letters."""
		with self._asking(f"list {prefix}"):
			pages = self._client.get_paginator("list_objects_v2")
			found = pages.paginate(Bucket=self.name, Prefix=prefix)
			return [each["Key"] for page in found for each in page.get("Contents", ())]

	def upload(self, path: Path, key: str) -> None:
		"""Send a file of any size; its key appears once all has come."""
		with self._asking(f"write {key}"), path.open("rb") as file:
			self._client.upload_fileobj(file, self.name, key)

	def download(self, key: str, path: Path) -> None:
		"""Fetch a file of any size."""
		with self._asking(f"read {key}"), path.open("wb") as file:
			self._client.download_fileobj(self.name, key, file)

	@contextmanager
	def _asking(self, what: str) -> Iterator[None]:
		where = f"bucket {self.name}"
		try:
			yield
		except ClientError as error:
			status = error.response["ResponseMetadata"]["HTTPStatusCode"]
			if status >= 500 or _code(error) in {"SlowDown", "RequestTimeout"}:
				raise self._tell_down(what, error) from error
			problem, remedy = _REFUSALS.get(_code(error), (str(error), "Look up this answer of S3, and mend what it names"))
			raise InputError(where, f"cannot {what}: {problem} ({_code(error)})", remedy) from error
		except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
			raise InputError(where, f"cannot {what}: {error}", "Give the task a role, or sign in (aws sso login)") from error
		except (NoConnectionError, HTTPClientError, RetriesExceededError) as error:
			raise self._tell_down(what, error) from error
		except BotoCoreError as error:
			raise InputError(where, f"cannot {what}: {error}", "Look at LOANTAP_BUCKET, AWS_REGION and the role") from error

	def _tell_down(self, what: str, error: Exception) -> BucketDownError:
		return BucketDownError(
			f"bucket {self.name}",
			f"cannot {what}: it cannot be reached, or is too busy ({error})",
			"Try again; if it stays so, look at the network of the task and AWS_ENDPOINT_URL",
		)


def _code(error: ClientError) -> str:
	return str(error.response.get("Error", {}).get("Code", ""))


class LeaseHeldError(TryLaterError):
	"""Another task works on the data."""


class LeaseLostError(TryLaterError):
	"""It could not be renewed in time, and another task may work on the data."""


class _Record(BaseModel):
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
