"""Queue: referred cases, taken and decided by people."""

from typing import Final

import streamlit as st

from loantap.reporting.formatting import CURRENCY, count, percent
from loantap.serving.cases.case import QueuedCase
from loantap.serving.dashboard.decision_view import list_figures, show_application, show_papers, show_reasons
from loantap.serving.dashboard.frame import Page, Pages, act, show_done, show_figures, show_page
from loantap.serving.dashboard.messages import tell_missing_right
from loantap.serving.dashboard.session import Session

_ORDERS: Final = {"Oldest first": "age", "Largest amount first": "amount"}
_DECIDED: Final = "case-decided"
_PAGE: Final = 20


def show() -> None:
	"""The page."""
	show_page("Queue", f"Applications that wait for a person's decision. Amounts are in {CURRENCY}.", _show)


def _show(page: Page) -> None:
	session = page.session
	if session is None:
		return
	if not session.may("decide"):
		st.info(tell_missing_right("decide"))
	show_done()
	decided = st.session_state.get(_DECIDED)
	if decided and session.may("read"):
		_show_papers_of(session, decided)
	order = _ORDERS[st.radio("Order", list(_ORDERS), horizontal=True)]
	for title, state in (("Taken", "taken"), ("Open", "open")):
		pages = Pages(state, order)
		found = session.api.list_cases(state=state, order=order, after=pages.after, limit=_PAGE)
		st.subheader(f"{title} ({found.n:,})", anchor=False)
		if not found.n:
			st.caption("None.")
		for case in found.items:
			with st.container(border=True):
				_show_case(session, case, found.reasons)
		pages.show_way(len(found.items), found.next, found.n)


def _show_papers_of(session: Session, decision_id: str) -> None:
	decision = session.api.find_decision(decision_id)
	if decision.by_person is None or not decision.input:
		return
	st.caption(f"On {decision.application_id or decision_id}; later under Decisions:")
	show_papers(session.api.read_schema(), decision.input, decision)


def _show_case(session: Session, case: QueuedCase, reasons: list[str]) -> None:
	named = case.application_id or case.decision_id
	st.markdown(
		f"**{named}** · {count(case.amount)} · PD {percent(case.probability_of_default)} · "
		f"since {case.opened_at:%Y-%m-%d %H:%M} UTC"
	)
	is_mine = case.state == "taken" and case.taken_by == session.person
	if not is_mine and case.reasons:
		st.caption(f"Why: {case.reasons[0]}")
	if not session.may("decide"):
		return
	if case.state == "open":
		if st.button("Take", key=f"take:{case.decision_id}"):
			act(lambda: session.api.follow_case(case.decision_id, "take"), f"You have {named}: it is under Taken.")
	elif is_mine:
		_ask_decision(session, case, reasons)
	else:
		st.caption(f"{case.taken_by} has it.{_tell_until(case)}")


def _decide(session: Session, case: QueuedCase, **said: str) -> None:
	session.api.follow_case(case.decision_id, "decide", **said)
	st.session_state[_DECIDED] = case.decision_id


def _tell_until(case: QueuedCase) -> str:
	return f" It is kept until {case.expires_at:%H:%M} UTC." if case.expires_at else ""


def _ask_decision(session: Session, case: QueuedCase, reasons: list[str]) -> None:
	st.caption(f"You have it.{_tell_until(case)}")
	show_figures(*list_figures(case))
	show_reasons("refer", case.reasons)
	given = session.api.find_decision(case.decision_id).input
	if given:
		show_application(session.api, given)
	with st.form(f"decide:{case.decision_id}"):
		outcome = st.radio("Decision", ["approve", "decline"], index=None, horizontal=True)
		reason = st.selectbox("Reason", reasons, index=None)
		note = st.text_area("Note", max_chars=1000)
		if st.form_submit_button("Record the decision", type="primary"):
			if outcome is None or reason is None:
				st.warning("Choose a decision and a reason.")
			else:
				act(
					lambda: _decide(session, case, decision=outcome, reason=reason, note=note),
					f"{case.decision_id}: {outcome} is recorded.",
				)
	if st.button("Give back", key=f"back:{case.decision_id}"):
		act(
			lambda: session.api.follow_case(case.decision_id, "give-back"),
			f"{case.application_id or case.decision_id} is open again.",
		)
