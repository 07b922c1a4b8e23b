"""Places of pages that are still to come."""

import streamlit as st

from loantap.serving.dashboard.frame import Page, show_page


def show_watch_list() -> None:
    """Place of the watch-list of borrowers in trouble."""
    _show(
        "Watch-list",
        "Loans that need attention before they are overdue.",
        "This page comes with the `early_warning` pipeline, which does not exist yet. It will list "
        "loans that are likely to fall behind, why, and what to offer their borrowers.",
    )


def show_monitoring() -> None:
    """Place of the model's drift and performance."""
    _show(
        "Monitoring",
        "Whether applications and outcomes still look like those the model was trained on.",
        "This page comes with the `monitoring` pipeline, which does not exist yet. Until then the "
        "Model page has calibration and stability as of the last training.",
    )


def _show(title: str, lead: str, told: str) -> None:
    def tell(_page: Page) -> None:
        st.info(told)

    show_page(title, lead, tell, needs_api=False)
