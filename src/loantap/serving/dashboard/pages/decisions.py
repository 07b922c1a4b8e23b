"""Decisions: found again, opened and replayed."""

from typing import Final

import streamlit as st

from loantap.reporting.formatting import count, name_category, percent
from loantap.serving.api.schemas import Event
from loantap.serving.dashboard.client import Api, Decision
from loantap.serving.dashboard.decision_view import show_application, show_decision, show_papers
from loantap.serving.dashboard.frame import Page, Pages, show_page, show_table

_NOTHING: Final = {"search:id": "", "search:application": "", "search:outcome": "any"}


def show() -> None:
	"""The page."""
	show_page("Decisions", "All decisions on record; open one to replay it.", _show)


def _show(page: Page) -> None:
	session = page.open("read")
	if session is None:
		return
	named, application, outcome = _ask()
	if named:
		_open(session.api, named)
		return
	pages = Pages("decisions", (application, outcome))
	found = session.api.search_decisions(
		application_id=application, decision=None if outcome == "any" else outcome, after=pages.after, limit=25
	)
	if not found.items and pages.after is None:
		st.info("There is no such decision. Score an application, or search for less.")
		return
	ids = {one.id: one.application_id for one in found.items}
	chosen = st.selectbox(
		"Open",
		list(ids),
		index=None,
		placeholder="A decision of the list below",
		format_func=lambda one: f"{one} · {ids[one]}" if ids[one] else one,
	)
	if chosen:
		_open(session.api, chosen)
		return
	show_table(
		("Application", "Decision", "PD", "Score", "Time (UTC)", "Id"), [_list_cells(one) for one in found.items], {2, 3}
	)
	pages.show_way(len(found.items), found.next)


def _ask() -> tuple[str, str, str]:
	"""Kept while the person is elsewhere."""
	state = st.session_state
	for key, value in state.get("search", _NOTHING).items():
		state.setdefault(key, value)
	left, middle, right = st.columns(3)
	named = left.text_input("Decision id", key="search:id")
	application = middle.text_input("Application id", key="search:application")
	outcome = right.selectbox("Decision", ("any", "approve", "refer", "decline"), key="search:outcome")
	state["search"] = {key: state[key] for key in _NOTHING}
	return named.strip(), application.strip(), outcome


def _list_cells(one: Decision) -> tuple[str, ...]:
	return (
		one.application_id or "no id given",
		one.decision,
		percent(one.probability_of_default),
		count(one.score),
		f"{one.at:%Y-%m-%d %H:%M:%S}",
		one.id,
	)


def _open(api: Api, decision_id: str) -> None:
	decision = api.find_decision(decision_id)
	last = decision.by_person
	if last is not None:
		outcome, reason = last.public["decision"], last.public["reason"]
		st.info(
			f"**{last.person} decided: {outcome}.** Reason: {reason}. Below stands what model and policy decided before."
		)
	show_decision(decision)
	application = f"Application {decision.application_id}, d" if decision.application_id else "D"
	st.caption(f"{application}ecided for {decision.person}; policy digest {decision.policy.digest}")
	if decision.erased:
		st.info("Its personal data was erased: it cannot be replayed.")
	else:
		show_application(api, decision.input)
		show_papers(api.read_schema(), decision.input, decision)
		if st.button("Replay", key=f"replay:{decision.id}"):
			_tell_replay(api, decision.id)
	if decision.events:
		st.markdown("**What happened since**")
		events = [(f"{one.at:%Y-%m-%d %H:%M:%S}", _tell_event(one), one.person) for one in decision.events]
		show_table(("Time (UTC)", "Event", "Person"), events)


def _tell_event(event: Event) -> str:
	said = [str(event.public[name]) for name in ("decision", "reason") if name in event.public]
	if "same" in event.public:
		said = ["the same" if event.public["same"] else "another decision"]
	kind = name_category(event.kind)
	return f"{kind}: {', '.join(said)}" if said else kind


def _tell_replay(api: Api, decision_id: str) -> None:
	replay = api.replay(decision_id)
	if replay.same:
		st.success("The same decision comes out again.")
		return
	st.error("Another decision comes out. What differs:")
	for difference in replay.differences:
		st.markdown(f"- {name_category(difference)}")
