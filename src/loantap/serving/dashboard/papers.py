"""The papers of a decision, to download: the sheet for the file, and the applicant's letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loantap.serving.dashboard.answers import ApplicationSchema, Decision
from loantap.serving.dashboard.application_words import list_values
from loantap.serving.dashboard.documents import write_letter, write_sheet


def show_papers(
    schema: ApplicationSchema, application: Mapping[str, Any], decision: Decision
) -> None:
    """Buttons for both; where a person has decided, both say what that person decided."""
    left, right = st.columns(2)
    left.download_button(
        "Decision sheet", write_sheet(list_values(schema, application), decision),
        f"{decision.id}-sheet.html", "text/html", key=f"sheet:{decision.id}", on_click="ignore",
        width="stretch",
    )  # fmt: skip
    right.download_button(
        "Letter to the applicant", write_letter(decision), f"{decision.id}-letter.html",
        "text/html", key=f"letter:{decision.id}", on_click="ignore", width="stretch",
    )  # fmt: skip
