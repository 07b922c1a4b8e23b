"""Places of pages that are still to come."""

import streamlit as st

from loantap.serving.dashboard.frame import Page, show_page


def show_watch_list() -> None:
    """Place of the watch-list of borrowers in trouble."""
    _show(
        "Watch-list",
        "Loans that need attention before they are overdue.",
        "The list is not shown here yet. `kedro run --pipelines early_warning` writes it, with a "
        "reason for each loan: data/08_reporting/watchlist.html.",
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
