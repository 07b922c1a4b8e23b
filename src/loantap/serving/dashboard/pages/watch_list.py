"""Watch-list: running loans that may need help, what was offered, and what works."""

from collections.abc import Hashable
from html import escape
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from loantap.reporting.formatting import (
	CURRENCY,
	TRENDS,
	count,
	decimal,
	draw_line,
	name_category,
	whole_percent,
	with_interval,
	word_plan,
)
from loantap.serving.dashboard.client import ApiError
from loantap.serving.dashboard.frame import (
	Page,
	Pages,
	act,
	current_theme,
	show_done,
	show_error,
	show_figures,
	show_page,
	show_table,
)
from loantap.serving.dashboard.look import read_palette
from loantap.serving.dashboard.session import Session
from loantap.serving.help.offer import (
	FEW,
	FILTERS,
	NEEDED,
	HelpOffer,
	HelpOutcome,
	Rate,
	Said,
	State,
	Terms,
	WatchedLoan,
)
from loantap.surveillance.help.actions import Action

_KEYS: Final = {name: f"watch:{name}" for name in FILTERS}
_OPENED: Final = "watched-loan"
_ANY: Final = "any"


def show() -> None:
	"""The page."""
	lead = f"Running loans that may need help before they are charged off. Amounts are in {CURRENCY}."
	show_page("Watch-list", lead, _show)


def _show(page: Page) -> None:
	session = page.open("read", "help")
	if session is None:
		return
	show_done()
	# A filter that is not drawn, while a loan is open, is kept.
	st.session_state.update({key: st.session_state[key] for key in _KEYS.values() if key in st.session_state})
	of_loans, of_help = st.tabs(["Loans", "What works"])
	opened = st.session_state.get(_OPENED)
	with of_loans:
		try:
			_show_loan(session, opened) if opened else _show_list(session)
		except ApiError as error:
			show_error(error)
	with of_help:
		_show_report(session)


def _open(loan_id: str) -> None:
	st.session_state[_OPENED] = loan_id


def _show_list(session: Session) -> None:
	wanted = {
		name: column.selectbox(name_category(name), [_ANY, *of], format_func=name_category, key=_KEYS[name])
		for column, (name, of) in zip(st.columns(len(FILTERS)), FILTERS.items(), strict=True)
	}
	asked = {name: value for name, value in wanted.items() if value != _ANY}
	pages = Pages("watch-list", tuple(asked.items()))
	found = session.api.list_watched(**asked, after=pages.after, limit=20)
	if found.simulated:
		st.warning("Simulated: these loans or their months are made up. Offer nothing to anybody by this list.")
	month = f"{found.as_of_month:%Y-%m}" if found.as_of_month else "no month"
	counts = ", ".join(f"{queue} {n:,}" for queue, n in found.counts["queue"].items())
	st.caption(f"As of {month}: {counts or 'no loan'}. Found: n = {found.n:,}, by avoidable loss.")
	for loan in found.items:
		with st.container(border=True):
			_show_head(loan)
			for offer in loan.offers[:1]:
				st.caption(_tell_offer(offer))
			st.button(f"Open {loan.loan_id}", key=f"open:{loan.loan_id}", on_click=_open, args=(loan.loan_id,))
	pages.show_way(len(found.items), found.next, found.n)


def _show_head(loan: WatchedLoan) -> None:
	sma = f", {loan.sma}" if loan.sma else ""
	st.markdown(f"**{loan.rank:,} · {loan.loan_id}** · {loan.level}{sma} · {loan.queue}")
	st.text(loan.reason)
	st.html(f'<div class="lt-trends">{"".join(_draw(loan, name, label) for name, label in TRENDS.items())}</div>')
	is_new = " (new)" if loan.first_seen == loan.as_of_month else ""
	escalated = f", escalated {loan.escalated_in:%Y-%m}" if loan.escalated_in else ""
	st.caption(
		f"First seen {loan.first_seen:%Y-%m}{is_new}{escalated} · balance {count(loan.outstanding_balance)} · "
		f"12-month PD {whole_percent(loan.pd_12m)} · avoidable loss {count(loan.expected_loss_avoidable)}"
	)
	st.markdown(f"Plan: {word_plan(dict[Hashable, Any](loan.plan)) if loan.plan else 'the last run made none'}")


def _draw(loan: WatchedLoan, name: str, label: str) -> str:
	values = ["unknown" if value is None else f"{value:.3g}" for value in getattr(loan, name)]
	told = f"{label} {values[0]} to {values[-1]}" if values else label
	lines = draw_line(" ".join(values).replace("unknown", "nan"))
	drawn = "".join(f'<polyline points="{" ".join(points)}"/>' for points in lines)
	colour = read_palette(current_theme() or "light")["--link"]
	svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 24" fill="none" stroke="{colour}">{drawn}</svg>'
	# An image, since Streamlit takes drawings out of HTML.
	return f'<span><img src="data:image/svg+xml,{quote(svg)}" alt="{escape(told)}"> {escape(told)}</span>'


def _tell_offer(offer: HelpOffer) -> str:
	told = f"{name_category(offer.action)} was offered by {offer.person} on {offer.at:%Y-%m-%d}"
	if offer.answer:
		told += f"; {offer.answer} on {offer.answered_at:%Y-%m-%d}"
	if offer.outcome:
		told += f"; {name_category(offer.outcome).lower()} on {offer.ended_at:%Y-%m-%d}"
	return told


def _show_loan(session: Session, loan_id: str) -> None:
	st.button("Back to the list", on_click=_open, args=("",))
	loan = session.api.find_watched(loan_id)
	_show_head(loan)
	plan = loan.plan
	if plan is not None:
		step = f"{count(plan.emi_later)} after {plan.step_months} months" if plan.emi_later else ""
		show_figures(
			("Instalment now", decimal(plan.emi_now, 2), f"{plan.months_left} months left"),
			("Instalment by the plan", decimal(plan.emi_new or plan.emi_now, 2), step),
			("Months left by the plan", count(plan.months_left_new), ""),
			("DTI, %", decimal(plan.dti_now, 1), f"by the plan {decimal(plan.dti_new or plan.dti_now, 1)}"),
			("Cost", count(plan.cost), f"avoids {count(plan.loss_avoided)}, by assumption"),
		)
		st.text(plan.why)
	for offer in loan.offers:
		with st.container(border=True):
			_show_offer(session, offer)
	is_running = any(offer.state in {State.OFFERED, State.ACCEPTED} for offer in loan.offers)
	if session.may("help") and not is_running:
		_ask_offer(session, loan)


def _show_offer(session: Session, offer: HelpOffer) -> None:
	terms = offer.terms.model_dump(exclude_none=True)
	told = ", ".join(f"{_label(name).lower()} {count(value)}" for name, value in terms.items())
	terms_told = f" Terms: {told}." if told else ""
	st.text(f"{_tell_offer(offer)}.{terms_told}{'' if offer.by_plan else ' Not the plan.'} {offer.note}".strip())
	if offer.outcome or not session.may("help"):
		return
	step, choices = ("outcome", list(HelpOutcome)) if offer.answer else ("answer", list(Said))
	said = st.radio(
		name_category(step), choices, index=None, horizontal=True, format_func=name_category, key=f"{step}:{offer.id}"
	)
	if st.button(f"Record the {step}", key=f"record:{offer.id}", disabled=said is None) and said:
		act(lambda: session.api.follow_help(offer.id, step, said), f"{name_category(said)} is recorded.")


def _ask_offer(session: Session, loan: WatchedLoan) -> None:
	def record(said: dict[str, Any]) -> None:
		done = f"{loan.loan_id}: {name_category(said['action'])} is recorded as offered."
		act(lambda: session.api.offer_help(loan.loan_id, said), done)

	plan = loan.plan
	if plan and plan.action != Action.NONE and st.button("Record that the plan was offered", type="primary"):
		# With the terms that were read: those of a newer plan are refused.
		record({"action": plan.action, "terms": plan.terms.model_dump(exclude_none=True)})
	with st.expander("Something else was offered"):
		action = st.selectbox("Action", list(NEEDED), format_func=name_category)
		terms = {name: st.number_input(_label(name), value=None, **_limit(name)) for name in NEEDED[action]}
		note = st.text_area("Why not the plan", max_chars=2_000)
		if st.button("Record it"):
			record({"action": action, "terms": terms, "note": note})


def _label(name: str) -> str:
	return str(Terms.model_fields[name].description)


def _limit(name: str) -> dict[str, Any]:
	return {"min_value": 0.01, "step": 1.0} if name.startswith("emi") else {"min_value": 1, "step": 1}


def _show_report(session: Session) -> None:
	items = session.api.report_help().items
	if not items:
		st.info("No help is recorded yet. Open a loan and record what was offered.")
		return
	rows = [
		(
			f"{name_category(one.action)}{' (simulated)' if one.simulated else ''}",
			count(one.offered),
			*map(_tell_rate, (one.take_up, *one.outcomes[Said.ACCEPTED].values())),
		)
		for one in items
	]
	show_table(("Action", "Offered", "Accepted", *map(name_category, HelpOutcome)), rows, range(1, 7))
	st.caption(
		"Accepted: of the answers. Outcomes: of accepted offers whose outcome is known. In brackets: 95% intervals "
		f"(Wilson). Of fewer than {FEW} nothing can be concluded. Who accepts differs from who declines: these shares "
		"describe, and do not prove that help works."
	)


def _tell_rate(rate: Rate) -> str:
	row = {"share": rate.share, "share_low": rate.low, "share_high": rate.high}
	told = f", n {rate.of:,}{' (few)' if rate.is_small else ''}" if rate.of else ""
	return f"{with_interval(row, 'share', whole_percent)}{told}"
