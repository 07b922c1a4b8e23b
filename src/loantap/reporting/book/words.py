"""What the page of the book says first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loantap.reporting.formatting import NOTHING, count, percent


@dataclass(frozen=True, slots=True)
class Figure:
  """A figure with its name; the note gives its uncertainty, and what it was a year earlier."""

  name: str
  value: str
  note: str


def list_figures(book: Mapping[str, Any]) -> list[Figure]:
  """Balance, arrears, losses of a year and what begins to roll; none of an empty book."""
  now, before = book["headline"]["now"], book["headline"]["year_ago"]
  if now is None:
    return []
  year = now["charged_off_year"]
  return [
    Figure(
      "Balance owed",
      count(now["balance"]),
      f"{count(now['loans'])} loans" + _a_year_ago(before, lambda b: count(b["balance"])),
    ),
    _late("30 days late or more, of the balance", "arrears_30", now, before),
    _late("90 days late or more, of the balance", "arrears_90", now, before),
    Figure(
      "Charged off in 12 months, of the average balance",
      percent(year["rate"]) if year["rate"] is not None else NOTHING,
      f"{count(year['balance'])} on {count(year['loans'])} loans, before recoveries"
      + _a_year_ago(before, lambda b: percent(b["charged_off_year"]["rate"])),
    ),
    Figure(
      "Current loans that are late a month after, last 3 months",
      percent(now["current_to_late"]["share"], 2),
      _interval(now["current_to_late"], 2) + _a_year_ago(before, lambda b: percent(b["current_to_late"]["share"], 2)),
    ),
  ]


def list_findings(book: Mapping[str, Any]) -> list[str]:
  """What changed beyond chance within a year, and how the latest vintages compare."""
  now, before = book["headline"]["now"], book["headline"]["year_ago"]
  said = []
  if now and before:
    for name, words in (
      ("arrears_30", "loans 30 days late or more"),
      ("current_to_late", "current loans that are late a month after"),
    ):
      said.append(_compare(words, now[name], before[name]))
  for term in sorted({row["term_months"] for row in book["compared"]}):
    rows = [row for row in book["compared"] if row["term_months"] == term]
    if len(rows) > 1:
      said.append(_compare_vintages(rows[-1], rows[-2], term))
  largest = max(
    (row for row in book["concentration"] if row["dimension"] != "term"),
    key=lambda row: row["balance_share"],
    default=None,
  )
  if largest:
    said.append(
      f"Most concentrated is the {largest['dimension']}: {largest['segment'].replace('_', ' ')} holds "
      f"{percent(largest['balance_share'])} of the balance ({count(largest['loans'])} loans)."
    )
  return said


def _compare(words: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
  text = f"{percent(now['share'], 2)} of {count(now['n'])}"
  earlier = f"{percent(before['share'], 2)} of {count(before['n'])} a year earlier"
  subject = f"The share of {words}"
  if now["low"] > before["high"]:
    return f"{subject} rose: {text}, after {earlier}."
  if now["high"] < before["low"]:
    return f"{subject} fell: {text}, after {earlier}."
  return f"{subject} did not change beyond chance: {text}, {earlier}."


def _compare_vintages(latest: Mapping[str, Any], other: Mapping[str, Any], term: int) -> str:
  text = f"{percent(latest['default_share'])} of {count(latest['loans'])} loans"
  earlier = f"{percent(other['default_share'])} of {count(other['loans'])}"
  subject = f"Vintage {latest['vintage']}, {term} months, within 12 months on book"
  if latest["default_low"] > other["default_high"]:
    return f"{subject}: more defaults than {other['vintage']} ({text}; {earlier})."
  if latest["default_high"] < other["default_low"]:
    return f"{subject}: fewer defaults than {other['vintage']} ({text}; {earlier})."
  same = f"defaults as often as {other['vintage']}, within chance"
  return f"{subject}: {same} ({text}; {earlier})."


def _late(words: str, name: str, now: Mapping[str, Any], before: Mapping[str, Any] | None) -> Figure:
  share = now[name]
  return Figure(
    words,
    percent(share["balance_share"]),
    f"{count(share['loans'])} loans, {percent(share['share'])} of them ({_interval(share, 1)})"
    + _a_year_ago(before, lambda b: percent(b[name]["balance_share"])),
  )


def _interval(share: Mapping[str, Any], digits: int) -> str:
  if share["low"] is None:
    return f"n = {count(share['n'])}"
  low, high = percent(share["low"], digits), percent(share["high"], digits)
  return f"{low} to {high}, n = {count(share['n'])}"


def _a_year_ago(before: Mapping[str, Any] | None, word: Any) -> str:
  return "" if before is None else f"; a year ago {word(before)}"
