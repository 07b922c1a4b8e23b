"""The applications that a run could not score, in the terminal."""

from collections.abc import Mapping
from typing import Any

_SHOWN_CAUSES = 5


def tell_account(account: Mapping[str, Any]) -> list[str]:
  """Lines for the end of a run, from `scoring_account.json`; none where all is well."""
  has_ids = account["rows"] and account["has_ids"]
  return [*tell_invalid(account), *(_tell_ids(account) if has_ids else [])]


def tell_invalid(account: Mapping[str, Any]) -> list[str]:
  """How many rows could not be scored, and why; none where all could."""
  if not account["rows"]:
    return ["0 applications: the file has a header and no rows"]
  lines = []
  if account["invalid"]:
    lines.append(
      f"{account['invalid']:,} of {account['rows']:,} could not be scored ({account['invalid_share']:.1%}). "
      "Reasons, each with its rows (counted from 1) and what is wrong with the first:"
    )
    causes = account["causes"]
    lines += [f"  {_say_rows(cause)}: {cause['example']}" for cause in causes[:_SHOWN_CAUSES]]
    others = sum(cause["rows"] for cause in causes[_SHOWN_CAUSES:])
    lines += [f"  {others:,} for other reasons"] if others else []
  return lines


def _tell_ids(account: Mapping[str, Any]) -> list[str]:
  said = {
    "without_id": "without an application_id, not written back",
    "repeated": "with an application_id of an earlier row: the last is written back",
    "alike": "with an application_id that differs from another only in capitals, zeros or "
    "dashes: treated as a different one",
  }
  return [f"{_say_rows(account[name])} {text}" for name, text in said.items() if account[name]["rows"]]


def _say_rows(counted: Mapping[str, Any]) -> str:
  rows, first = counted["rows"], [f"{row:,}" for row in counted["first_rows"]]
  if rows == 1:
    return f"1 (row {first[0]})"
  return f"{rows:,} (rows {', '.join(first)}{', ...' if rows > len(first) else ''})"
