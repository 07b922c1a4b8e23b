"""Queue: referred cases, taken and decided by people."""

from __future__ import annotations

from typing import Final

import streamlit as st

from loantap.serving.dashboard.answers import Case
from loantap.serving.dashboard.frame import Page, show_page
from loantap.serving.dashboard.messages import tell_missing_right
from loantap.serving.dashboard.session import Session

_ORDERS: Final = {"Oldest first": "age", "Largest amount first": "amount"}


def show() -> None:
    """The page."""
    show_page("Queue", "Applications that wait for a person's decision.", _show)


def _show(page: Page) -> None:
    session = page.session
    if session is None:
        return
    if not session.may("decide"):
        st.info(tell_missing_right("decide"))
    done = st.session_state.pop("case-done", None)
    if done:
        st.success(done)
    order = _ORDERS[st.radio("Order", list(_ORDERS), horizontal=True)]
    for title, state in (("Taken", "taken"), ("Open", "open")):
        found = session.api.list_cases(state=state, order=order)
        st.subheader(f"{title} ({found.n if found.n is not None else len(found.items)})")
        if not found.items:
            st.caption("None.")
        for case in found.items:
            _show_case(session, case, found.reasons)
        if found.next:
            st.caption("More follow when these are decided.")


def _show_case(session: Session, case: Case, reasons: list[str]) -> None:
    with st.container(border=True):
        amount = "" if case.amount is None else f" · {case.amount:,.0f}"
        pd_ = case.probability_of_default
        risk = "" if pd_ is None else f" · PD {pd_:.1%}"
        st.markdown(
            f"**{case.application_id or case.decision_id}**{amount}{risk} · "
            f"since {case.opened_at:%Y-%m-%d %H:%M} UTC"
        )
        if not session.may("decide"):
            return
        if case.state == "open":
            if st.button("Take", key=f"take:{case.decision_id}"):
                session.api.take_case(case.decision_id)
                st.rerun()
            return
        if case.taken_by != session.person:
            st.caption(f"{case.taken_by} has it.")
            return
        _ask_decision(session, case, reasons)


def _ask_decision(session: Session, case: Case, reasons: list[str]) -> None:
    with st.form(f"decide:{case.decision_id}"):
        outcome = st.radio("Decision", ["approve", "decline"], index=None, horizontal=True)
        reason = st.selectbox("Reason", reasons, index=None)
        note = st.text_area("Note", max_chars=1000)
        if st.form_submit_button("Record the decision", type="primary"):
            if outcome is None or reason is None:
                st.warning("Choose a decision and a reason.")
            else:
                session.api.decide_case(case.decision_id, outcome, reason, note)
                st.session_state["case-done"] = f"{case.decision_id}: {outcome} is recorded."
                st.rerun()
    if st.button("Give back", key=f"back:{case.decision_id}"):
        session.api.give_case_back(case.decision_id)
        st.rerun()
