"""Model: what decides, what was tried against it, how good and stable it is."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from loantap.features.definitions import DECIDES
from loantap.portfolio.errors import InputError
from loantap.reporting.formatting import capitalize_first, count, decimal, decimal_interval
from loantap.reporting.model_card.tables import Cell, tabulate_metrics
from loantap.serving.api.service_schemas import Challenger, Model
from loantap.serving.dashboard import messages
from loantap.serving.dashboard.charts import chart_calibration
from loantap.serving.dashboard.client import ApiError
from loantap.serving.dashboard.frame import Page, show_chart, show_error, show_figures, show_page, show_table
from loantap.serving.dashboard.last_run import LastRun, NoRunError
from loantap.serving.dashboard.session import Session

_CARD: Final = "model_card.html"
# The model card's metrics of how good a PD is.
_OF_PDS: Final = frozenset(
	{"Default rate", "AUC", "KS", "Average precision", "Brier score", "Expected calibration error (ECE)"}
)


def show() -> None:
	"""The page."""
	show_page("Model", "What predicts default, how well, and what was tried against it.", _show, needs_api=False)


def _show(page: Page) -> None:
	session = page.open("read")
	if session is None:
		return
	served = _find_served(page, session)
	if served is not None:
		_show_served(served)
	run = LastRun(page.settings)
	parts: list[Callable[[LastRun], None]] = [_show_metrics, _show_calibration, _show_stability, _show_card]
	try:
		for show_part in parts:
			show_part(run)
	except NoRunError:
		st.info(messages.NO_RUN)
	except InputError as error:
		st.error(str(error))
	if served is not None:
		_show_history(served)


def _find_served(page: Page, session: Session) -> Model | None:
	if page.model is not None:
		return page.model
	try:
		return session.api.read_model()
	except ApiError as error:
		show_error(error)
		return None


def _show_served(served: Model) -> None:
	st.subheader(f"Champion: {served.name}, version {served.version}", anchor=False)
	if served.doubt:
		st.warning(f"It goes on as the last good one: {served.doubt}")
	trained = served.trained_at
	show_figures(
		("Kind", served.kind, f"{count(len(served.features))} features"),
		("Trained on", f"{count(served.training_loans)} loans", f"{count(served.training_charge_offs)} charged off"),
		("Trained at", f"{trained:%Y-%m-%d}" if trained else "unknown", f"{trained:%H:%M} UTC" if trained else ""),
		("Decides since", f"{served.loaded_at:%Y-%m-%d %H:%M}", f"UTC, in this server; {served.state}"),
	)
	st.subheader("Challenger", anchor=False)
	if served.challenger is None:
		st.caption("None was tried against it, or the registry does not tell.")
		return
	_show_challenger(served.challenger)


def _show_challenger(challenger: Challenger) -> None:
	st.markdown(f"**{capitalize_first(challenger.headline or challenger.name)}.**")
	if challenger.conditions:
		rows = [
			(capitalize_first(one.name), "holds" if one.holds else "does not hold", one.evidence)
			for one in challenger.conditions
		]
		show_table(("Condition", "Verdict", "Evidence"), rows)
		st.caption("All must hold for a challenger to take the champion's place.")


def _show_metrics(run: LastRun) -> None:
	st.subheader("Figures of the last run", anchor=False)
	table = tabulate_metrics(run.read_part("metrics.json", DECIDES))
	measured = [place for place, sample in enumerate(table.samples) if sample.loans]
	head = ("Figure", *(f"{table.samples[n].name}, n {table.samples[n].loans}" for n in measured))
	rows: list[tuple[str, ...]] = []
	for label, cells in table.rows.items():
		if label not in _OF_PDS:
			continue
		rows.append((label, *(_word_cell(cells[n]) for n in measured)))
		if any(cells[n].remark for n in measured):
			rows.append(("Of a perfect model, by chance", *(cells[n].remark.removeprefix("perfect: ") for n in measured)))
	show_table(head, rows, range(1, len(head)))
	st.caption(
		"In brackets: 95% intervals. An ECE above that of a perfect model says that calibration is "
		"off in that sample by more than chance."
	)


def _word_cell(cell: Cell) -> str:
	return f"{cell.value} [{cell.interval}]" if cell.interval else cell.value


def _show_calibration(run: LastRun) -> None:
	st.subheader("Calibration", anchor=False)
	show_chart(
		chart_calibration(run.read_table(f"{DECIDES}/reliability")),
		"Observed default rate against predicted PD in bins; on the dashed line both are the same",
	)
	st.caption("Each point is a bin of loans, with its 95% interval; on the dashed line as many default as predicted.")


def _show_stability(run: LastRun) -> None:
	st.subheader("Stability", anchor=False)
	found = run.read_part("stability.json", "models", DECIDES)
	st.markdown("**Across folds**")
	folds = [
		(f"Fold {one['fold']}", count(one["n"]), count(one["charged_off"]), _with_bounds(one, "roc_auc"))
		for one in found["folds"]
	]
	show_table(("Kept back", "n", "Charged off", "AUC"), folds, {1, 2, 3})
	st.markdown("**Across populations**")
	populations = [
		(capitalize_first(one["population"]), count(one["n"]), _with_bounds(one, "psi"), decimal(one["psi_chance"]))
		for one in found["populations"]
	]
	head = ("Population", "n", "PSI of the score", "By chance, up to")
	show_table(head, populations, {1, 2, 3})
	st.caption(
		"PSI, the population stability index, compares scores with those of all other loans: above "
		"0.1 they moved, above 0.25 they shifted, unless chance alone gives as much."
	)


def _with_bounds(row: Mapping[str, Any], name: str) -> str:
	interval = decimal_interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
	return f"{decimal(row[name])} [{interval}]" if interval else decimal(row[name])


def _show_card(run: LastRun) -> None:
	st.subheader("Model card", anchor=False)
	path = run.find(run.settings.reports / _CARD)
	st.download_button(
		"Download the model card", path.read_bytes(), _CARD, "text/html", on_click="ignore", icon=":material/download:"
	)
	# Two megabytes, for those alone who want to read them here.
	if st.toggle("Read it here"):
		st.iframe(path, height=800, alt="The model card")


def _show_history(served: Model) -> None:
	st.subheader("Promotion history", anchor=False)
	if served.unknown:
		st.warning(f"The registry does not tell now: {served.unknown}")
		return
	rows = [
		(one.name, one.version, f"{one.created:%Y-%m-%d %H:%M}", "champion" if one.is_champion else one.outcome, one.reason)
		for one in served.history
	]
	if not rows:
		st.caption("No version is registered.")
		return
	show_table(("Model", "Version", "Registered (UTC)", "Outcome", "Why"), rows, {1})
