"""What the routes work with, and who comes in: API keys, their scopes and rates, and their persons."""

from __future__ import annotations

import hashlib
import math
import re
import threading
import time
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from loantap.serving.api.answers import REQUEST_ID, ProblemError, refuse
from loantap.serving.api.envelope import CALLER, ROUTE
from loantap.serving.api.metrics import Metrics
from loantap.serving.api.requests import require_known
from loantap.serving.audit.records import Caller
from loantap.serving.audit.store import AuditStore
from loantap.serving.cases.cases import CaseQueue
from loantap.serving.desk.desk import Desk
from loantap.serving.help.offers import HelpOffers, WatchlistFiles
from loantap.serving.keys.keys import ApiKey, Keys
from loantap.serving.policies.book import PolicyBook
from loantap.serving.settings import ServingSettings

if TYPE_CHECKING:
	from _typeshed.wsgi import WSGIEnvironment

_MINUTE: Final = 60.0


@dataclass(slots=True)
class _Window:
	began: float
	n: int


class RateLimit:
	"""Counts requests by key and minute (no library was as fast: ADR 19); each process grants its part of the rate."""

	def __init__(self, processes: int) -> None:
		self._processes = processes
		self._windows: dict[str, _Window] = {}
		self._lock = threading.Lock()

	def ask(self, key_id: str, rate_per_minute: int) -> float:
		"""Count a request; seconds to wait, 0 for none."""
		now = time.monotonic()
		with self._lock:
			window = self._windows.get(key_id)
			if window is None or now - window.began >= _MINUTE:
				self._windows[key_id] = _Window(now, 1)
				return 0.0
			window.n += 1
			if window.n <= max(1, rate_per_minute // self._processes):
				return 0.0
			return window.began + _MINUTE - now


PERSON: Final = "LoanTap-Person"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LONGEST_NAME: Final = 200
_DELEGATE: Final = "delegate"


@dataclass(frozen=True, slots=True)
class Visitor:
	"""Who asks, with which key; `person` is its owner, or whom a key with the scope `delegate` names."""

	key: ApiKey
	person: str
	environ: WSGIEnvironment

	def as_caller(self, body: bytes | None = None) -> Caller:
		"""Who asks, as it is kept.

		`body` is of a request that an idempotency key may repeat; None for a change of state, which is refused the second
		time by itself. `ProblemError` where the key cannot be used.
		"""
		environ = self.environ
		given = environ.get("HTTP_IDEMPOTENCY_KEY")
		if given is None or body is None:
			return Caller(self.key.id, self.person, environ[REQUEST_ID])
		if not _KEY.fullmatch(given):
			refuse(
				"bad-header",
				"The idempotency key cannot be used.",
				"Idempotency-Key",
				"not 1 to 255 visible ASCII characters",
				"Send a UUID for each new request",
			)
		asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}\n"
		digest = hashlib.sha256(asked.encode("latin-1", "replace") + body).hexdigest()
		return Caller(self.key.id, self.person, environ[REQUEST_ID], given, digest)


class Doors:
	"""Lets visitors in, counts refusals; each process grants its part of a key's rate."""

	def __init__(self, keys: Keys, metrics: Metrics, processes: int) -> None:
		self._keys = keys
		self._metrics = metrics
		self._rates = RateLimit(processes)

	def enter(self, scope: str | None) -> Visitor:
		"""Who asks for the request at hand; a scope of None lets in any key.

		`ProblemError` for no valid key, another scope, or too many requests.
		"""
		rule = request.url_rule
		return self.let_in(request.environ, rule.rule if rule else "", scope)

	def let_in(self, environ: WSGIEnvironment, route: str, scope: str | None) -> Visitor:
		"""`enter` for a request in WSGI."""
		environ[ROUTE] = route
		kind, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
		key = self._keys.check(text.strip()) if kind.lower() == "bearer" else None
		if key is None:
			raise _tell_key()
		environ[CALLER] = key.id
		wait = self._rates.ask(key.id, key.rate_per_minute)
		if wait:
			self._metrics.count_limited()
			raise _tell_rate(key, wait)
		if scope is not None and scope not in key.scopes:
			raise ProblemError(
				"wrong-scope",
				f"The key {key.id} lacks the scope {scope}. Use one that has it: "
				f"loantap-keys create --owner NAME --scope {scope}",
			)
		person = _find_person(key, environ.get("HTTP_LOANTAP_PERSON"))
		return Visitor(key, person, environ)


def _find_person(key: ApiKey, given: str | None) -> str:
	if given is None:
		return key.owner
	if _DELEGATE not in key.scopes:
		raise ProblemError(
			"wrong-scope",
			f"The key {key.id} may not act for somebody. Leave {PERSON} out, or use a key with the scope {_DELEGATE}.",
		)
	# HTTP gives a header's bytes as Latin-1.
	try:
		name = given.encode("latin-1").decode().strip()
	except UnicodeError:
		name = ""
	plain = unicodedata.normalize("NFC", name)
	if not plain or len(plain) > _LONGEST_NAME or not plain.isprintable():
		refuse(
			"bad-header",
			"The name of the person cannot be used.",
			PERSON,
			f"not a name of at most {_LONGEST_NAME} printable characters in UTF-8",
			"Send the name of the person for whom you ask",
		)
	return plain


def _tell_key() -> ProblemError:
	return ProblemError(
		"no-key",
		"Send a key in the header Authorization: Bearer lt_... An administrator makes one with "
		"loantap-keys create, and sees with loantap-keys list whether yours was revoked.",
		headers={"WWW-Authenticate": 'Bearer realm="LoanTap"'},
	)


def _tell_rate(key: ApiKey, wait: float) -> ProblemError:
	return ProblemError(
		"too-many-requests",
		f"The key {key.id} may ask {key.rate_per_minute:,} times a minute. Wait, then go on.",
		headers={"Retry-After": str(math.ceil(wait))},
	)


@dataclass(frozen=True, slots=True)
class Office:
	"""What the routes work with, one of each in a process."""

	settings: ServingSettings
	desk: Desk
	store: AuditStore
	doors: Doors
	metrics: Metrics
	book: PolicyBook
	cases: CaseQueue
	watch: WatchlistFiles
	offers: HelpOffers

	def enter(self, scope: str | None, *known: str) -> Visitor:
		"""Who asks for the request at hand, which may have these parameters; see `Doors.enter`."""
		visitor = self.doors.enter(scope)
		require_known(known)
		return visitor
