"""Query parameters, read strictly."""

from collections.abc import Collection
from datetime import UTC, datetime

from flask import request

from loantap.serving.api.problems import ProblemError, refuse

_FLAGS = {"true": True, "false": False}
# Items of a page.
MOST = 500
_BAD = "bad-parameter"
_LONGEST = 300
_LONGEST_ID = 100


def require_known(names: Collection[str]) -> None:
  """Raise `ProblemError` for an unknown parameter, and for one given twice."""
  for name, values in request.args.lists():
    shown = name if name.isprintable() and len(name) <= 60 else ascii(name[:60])
    if name not in names:
      listed = ", ".join(sorted(names)) or "none"
      refuse(_BAD, f"There is no parameter {shown}.", shown, "unknown parameter", f"Known are: {listed}")
    if len(values) > 1:
      refuse(_BAD, f"The parameter {shown} is given twice.", shown, "given twice", "Give it once")


def read_flag(name: str) -> bool:
  """A boolean parameter; false where it is not given."""
  given = request.args.get(name, "false")
  if given not in _FLAGS:
    refuse(_BAD, f"{name} cannot be used.", name, "neither true nor false", "Give true or false")
  return _FLAGS[given]


def read_text(name: str) -> str | None:
  """A text parameter; None where it is not given."""
  given = request.args.get(name)
  if given is None:
    return None
  if not given or len(given) > _LONGEST or not given.isprintable():
    refuse(
      _BAD,
      f"{name} cannot be used.",
      name,
      f"not 1 to {_LONGEST} printable characters",
      "Leave it out, or give another",
    )
  return given


def read_choice(name: str, choices: Collection[str], default: str = "") -> str:
  """A parameter that is one of a few."""
  given = request.args.get(name)
  if given is None:
    return default
  if given not in choices:
    listed = ", ".join(choices)
    refuse(_BAD, f"{name} cannot be used.", name, f"not one of {listed}", "Give one of them")
  return given


def read_count(name: str, default: int, most: int, least: int = 1) -> int:
  """A whole number from `least`."""
  given = request.args.get(name, str(default))
  if not (given.isascii() and given.isdigit() and len(given) < 10 and least <= int(given) <= most):
    refuse(
      _BAD,
      f"{name} cannot be used.",
      name,
      f"not a whole number from {least} to {most:,}",
      f"Give one from {least} to {most:,}",
    )
  return int(given)


def is_id(text: str) -> bool:
  """Whether a part of the path may be an id; the databases cannot look for any text."""
  return text.isascii() and text.isprintable() and len(text) <= _LONGEST_ID


def require_id(text: str, what: str, listed_at: str) -> str:
  """A part of the path that may be an id; `ProblemError` where it cannot."""
  if not is_id(text):
    raise ProblemError("not-found", f"There is no {what} of this id. GET {listed_at} lists them.")
  return text


def read_limit() -> int:
  """How many items a page has."""
  return read_count("limit", 50, MOST)


def read_time(name: str) -> datetime | None:
  """A time in ISO 8601; in UTC where it has no zone."""
  given = request.args.get(name)
  if given is None:
    return None
  try:
    # A plus in a query stands for a blank.
    found = datetime.fromisoformat(given.replace(" ", "+"))
    moment = found if found.tzinfo else found.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
  except (ValueError, OverflowError):
    refuse(
      _BAD, f"{name} cannot be used.", name, "not a day or a time such as 2026-11-28T09:30:00Z", "Give one in ISO 8601"
    )
