"""What Streamlit runs: the navigation and the chosen page."""

from typing import Final

import streamlit as st

from loantap.serving.dashboard.pages import (
	batch,
	decisions,
	model,
	monitoring,
	policy,
	portfolio,
	queue,
	score,
	watch_list,
)

# Streamlit's own icons come from a server of fonts.
_ICON: Final = (
	'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" '
	'rx="3" fill="#1f5fbf"/><path d="M4 3v10h8v-2H6V3z" fill="#fff"/></svg>'
)


def show_app() -> None:
	"""The chosen page among all pages."""
	st.set_page_config(
		page_title="LoanTap underwriting",
		page_icon=_ICON,
		layout="wide",
		menu_items={"Get help": None, "Report a bug": None},
	)
	first = st.Page(score.show, title="Score", icon=":material/calculate:", url_path="score")

	def begin() -> None:
		st.switch_page(first, query_params=st.query_params)

	# The default page's address is `/`; the page for scoring has its own.
	chosen = st.navigation(
		{
			"Applications": [
				st.Page(begin, title="LoanTap", default=True, visibility="hidden"),
				first,
				st.Page(queue.show, title="Queue", icon=":material/inbox:", url_path="queue"),
				st.Page(decisions.show, title="Decisions", icon=":material/history:", url_path="decisions"),
				st.Page(batch.show, title="Batch", icon=":material/upload_file:", url_path="batch"),
			],
			"Running loans": [
				st.Page(watch_list.show, title="Watch-list", icon=":material/visibility:", url_path="watch-list")
			],
			"Risk": [
				st.Page(portfolio.show, title="Portfolio", icon=":material/query_stats:", url_path="portfolio"),
				st.Page(policy.show, title="Policy", icon=":material/gavel:", url_path="policy"),
				st.Page(model.show, title="Model", icon=":material/function:", url_path="model"),
				st.Page(monitoring.show, title="Monitoring", icon=":material/monitoring:", url_path="monitoring"),
			],
		}
	)
	chosen.run()


if __name__ == "__main__":
	show_app()
