"""Portfolio: the last run's findings, and the frontier with sliders."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from loantap.policy.money.cash_flows import PaidLife
from loantap.portfolio.errors import InputError
from loantap.reporting.charts.findings import chart_drivers
from loantap.reporting.formatting import (
	CURRENCY,
	PageTable,
	capitalize_first,
	count,
	list_rows,
	money,
	percent,
	signed,
	whole_percent,
	with_interval,
)
from loantap.reporting.insights.policy_tables import tabulate_policies
from loantap.serving.dashboard import messages
from loantap.serving.dashboard.charts import chart_again
from loantap.serving.dashboard.frame import Page, show_chart, show_page, show_table
from loantap.serving.dashboard.last_run import (
	Again,
	Choice,
	JudgedLoans,
	LastRun,
	NoRunError,
	decide_again,
	load_judged,
)
from loantap.serving.dashboard.settings import DashboardSettings

_PAID_LIVES: Final = {"to the end of their term": PaidLife.CONTRACTUAL, "no longer than observed": PaidLife.CAPPED}
_CONF: Final = Path("conf/base")
_AUDIT: Final = "audit"
_ALL: Final = "all factors"
# The riskiest fifth of all PDs is declined.
_START: Final = 0.8


def show() -> None:
	"""The page."""
	show_page("Portfolio", "What the last run found in the loans of the past.", _show, needs_api=False)


def _show(page: Page) -> None:
	if page.open("read") is None:
		return
	run = LastRun(page.settings)
	try:
		summary = run.read_report("summary.json")
		_show_summary(summary)
		_show_segments(run.read_table("findings"))
		_show_frontier(page.settings)
		_show_details(run, str(summary["scenario"]))
	except NoRunError:
		st.info(messages.NO_RUN)
	except InputError as error:
		st.error(str(error))


def _show_summary(summary: Mapping[str, Any]) -> None:
	st.caption(f"Scenario {summary['scenario']}; profit is {summary['profit']}. In brackets: 95% intervals.")
	for heading, name in (("Findings", "findings"), ("What to do", "actions")):
		st.subheader(heading, anchor=False)
		cards = "".join(_write_card(one) for one in summary[name])
		st.html(f'<div class="lt-cards">{cards}</div>')


def _write_card(one: Mapping[str, Any]) -> str:
	worth, figure = one["money"], ""
	if worth is not None:
		figure = f"<b>{money(worth['value'])}</b> [{money(worth['low'])}, {money(worth['high'])}] {escape(worth['per'])} · "
	return (
		f"<article><h4>{escape(one['title'])}</h4><p>{figure}n {count(one['n'])}</p><p>{escape(one['text'])}</p></article>"
	)


@st.fragment
def _show_segments(findings: pd.DataFrame) -> None:
	st.subheader("Segments", anchor=False)
	# What is audited is nothing to lend on.
	lent_on = findings[findings["role"].ne(_AUDIT)]
	audited = findings.loc[findings["role"].eq(_AUDIT), "phrase"].unique()
	left, right = st.columns(2)
	factor = left.selectbox("Factor", [_ALL, *lent_on["phrase"].unique()])
	life = _PAID_LIVES[right.selectbox("Profit, paid loans run", list(_PAID_LIVES))]
	differs = st.checkbox("Only segments that differ from all others", value=factor == _ALL)
	shown = lent_on if factor == _ALL else lent_on[lent_on["phrase"].eq(factor)]
	if differs:
		shown = shown[shown["finding"].isin(["more defaults", "fewer defaults"])]
	if shown.empty:
		st.caption("No segment of it is shown to differ.")
	else:
		head = ("Segment", "Finding", "n", "Default rate", "Other factors equal, points", "Imputed profit per loan")
		rows = [_tell_segment(row, life) for row in list_rows(shown)]
		show_table(head, rows, {2, 3, 4, 5})
	if len(audited):
		st.caption(
			f"{capitalize_first(' and '.join(audited))} are looked at in the audit of the insights "
			"report alone: nobody may lend on where an applicant lives."
		)


def _tell_segment(row: Mapping[str, Any], life: PaidLife) -> tuple[str, ...]:
	return (
		f"{capitalize_first(str(row['phrase']))}: {row['segment']}",
		str(row["finding"]),
		count(row["loans"]),
		with_interval(row, "default_rate", percent),
		with_interval(row, "effect", signed),
		with_interval(row, f"profit_{life.value}", money),
	)


@st.fragment
def _show_frontier(settings: DashboardSettings) -> None:
	st.subheader("The frontier, by your own assumptions", anchor=False)
	try:
		judged = _load(settings, _stamp(settings))
	except NoRunError:
		st.info(messages.NO_RUN)
		return
	except InputError as error:
		st.error(str(error))
		return
	choice, cutoff = _ask(judged)
	again = _decide(settings, _stamp(settings), choice)
	policies = again.compare(cutoff)
	show_chart(
		chart_again(again.curves, policies),
		"Imputed profit per application against the default rate among approved loans: curves of "
		"three kinds of policy, and the chosen cut-off as a point; the table below has its figures",
	)
	show_table(*_tabulate(policies))
	st.caption(
		f"n = {count(len(judged.portfolio))} applications. Computed now from stored PDs, terms and "
		"outcomes by the functions that the run uses. Each PD is of a model that did not see the "
		f"loan. Profit is imputed, in {CURRENCY} per application; in brackets: 95% intervals. "
		"Nothing here changes the policy in force."
	)


def _ask(judged: JudgedLoans) -> tuple[Choice, float]:
	economics = judged.economics
	allowed = economics.ranges["loss_given_default"]
	left, right = st.columns(2)
	names = list(economics.scenarios)
	scenario = left.selectbox("Scenario", names, index=names.index(economics.main))
	life = _PAID_LIVES[right.selectbox("Paid loans run", list(_PAID_LIVES), key="frontier-life")]
	usual = economics.scenarios[scenario].loss_given_default
	lgd = left.slider(
		"LGD: never recovered of the balance at default",
		round(100 * allowed.low),
		round(100 * allowed.high),
		round(100 * usual),
		format="%d%%",
		key=f"lgd:{scenario}",
		help=f"{scenario} assumes {usual:.0%}",
	)
	pds = judged.portfolio["probability_of_default"]
	start = min(max(round(100 * float(pds.quantile(_START))), 1), 100)
	cutoff = right.slider("Approve below a PD of", 1, 100, start, format="%d%%", key="cutoff")
	return Choice(scenario, lgd / 100, life), cutoff / 100


def _tabulate(policies: pd.DataFrame) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]], Collection[int]]:
	head = (
		"Policy",
		"Approved",
		"Default rate of approved",
		"Profit per application",
		"Against everybody",
		"Charge-offs avoided",
	)
	rows = [
		(
			str(row["label"]),
			with_interval(row, "approval_rate", whole_percent),
			with_interval(row, "default_rate_approved", percent),
			with_interval(row, "profit", money),
			with_interval(row, "gain_to_approve_all", money),
			with_interval(row, "charge_offs_avoided", whole_percent),
		)
		for row in list_rows(policies)
	]
	return head, rows, range(1, 6)


def _show_details(run: LastRun, scenario: str) -> None:
	with st.expander("All policies of the last run"):
		comparison = run.read_table("policy_comparison")
		_show_page_table(tabulate_policies(comparison, scenario, PaidLife.CONTRACTUAL.value))
	with st.expander("What drives default, other factors equal"):
		show_chart(
			chart_drivers(run.read_table("drivers")),
			"Strength of each factor in percentage points with its 95% interval, ranked",
		)


def _show_page_table(table: PageTable) -> None:
	st.caption(table.caption)
	rows = [tuple(row) for row in table.rows]
	show_table(tuple(table.headers), rows, range(1, len(table.headers)))
	if table.note:
		st.caption(table.note)


def _stamp(settings: DashboardSettings) -> tuple[int, ...]:
	"""Differs for another run's files, or other parameters'."""
	tables = [settings.tables / "lending" / "predictions.parquet"]
	tables += [settings.project / "data" / name for name in ("03_primary/loans.parquet", "05_model_input/splits.parquet")]
	paths = [*tables, *sorted((settings.project / _CONF).glob("parameters*.yml"))]
	return tuple(path.stat().st_mtime_ns for path in paths if path.is_file())


# Shared between sessions and never changed.
@st.cache_resource(show_spinner="Reading the loans of the last run", max_entries=1)
def _load(settings: DashboardSettings, stamp: tuple[int, ...]) -> JudgedLoans:  # noqa: ARG001
	return load_judged(LastRun(settings), settings.project / _CONF)


# Of 400,000 loans each takes 50 MB.
@st.cache_resource(show_spinner=False, max_entries=4)
def _decide(settings: DashboardSettings, stamp: tuple[int, ...], choice: Choice) -> Again:
	return decide_again(_load(settings, stamp), choice)
