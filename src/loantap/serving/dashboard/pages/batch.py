"""Batch: a CSV file in, a decision or an error for each row out."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import pandas as pd
import streamlit as st

from loantap.serving.dashboard.answers import BatchAnswer
from loantap.serving.dashboard.frame import Page, show_figures, show_page
from loantap.serving.dashboard.messages import tell_missing_right

_LARGEST = 16_000_000


def show() -> None:
    """The page."""
    show_page("Batch", "Decisions on a CSV file of up to 10,000 applications.", _show)


def _show(page: Page) -> None:
    session = page.session
    if session is None:
        return
    if not session.may("score"):
        st.info(tell_missing_right("score"))
        return
    needed = [one.name for one in session.api.read_schema().fields if one.required]
    given = st.file_uploader("CSV file with a header", type="csv")
    if given is None:
        st.caption(f"Columns: {', '.join(needed)}")
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
    # The same file in the same session is answered from the record, not decided again.
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


def find_problem(text: str, needed: list[str], size: int) -> str | None:
    """What keeps a file from being sent, in one message; None for nothing."""
    if size > _LARGEST:
        return "The file is larger than 16 MB. Split it."
    header = [name.strip().strip('"') for name in text.partition("\n")[0].split(",")]
    missing = [name for name in needed if name not in header]
    if missing:
        return (
            f"These columns are missing: {', '.join(missing)}. The first line must name the "
            "columns as in a LoanTap file."
        )
    return None


def _show_answer(answer: BatchAnswer) -> None:
    show_figures(*((name, f"{count:,}", "") for name, count in answer.counts.items()))
    rows = [
        {
            "row": one.get("row", place),
            "id": one.get("id"),
            "decision": one.get("decision"),
            "probability_of_default": one.get("probability_of_default"),
            "score": one.get("score"),
            "reasons": "; ".join(str(reason) for reason in one.get("reasons", [])),
        }
        for place, one in enumerate(answer.results, start=1)
    ]
    table = pd.DataFrame(rows)
    invalid = table[table["decision"] == "invalid"]
    if len(invalid):
        st.subheader("Rows with errors", anchor=False)
        st.dataframe(invalid[["row", "reasons"]], hide_index=True)
    st.dataframe(table.head(500), hide_index=True)
    st.download_button("Download the results", table.to_csv(index=False), "decisions.csv",
                       "text/csv", on_click="ignore")  # fmt: skip
