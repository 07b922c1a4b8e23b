"""Tables of the book."""

from collections.abc import Sequence
from typing import Any, Final

from loantap.reporting.formatting import NOTHING, count, name_category, percent
from loantap.reporting.page_table import PageTable, tell_bounds

_DIMENSIONS: Final = ("grade", "term", "purpose", "state")
_SHOWN_SEGMENTS: Final = 15
_FAULTS: Final = {
  "loans_without_months": ("no month at all", "in no figure"),
  "gaps": ("a month missing in between", "at risk through the gap; no roll rate over it"),
  "late_starts": ("the first month is late", "at risk from that month on"),
  "months_after_end": ("months after the end", "left out"),
  "paid_without_zero": ("paid by status, balance never 0", "followed up to the last month"),
  "running_at_zero": ("running by status, balance 0", "counted as paid"),
  "behind": ("no month of the snapshot", "in no balance of the snapshot"),
}


def tabulate_moves(moves: Sequence[dict[str, Any]]) -> PageTable:
  """From each state, the share of loans in each state a month later."""
  states = list(dict.fromkeys(row["to_state"] for row in moves if row["loans"]))
  order = ["current", "1-29", "30-59", "60-89", "90+", "charged off", "paid"]
  shown = [state for state in order if state in states]
  by_pair = {(row["from_state"], row["to_state"]): row for row in moves}
  froms = [state for state in order if any(row["from_state"] == state for row in moves)]
  rows = [
    [state, count(by_pair[state, shown[0]]["from_loans"]), *(_share(by_pair[state, to]) for to in shown)]
    for state in froms
  ]
  return PageTable(
    "Roll rates of the last 12 months, from one month's end to the next",
    ["From, days past due", "Loan-months", *(f"to {state}" for state in shown)],
    rows,
    "Shares of loans, with 95% intervals (Wilson); a loan counts once for each month. A loan "
    "that is charged off or paid does so in the month in which its balance ends.",
  )


def _share(row: dict[str, Any]) -> str:
  return tell_bounds(row["share"], row["low"], row["high"], percent) if row["loans"] else NOTHING


def tabulate_vintages(compared: Sequence[dict[str, Any]], age: int) -> PageTable:
  """Default of each vintage by the same age."""
  return PageTable(
    f"Share defaulted within {age} months on book, by issue year and term",
    ["Vintage", "Term", "Loans", "Still at risk then", "Defaulted"],
    [
      [
        str(row["vintage"]),
        f"{row['term_months']} months",
        count(row["loans"]),
        count(row["at_risk"]),
        tell_bounds(row["default_share"], row["default_low"], row["default_high"], percent),
      ]
      for row in compared
    ],
    "Aalen-Johansen: prepaid loans compete, loans seen no longer are censored. 95% intervals. "
    "The latest year holds loans that are younger, and counts them as long as they are seen.",
    is_folded=True,
  )


def tabulate_arrears(arrears: Sequence[dict[str, Any]], months: int) -> PageTable:
  """Loans and balance by state, the latest months first."""
  latest = sorted({row["month"] for row in arrears}, reverse=True)[:months]
  order = ("current", "1-29", "30-59", "60-89", "90+", "charged off")
  found = {(row["month"], row["state"]): row for row in arrears}
  states = [state for state in order if any((month, state) in found for month in latest)]
  return PageTable(
    f"Loans and balance by days past due, the last {len(latest)} months",
    ["Month", *(f"{state}: loans / balance" for state in states)],
    [[month, *(_amounts(found.get((month, state))) for state in states)] for month in latest],
    "Balances at the end of the month; of charged-off loans what they owed in that month.",
    is_folded=True,
  )


def _amounts(row: dict[str, Any] | None) -> str:
  return NOTHING if row is None else f"{count(row['loans'])} / {count(row['balance'])}"


def tabulate_concentration(concentration: Sequence[dict[str, Any]]) -> list[PageTable]:
  """Where the balance lies, one table for each dimension."""
  return [_tabulate_dimension([row for row in concentration if row["dimension"] == name], name) for name in _DIMENSIONS]


def _tabulate_dimension(rows: Sequence[dict[str, Any]], name: str) -> PageTable:
  others = len(rows) - _SHOWN_SEGMENTS
  return PageTable(
    f"By {name}: {_word_index(rows[0]['herfindahl']) if rows else 'no loan runs'}",
    [name.capitalize(), "Loans", "Balance", "Share of balance", "30 days late or more"],
    [
      [
        name_category(row["segment"]),
        count(row["loans"]),
        count(row["balance"]),
        percent(row["balance_share"]),
        tell_bounds(row["share_30"], row["low"], row["high"], percent),
      ]
      for row in rows[:_SHOWN_SEGMENTS]
    ],
    f"The largest of {len(rows)} segments; the others are in book.json." if others > 0 else "",
    is_folded=name in {"purpose", "state"},
  )


def _word_index(index: float) -> str:
  return f"Herfindahl index {index:.3f}, as if {1 / index:.1f} equal segments"


def tabulate_condition(condition: dict[str, int]) -> PageTable:
  """What is wrong with the months, and how it counts."""
  return PageTable(
    f"Condition of the months of {count(condition['loans_with_months'])} loans",
    ["Fault", "Loans", "How it counts"],
    [[fault, count(condition[name]), rule] for name, (fault, rule) in _FAULTS.items()],
    is_folded=True,
  )
