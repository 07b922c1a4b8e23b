"""The place of a page that is still to come."""

import streamlit as st

from loantap.serving.dashboard.frame import Page, show_page


def show() -> None:
	"""Place of the model's drift and performance."""
	lead = "Whether applications and outcomes still look like those the model was trained on."
	show_page("Monitoring", lead, _tell, needs_api=False)


def _tell(_page: Page) -> None:
	st.info(
		"This page comes with the `monitoring` pipeline, which does not exist yet. Until then the "
		"Model page has calibration and stability as of the last training."
	)
