"""What the page of the book says first, and its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loantap.reporting.formatting import NOTHING, PageTable, count, name_category, percent, tell_bounds


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
