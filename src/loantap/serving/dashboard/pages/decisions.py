"""Decisions: what was decided, found again, opened and replayed."""

from __future__ import annotations

import streamlit as st

from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.client import Api
from loantap.serving.dashboard.frame import Page, show_page, show_table
from loantap.serving.dashboard.messages import tell_missing_right


def show() -> None:
    """The page."""
    show_page("Decisions", "All decisions on record; open one to replay it.", _show)


def _show(page: Page) -> None:
    session = page.session
    if session is None:
        return
    if not session.may("read"):
        st.info(tell_missing_right("read"))
        return
    left, middle, right = st.columns(3)
    named = left.text_input("Decision id")
    application = middle.text_input("Application id")
    outcome = right.selectbox("Decision", ["any", "approve", "refer", "decline"])
    if named.strip():
        _open(session.api, named.strip())
        return
    found = session.api.search_decisions(
        application_id=application.strip(), decision=None if outcome == "any" else outcome
    )
    if not found.items:
        st.info("There is no such decision. Score an application, or search for less.")
        return
    show_table(("Id", "Time (UTC)", "Application", "Decision", "PD", "Score"),
               [_list_cells(one) for one in found.items], frozenset({4, 5}))  # fmt: skip
    if found.next:
        st.caption(f"The newest {len(found.items)} are shown.")
    chosen = st.selectbox("Open", [one.id for one in found.items], index=None)
    if chosen:
        _open(session.api, chosen)


def _list_cells(one: Decision) -> tuple[str, ...]:
    pd_ = one.probability_of_default
    return (one.id, f"{one.at:%Y-%m-%d %H:%M:%S}", one.application_id or "", one.decision,
            "" if pd_ is None else f"{pd_:.1%}", str(one.score or ""))  # fmt: skip


def _open(api: Api, decision_id: str) -> None:
    decision = api.find_decision(decision_id)
    st.subheader(f"{decision.decision} · {decision.id}", anchor=False)
    show_table(("Model", "Policy", "By"), [(
        f"{decision.model.name} {decision.model.version}", decision.policy.version,
        decision.person)], frozenset())  # fmt: skip
    for reason in decision.reasons:
        st.markdown(f"- {reason}")
    if decision.erased:
        st.info("Its personal data was erased: it cannot be replayed.")
    else:
        with st.expander("Application"):
            given = (decision.input or {}).items()
            rows = [(name, "" if value is None else str(value)) for name, value in given]
            show_table(("Field", "Value"), rows, frozenset())
        if st.button("Replay", key=f"replay:{decision.id}"):
            _tell_replay(api, decision.id)
    if decision.events:
        events = [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.kind, one.person) for one in decision.events]
        show_table(("Time (UTC)", "Event", "Person"), events, frozenset())


def _tell_replay(api: Api, decision_id: str) -> None:
    replay = api.replay(decision_id)
    if replay.same:
        st.success("The same decision comes out again.")
        return
    st.error("Another decision comes out.")
    for difference in replay.differences:
        st.markdown(f"- {difference}")
