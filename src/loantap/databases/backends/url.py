"""Connection texts in the form of a URL: `scheme://user:password@host:port/database?option=..`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from loantap.portfolio.errors import InputError


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
      InputError: it is not of the `form`; its text is not quoted, as it holds a password.
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
