"""API keys: made, checked, listed, revoked; each a record of the audit log alone."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from loantap.portfolio.errors import InputError
from loantap.serving.audit.reading import list_kinds
from loantap.serving.audit.records import PREFIXES, Caller, Entry, Kind, Record
from loantap.serving.audit.store import AuditStore, Polled
from loantap.serving.audit.transaction import Transaction
from loantap.serving.errors import NotNowError, NotThereError

_MARK = "lt"
_ID_BYTES, _SECRET_BYTES = 6, 32
_MAX_OWNER = 100
DEFAULT_RATE_PER_MINUTE = 600
_MAX_RATE = 10_000_000


class Scope(StrEnum):
	"""What a key may do."""

	SCORE = "score"
	DECIDE = "decide"
	READ = "read"
	HELP = "help"
	ADMIN = "admin"
	DELEGATE = "delegate"  # says for which person it acts


@dataclass(frozen=True, slots=True)
class ApiKey:
	"""What is known of a key, not its secret; times in UTC, `revoked_at` None where it works."""

	id: str
	owner: str
	scopes: frozenset[Scope]
	rate_per_minute: int
	created_at: datetime
	created_by: str
	revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Known:
	key: ApiKey
	digest: str
	record_id: str


class Keys:
	"""The keys of one audit log; a revoked one stops within a second everywhere."""

	def __init__(self, store: AuditStore) -> None:
		self._store = store
		self._known = Polled(store, PREFIXES[Kind.KEY_CREATED], _read_keys)

	def create(
		self, owner: str, scopes: Collection[Scope], caller: Caller, rate_per_minute: int = DEFAULT_RATE_PER_MINUTE
	) -> tuple[ApiKey, str]:
		"""Make a key; the text of the key, `lt_<id>_<secret>`, is kept nowhere.

		`InputError` where owner, scopes or rate cannot be.
		"""
		owner = " ".join(owner.split())
		_require_possible(owner, scopes, rate_per_minute)
		key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
		public = {
			"id": key_id,
			"owner": owner,
			"scopes": sorted(scopes),
			"rate_per_minute": rate_per_minute,
			"secret_sha256": _digest(secret),
		}
		record = self._store.append([Entry(Kind.KEY_CREATED, public)], caller)[0]
		self._known.forget()
		return _read_key(record), f"{_MARK}_{key_id}_{secret}"

	def list_keys(self) -> list[ApiKey]:
		"""All keys, those revoked among them, oldest first."""
		return [known.key for known in self._known.get().values()]

	def revoke(self, key_id: str, caller: Caller) -> ApiKey:
		"""Let a key work no more; `NotThereError` where there is none, `NotNowError` where it was revoked."""
		key = self._store.change(lambda transaction: _revoke(transaction, key_id, caller))
		self._known.forget()
		return key

	def check(self, text: str) -> ApiKey | None:
		"""The key that a request brings, if it works; `AuditUnavailableError` where nobody can say so."""
		mark, _, rest = text.partition("_")
		key_id, _, secret = rest.partition("_")
		known = self._known.get().get(key_id)
		if mark != _MARK or known is None or known.key.revoked_at:
			return None
		return known.key if hmac.compare_digest(known.digest, _digest(secret)) else None


def _digest(secret: str) -> str:
	"""Enough: nobody guesses 256 random bits."""
	return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _require_possible(owner: str, scopes: Collection[Scope], rate_per_minute: int) -> None:
	if not owner or len(owner) > _MAX_OWNER or not owner.isprintable():
		raise InputError("owner", f"{owner[:40]!r} is no name", f"Give 1 to {_MAX_OWNER} characters")
	if not scopes:
		raise InputError("scopes", "there is none", f"Give one of {', '.join(Scope)}")
	if not 1 <= rate_per_minute <= _MAX_RATE:
		raise InputError("rate_per_minute", f"{rate_per_minute} is out of range", f"Give 1 to {_MAX_RATE}")


def _revoke(transaction: Transaction, key_id: str, caller: Caller) -> ApiKey:
	known = _read_keys(transaction.connection).get(key_id)
	if known is None:
		raise NotThereError(f"key {key_id}", "there is none of this id", "Run loantap-keys list")
	if known.key.revoked_at is not None:
		raise NotNowError(
			f"key {key_id}",
			f"it was revoked on {known.key.revoked_at:%Y-%m-%d %H:%M} UTC",
			"Nothing is to be done: it does not work",
		)
	entry = Entry(Kind.KEY_REVOKED, {"id": key_id}, subject=known.record_id)
	record = transaction.append([entry], caller)[0]
	return replace(known.key, revoked_at=record.at)


def _read_keys(connection: Connection) -> dict[str, _Known]:
	keys: dict[str, _Known] = {}
	for record in list_kinds(connection, [Kind.KEY_CREATED, Kind.KEY_REVOKED]):
		key_id = str(record.public["id"])
		if record.kind is Kind.KEY_CREATED:
			digest = str(record.public["secret_sha256"])
			keys[key_id] = _Known(_read_key(record), digest, record.id)
		else:
			keys[key_id] = replace(keys[key_id], key=replace(keys[key_id].key, revoked_at=record.at))
	return keys


def _read_key(record: Record) -> ApiKey:
	public = record.public
	return ApiKey(
		str(public["id"]),
		str(public["owner"]),
		frozenset(Scope(scope) for scope in public["scopes"]),
		int(public["rate_per_minute"]),
		record.at,
		record.person,
	)
