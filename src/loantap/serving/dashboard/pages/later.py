"""Places of pages that are still to come."""

from __future__ import annotations

import streamlit as st

from loantap.serving.dashboard.frame import Page, show_page


def show_watch_list() -> None:
    """Where the watch-list of borrowers in trouble will be."""
    show_page(
        "Watch-list",
        "Loans that need attention before they are overdue.",
        lambda page: _tell(
            page,
            "This page comes with the `early_warning` pipeline, which does not exist yet. It will "
            "list loans that are likely to fall behind, why, and what to offer their borrowers.",
        ),
        needs_api=False,
    )


def show_monitoring() -> None:
    """Where drift and performance of the model will be watched."""
    show_page(
        "Monitoring",
        "Whether applications and outcomes still look like those the model was trained on.",
        lambda page: _tell(
            page,
            "This page comes with the `monitoring` pipeline, which does not exist yet. Until then "
            "the Model page has calibration and stability as of the last training.",
        ),
        needs_api=False,
    )


def _tell(_page: Page, what: str) -> None:
    st.info(what)
