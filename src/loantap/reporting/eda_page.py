"""The exploration page."""

import re
from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd
from markupsafe import Markup
from skrub import TableReport

from loantap.portfolio.dictionary import COLUMNS, Kind
from loantap.reporting.formatting import NOTHING, explain_segmentation, is_missing, name_segmentation, plain_number
from loantap.reporting.shell import digest_script, render_page

# skrub draws in a tree of its own, into which only variables of the page reach.
_STYLE: Final = """
#report.light, #report.dark {
  --color-background-primary: var(--card); --color-background-secondary: var(--plain-page);
  --color-background-tertiary: var(--card); --color-background-quaternary: var(--plain-page);
  --color-background-card: var(--card); --color-background-card-header: var(--plain-page);
  --color-background-highlight-primary: var(--good-page);
  --color-text-primary: var(--ink); --color-text-secondary: var(--muted);
  --color-text-success: var(--muted); --color-text-warning: var(--above);
  --color-text-critical: var(--warn-line); --color-text-link: var(--link);
  --color-border-primary: var(--line); --color-border-secondary: var(--line);
  --color-border-card: var(--line);
}
.column-summary-group { flex-wrap: wrap; width: auto; }
.column-summary-group > .card { flex: 1 1 18rem; min-width: min(100%, 18rem); overflow-x: auto; }
.report-bottom-border, .column-selection-buttons, .box:has(#selected-columns-display),
.card-header input,
.tab[data-target-panel-id="dataframe-sample-panel"] { display: none; }
"""
_END_OF_STYLE: Final = "</style>"


def render_eda(
	loans: pd.DataFrame,
	numbers: pd.DataFrame,
	levels: pd.DataFrame,
	left_out: Mapping[str, str],
	*,
	origin: str,
	as_of: date,
) -> str:
	"""One self-contained HTML page about `loans`, which must not hold personal columns.

	`numbers` and `levels` are of an `Exploration`; `left_out` names columns not in `loans`, with the column that says the
	same.
	"""
	report = _report(loans)
	return render_page(
		"eda.html",
		origin=origin,
		title="Portfolio: every column",
		as_of=as_of,
		loans=len(loans),
		issued=_span(loans),
		numbers=[_word(row) for row in numbers.to_dict("records")],
		columns=_list_columns(levels),
		left_out=dict(left_out),
		report=Markup(report),  # noqa: S704 (skrub escapes what it shows)
		digests=[digest_script(code) for code in re.findall(r"<script[^>]*>(.*?)</script>", report, re.DOTALL)],
	)


def _word(row: dict[Hashable, Any]) -> dict[Hashable, Any]:
	name = row["column"]
	write = "{:.0f}".format if COLUMNS[name].kind in {Kind.MONTH, Kind.DATE} else plain_number
	for outcome in ("paid", "charged_off"):
		low, median, high = (row[f"{end}_{outcome}"] for end in ("low", "median", "high"))
		told = not is_missing(median)
		row |= {
			outcome: write(median) if told else NOTHING,
			f"{outcome}_quartiles": f"{write(low)} to {write(high)}" if told else "",
		}
	return row | {"heading": name_segmentation(name), "meaning": explain_segmentation(name)}


def _list_columns(levels: pd.DataFrame) -> list[dict[str, Any]]:
	by_column = levels.groupby("column", sort=False) if len(levels) else ()
	return [
		{"name": name, "meaning": explain_segmentation(str(name)), "rows": rows.to_dict("records")}
		for name, rows in by_column
	]


def _span(loans: pd.DataFrame) -> str:
	if "issue_month" not in loans:
		return ""
	months = loans["issue_month"].agg(["min", "max"])
	return f"{months['min']:%Y-%m} to {months['max']:%Y-%m}"


def _report(loans: pd.DataFrame) -> str:
	report = TableReport(
		loans,
		n_rows=1,  # the fewest it takes: the page is about columns, not about borrowers
		plot_distributions=True,
		compute_associations=True,
		open_tab="distributions",
		verbose=0,
	)
	html: str = report.html_snippet()
	return html.replace(_END_OF_STYLE, _STYLE + _END_OF_STYLE, 1)
