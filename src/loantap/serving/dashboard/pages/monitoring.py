"""Monitoring: whether the model, the applicants, the decisions and the sources are as they should be."""

from typing import Any, Final

import streamlit as st

from loantap.portfolio.errors import InputError
from loantap.reporting.formatting import capitalize_first, count, decimal, percent
from loantap.reporting.monitoring_page import CHECK_HEADERS, group_checks, list_alarms, word_check
from loantap.serving.dashboard.charts import chart_months, chart_shifts
from loantap.serving.dashboard.frame import Page, show_chart, show_figures, show_page, show_table
from loantap.serving.dashboard.last_run import LastRun, NoRunError

_NO_RUN: Final = (
	"Nothing was monitored yet. `kedro run --pipelines monitoring` compares the decisions of the audit log with what "
	"the model was trained on, with the months before, and with what became of the loans."
)
_ALL, _ALARMS = "All checks", "Alarms and what cannot be told"


def show() -> None:
	"""The page."""
	lead = "Whether applications, decisions and outcomes still look like those the model was trained on."
	show_page("Monitoring", lead, _show, needs_api=False)


def _show(page: Page) -> None:
	if page.open("read") is None:
		return
	try:
		report = LastRun(page.settings).read_report("monitoring.json")
	except NoRunError:
		st.info(_NO_RUN)
		return
	except InputError as error:
		st.error(str(error))
		return
	_show_verdict(report)
	_show_pictures(report)
	_show_checks(report)


def _show_verdict(report: dict[str, Any]) -> None:
	advice, window = report["recommendation"], report["window"]
	if report["origin"] != "real":
		st.warning("SIMULATED DATA: nothing here says anything about real borrowers.")
	tell = {"none": st.success, "retrain": st.error, "mend_data": st.error}.get(advice["action"], st.warning)
	tell(f"{advice['words']}. A person decides; nothing is replaced by itself.")
	for check in list_alarms(report["checks"]):
		st.markdown(f"- {capitalize_first(check['words'])}")
	show_figures(
		("Alarms", count(report["alarms"]), f"of {count(len(report['checks']))} checks"),
		("Decisions", count(report["n"]), f"{window['first']} to {window['last']}"),
		("Compared with", count(report["n_earlier"]), "decisions of the months before"),
		("As of", report["as_of"], f"model {report['model']}"),
	)


def _show_pictures(report: dict[str, Any]) -> None:
	shifts = [check for check in report["checks"] if check["what"] == "psi" and check["value"] is not None]
	if shifts:
		st.subheader("How far applicants have moved from the training", anchor=False)
		show_chart(chart_shifts(shifts), "PSI of each feature and of the PD, each with its 95% interval and its limit")
		st.caption("PSI of each feature with its 95% interval; a tick marks where its alarm begins.")
	if len(report["months"]) > 1:
		st.subheader("Decisions by month", anchor=False)
		show_chart(chart_months(report["months"]), "Share of decisions by month: approved, referred, declined, invalid")
		newest = report["months"][-1]
		st.caption(f"n {count(newest['n'])} in {newest['month']}, mean PD {percent(newest['mean_pd'])}.")


def _show_checks(report: dict[str, Any]) -> None:
	st.subheader("Checks", anchor=False)
	shown = st.radio("Show", (_ALARMS, _ALL), horizontal=True)
	for part, checks in group_checks(report["checks"]).items():
		told = [check for check in checks if shown == _ALL or check["verdict"] != "quiet"]
		st.markdown(f"**{part}**: {count(len(checks))} checks, {decimal(len(checks) - len(told), 0)} not shown")
		if told:
			show_table(CHECK_HEADERS, [tuple(word_check(check)) for check in told], {2, 3, 4})
