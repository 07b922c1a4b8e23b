"""How numbers, names, tables, trends and plans of help are worded in pages and figures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.products import PRODUCTS

NOTHING: Final = "\N{EN DASH}"
# What amounts are in, as a text says it.
CURRENCY: Final = PRODUCTS.currency or "currency"

_SAMPLE_NAMES: Final = {"cv": "cross-validation", "test": "test", "out_of_time": "out of time"}
_SEGMENTATION_NAMES: Final = {
	"term_months": "Term",
	"interest_rate_pct": "Interest rate",
	"dti_pct": "Debt-to-income ratio (DTI)",
	"revolving_utilisation_pct": "Revolving utilisation",
	"pincode": "Pincode",
}


def is_missing(value: float | None) -> bool:
	"""Whether there is no number to show: None or NaN."""
	return value is None or math.isnan(value)


def percent(value: float | None, digits: int = 1) -> str:
	"""A fraction as a percentage; a dash when missing.

	>>> percent(0.1914)
	'19.1%'
	"""
	return NOTHING if value is None or is_missing(value) else f"{value:.{digits}%}"


def count(value: float | None) -> str:
	"""A whole number with thousands separated; a dash when missing."""
	return NOTHING if value is None or is_missing(value) else f"{value:,.0f}"


def decimal(value: float | None, digits: int = 3) -> str:
	"""A number with fixed decimals, zero without a sign; a dash when missing."""
	if value is None or is_missing(value):
		return NOTHING
	return f"{round(value, digits) + 0.0:,.{digits}f}"


def one_decimal(value: float | None) -> str:
	"""A number with one decimal; a dash when missing."""
	return decimal(value, 1)


def two_decimals(value: float | None) -> str:
	"""A ratio with two decimals; a dash when missing."""
	return decimal(value, 2)


def whole_percent(value: float | None) -> str:
	"""A fraction as a whole percentage; a dash when missing."""
	return percent(value, 0)


def plain_number(value: float) -> str:
	"""A number of any size, below 100 with one decimal where it has one.

	>>> plain_number(14_166.4), plain_number(13.64), plain_number(5.0)
	('14,166', '13.6', '5')
	"""
	digits = 1 if abs(value) < 100 and round(value, 1) % 1 else 0
	return f"{value:,.{digits}f}"


def signed(value: float, digits: int = 1) -> str:
	"""A number with its sign; what rounds to zero has a plus.

	>>> signed(3), signed(-0.04)
	('+3.0', '+0.0')
	"""
	return f"{round(value, digits) + 0.0:+.{digits}f}"


def money(value: float) -> str:
	"""An amount in whole units of currency, with its sign.

	>>> money(1234.5), money(-0.4)
	('+1,234', '+0')
	"""
	return f"{round(value) + 0.0:+,.0f}"


def percent_interval(low: float | None, high: float | None) -> str:
	"""Bounds of a rate; empty when either is missing.

	>>> percent_interval(0.0451, 0.0762)
	'4.5 to 7.6%'
	"""
	if low is None or high is None or is_missing(low) or is_missing(high):
		return ""
	return f"{low * 100:.1f} to {high:.1%}"


def decimal_interval(low: float | None, high: float | None, digits: int = 3) -> str:
	"""Bounds of a score; empty when either is missing.

	>>> decimal_interval(0.69, 0.7333)
	'0.690 to 0.733'
	"""
	if low is None or high is None or is_missing(low) or is_missing(high):
		return ""
	return f"{decimal(low, digits)} to {decimal(high, digits)}"


def capitalize_first(text: str) -> str:
	"""A text with its first letter raised, the others left alone."""
	return text[:1].upper() + text[1:]


def hold_together(text: str) -> str:
	"""A text in which a number of loans never stands on another line than its `n = `."""
	return text.replace("n = ", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def p_value(value: float | None) -> str:
	"""A p-value with its relation sign.

	>>> p_value(0.13), p_value(0.0004), p_value(None)
	('= 0.13', '< 0.001', 'not tested')
	"""
	if value is None or is_missing(value):
		return "not tested"
	return "< 0.001" if value < 0.001 else f"= {value:.2g}"


def name_category(category: str) -> str:
	"""A value of a category in words; what is no word, such as a grade, stays as it is.

	>>> name_category("debt_consolidation"), name_category("MORTGAGE"), name_category("C2")
	('Debt consolidation', 'Mortgage', 'C2')
	"""
	words = category.replace("_", " ")
	return words.capitalize() if len(words) > 2 else words


def name_sample(sample: str) -> str:
	"""Readable name of a sample of `metrics.json`.

	>>> name_sample("out_of_time")
	'out of time'
	"""
	return _SAMPLE_NAMES.get(sample, sample.replace("_", " "))


def name_segmentation(segmentation: str) -> str:
	"""Heading for a segmentation.

	>>> name_segmentation("annual_income")
	'Annual income'
	"""
	return _SEGMENTATION_NAMES.get(segmentation, segmentation.replace("_", " ").capitalize())


def explain_segmentation(segmentation: str) -> str:
	"""Meaning and unit of a segmentation in the data dictionary; empty for one not in it."""
	column = COLUMNS.get(segmentation)
	if column is None:
		return ""
	return f"{column.meaning} ({column.unit})" if column.unit else column.meaning


@dataclass(frozen=True, slots=True)
class PageTable:
	"""A table as the page shows it; the first text of each row is its heading."""

	caption: str
	headers: Sequence[str]
	rows: Sequence[Sequence[str]]
	note: str = ""
	is_folded: bool = False


def with_interval(row: Mapping[str, Any], name: str, word: Callable[[float], str]) -> str:
	"""A figure with its 95% interval, as `1.0 [0.5, 1.5]`; a dash when it is missing."""
	return tell_bounds(row[name], row[f"{name}_low"], row[f"{name}_high"], word)


def tell_bounds(value: float, low: float, high: float, word: Callable[[float], str]) -> str:
	"""The same of three numbers."""
	if is_missing(value):
		return NOTHING
	if is_missing(low) or is_missing(high):
		return word(value)
	return f"{word(value)} [{word(low)}, {word(high)}]"


def pair(row: Mapping[str, Any], name: str, value: str) -> str:
	"""Two texts of a row as `name: value`."""
	return f"{row[name]}: {row[value]}".replace("_", " ")


def list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
	"""The rows of a table, each by the names of its columns."""
	return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


_WIDTH, _HEIGHT, _EDGE = 96, 24, 2
TRENDS: Final = {"trend_utilisation": "Utilisation", "trend_dti": "DTI", "trend_dpd": "Days late"}


def draw_line(trend: str) -> list[list[str]]:
	"""Points of a line per unbroken run of a trend, in a box of 96 by 24; none for one value.

	>>> draw_line("0 10")
	[['2.0,22.0', '94.0,2.0']]
	"""
	values = [float(value) for value in trend.split()]
	known = [value for value in values if value == value]  # noqa: PLR0124 (NaN is not itself)
	if len(known) < 2:
		return []
	low, span = min(known), (max(known) - min(known)) or 1.0
	step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
	lines: list[list[str]] = [[]]
	for place, value in enumerate(values):
		if value != value:  # noqa: PLR0124
			lines.append([])
			continue
		height = _HEIGHT - _EDGE - (value - low) / span * (_HEIGHT - 2 * _EDGE)
		lines[-1].append(f"{_EDGE + place * step:.1f},{height:.1f}")
	return [line for line in lines if line]


def word_plan(plan: Mapping[Any, Any]) -> str:
	"""What to do and what it costs and avoids; of none, why."""
	cost, action = round(plan["cost"]), plan["action"]
	if action == "none":
		return str(plan["why"])
	what = {"reminder": "Remind", "counselling": "Counsel"}.get(action, "")
	if action == "due_date_shift":
		what = f"Move the due date by {_count(plan['shift_days'], 'day')}"
	if action in ("term_extension", "step_up"):
		more = plan["months_left_new"] - plan["months_left"]
		# Who has paid ahead may need no more months, only instalments of what is left.
		longer = f"extend by {_count(more, 'month')}" if more else "re-spread the rest"
		what = capitalize_first(longer) if action == "term_extension" else f"Step up, {longer}"
		what += f": EMI {count(plan['emi_now'])} to {count(plan['emi_new'])}"
	if action == "step_up":
		what += f", {count(plan['emi_later'])} after {plan['step_months']:.0f} months"
	return f"{what}; {'costs' if cost >= 0 else 'gains'} {count(abs(cost))}, avoids {count(plan['loss_avoided'])}"


def _count(of: int, unit: str) -> str:
	return f"{of} {unit}{'' if of == 1 else 's'}"
