"""Connection texts, of ODBC or `scheme://user:password@host:port/database?option=..`, and what must not be shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from loantap.portfolio.errors import InputError

_SECRET = re.compile(r"pwd|pass|token|secret", re.IGNORECASE)
# `key=value;` with the value in braces where it holds a `;`, a brace in it doubled (ODBC 3.8).
_PART = re.compile(r"\s*([^=;]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)\s*(?:;|$)")
_SHOWN_SECRET = re.compile(r"\b(\w*(?:pwd|pass|token|secret)\w*\s*=\s*)(\{[^}]*\}|'[^']*'|[^;&\s]+)", re.IGNORECASE)


def is_url(text: str) -> bool:
	"""Whether the text is a URL rather than an ODBC connection string."""
	return "://" in text.partition("=")[0]


def parse_odbc(text: str) -> dict[str, str]:
	"""Values of an ODBC connection string by their keys in lower case; the first of equal keys."""
	found: dict[str, str] = {}
	for key, value in _PART.findall(text):
		found.setdefault(key.lower(), _unbrace(value.strip()))
	return found


def set_odbc(text: str, **values: str) -> str:
	"""The ODBC connection string with these values in the place of its own."""
	replaced = {name.lower() for name in values}
	kept = [(key, value) for key, value in _PART.findall(text) if key.lower() not in replaced]
	return "".join(f"{key}={value};" for key, value in (*kept, *values.items()))


def find_secrets(text: str) -> tuple[str, ...]:
	"""Every form in which the secrets of a connection text may be repeated, longest first."""
	found = set(_url_secrets(text) if is_url(text) else _odbc_secrets(text))
	forms = {form for secret in found for form in (secret, quote(secret, ""), quote_plus(secret))}
	return tuple(sorted(forms - {""}, key=len, reverse=True))


def redact(message: str, secrets: tuple[str, ...]) -> str:
	"""The message with `***` for each secret, and for whatever it calls a password or token."""
	for secret in secrets:
		message = message.replace(secret, "***")
	return _SHOWN_SECRET.sub(r"\1***", message)


def _odbc_secrets(text: str) -> list[str]:
	values = [value.strip() for key, value in _PART.findall(text) if _SECRET.search(key)]
	return [*values, *(value.strip("{}") for value in values), *map(_unbrace, values)]


def _url_secrets(text: str) -> list[str]:
	login, _, rest = text.partition("://")[2].rpartition("@")
	options = parse_qsl(rest.partition("?")[2]) + parse_qsl(text.partition("?")[2])
	raw = [login.partition(":")[2], *(value for key, value in options if _SECRET.search(key))]
	return [*raw, *map(unquote, raw), *map(unquote_plus, raw)]


def _unbrace(value: str) -> str:
	if value.startswith("{") and value.endswith("}"):
		return value[1:-1].replace("}}", "}")
	return value


@dataclass(frozen=True, slots=True, repr=False)
class Address:
	"""Where a system is and how to log in; has no repr, which would show the password."""

	user: str
	password: str
	host: str
	port: int
	database: str
	options: Mapping[str, str]


def parse_url(system: str, text: str, *, port: int, form: str) -> Address:
	"""The parts of a URL, unquoted; `port` where it names none.

	>>> form = "postgresql://user:password@host/database"
	>>> parse_url("warehouse", "postgresql://me:p%40ss@db/loans", port=5432, form=form).password
	'p@ss'

	Raises:
		InputError: it is not of the `form`.
	"""
	remedy = f"Set it to {form}, with characters such as @ : / ? in a password as %40 %3A %2F %3F"
	where = f"credentials of {system}"
	if text.count("@") > 1:  # which of them ends the password is anybody's guess
		raise InputError(where, "the connection URL has more than one @", remedy)
	try:
		url = make_url(text.strip())
	except (ArgumentError, ValueError):
		url = None
	if url is None:  # out here the parser's error, which may quote the text, is not in the chain
		raise InputError(where, "the connection URL is not understood", remedy)
	given = {"user": url.username, "password": url.password, "host": url.host}
	if absent := [name for name, value in given.items() if not value]:
		raise InputError(where, f"the connection URL has no {' and no '.join(absent)}", remedy)
	# A driver would quote such a secret in an unknown form.
	if not f"{url.username}{url.password}".isprintable():
		raise InputError(
			where,
			"user or password of the connection URL has a character that cannot be printed, such "
			"as the line end of the file it was taken from",
			"Remove it",
		)
	return Address(
		user=url.username or "",
		password=str(url.password),
		host=url.host or "",
		port=url.port or port,
		database=url.database or "",
		options={key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()},
	)
