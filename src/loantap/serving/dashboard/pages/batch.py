"""Batch: a CSV file in, a decision or an error per row out."""

import hashlib
from typing import Any, Final
from uuid import uuid4

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from loantap.reporting.formatting import CURRENCY, NOTHING, count, money, name_category, percent
from loantap.serving.api.service_schemas import FieldOfApplication
from loantap.serving.dashboard.client import BatchAnswer
from loantap.serving.dashboard.frame import Page, show_figures, show_page, show_table

_MOST_ROWS: Final = 500
# Name in the download, heading here.
_TOLD: Final = {
	"row": "Row",
	"application_id": "Application",
	"decision": "Decision",
	"probability_of_default": "PD",
	"score": "Score",
	"expected_npv": "Expected NPV",
	"reasons": "Reasons",
	"id": "Id",
}
_FORMATS: Final[dict[Any, Any]] = {"PD": percent, "Score": count, "Expected NPV": money}


def show() -> None:
	"""The page."""
	show_page("Batch", f"Decisions on a CSV file of up to 10,000 applications. Amounts are in {CURRENCY}.", _show)


def _show(page: Page) -> None:
	session = page.open("score")
	if session is None:
		return
	needed = [one for one in session.api.read_schema().fields if one.required]
	given = st.file_uploader("CSV file with a header", type="csv")
	if given is None:
		st.caption("The file must have these columns; others of a LoanTap file may be there.")
		rows = [(one.name, one.label) for one in needed]
		show_table(("Column", "What it is"), rows)
		return
	content = given.getvalue()
	try:
		text = content.decode("utf-8-sig")
	except UnicodeDecodeError:
		st.warning("The file is no UTF-8 text. Save it as CSV in UTF-8.")
		return
	problem = find_problem(text, needed, len(content))
	if problem:
		st.warning(problem)
		return
	# The same file in the same session is not decided again.
	session_id = st.session_state.setdefault("batch-session", uuid4().hex)
	key = f"{session_id}-{hashlib.sha256(content).hexdigest()}"
	if st.button("Decide", type="primary"):
		with st.status("Deciding ...") as status:
			answer = session.api.score_csv(text, key)
			status.update(label=f"{answer.n:,} rows answered", state="complete")
		st.session_state["batch"] = (key, answer)
	kept = st.session_state.get("batch")
	if kept is not None and kept[0] == key:
		_show_answer(kept[1])


def find_problem(text: str, needed: list[FieldOfApplication], size: int) -> str | None:
	"""What keeps a file from being sent; None for nothing."""
	if size > 16_000_000:
		return "The file is larger than 16 MB. Split it."
	header = [name.strip().strip('"') for name in text.partition("\n")[0].split(",")]
	missing = [f"{one.name} ({one.label})" for one in needed if one.name not in header]
	if missing:
		return (
			f"These columns are missing: {', '.join(missing)}. The first line must name the columns as in a LoanTap file."
		)
	return None


def _word_rows(table: pd.DataFrame) -> Styler:
	"""Words that still sort as numbers."""
	shown = table.rename(columns=_TOLD)
	figures = shown[list(_FORMATS)].astype(float)
	return shown.assign(**figures).style.format(_FORMATS, na_rep=NOTHING)


def _show_answer(answer: BatchAnswer) -> None:
	show_figures(*((name_category(name), f"{n:,}", "") for name, n in answer.counts.items()))
	table = pd.DataFrame(
		{
			**{name: one.get(name) for name in _TOLD},
			"row": int(one["row"]) + 1,
			"reasons": "; ".join(str(reason) for reason in one.get("reasons", [])),
		}
		for one in answer.results
	)
	invalid = table[table["decision"].eq("invalid")]
	if len(invalid):
		st.subheader("Rows with errors", anchor=False)
		told = invalid[["row", "reasons"]].head(100).astype(str)
		show_table(("Row", "What is wrong"), list(told.itertuples(index=False)))
		st.caption("Row 1 is the first below the header. Mend these rows and send them again in a file of their own.")
	st.subheader("Decisions", anchor=False)
	st.dataframe(_word_rows(table.head(_MOST_ROWS)), hide_index=True, placeholder=NOTHING)
	if len(table) > _MOST_ROWS:
		st.caption(f"The first {_MOST_ROWS} of {len(table):,} rows; the download has all.")
	st.download_button("Download the results", table.to_csv(index=False), "decisions.csv", "text/csv", on_click="ignore")
