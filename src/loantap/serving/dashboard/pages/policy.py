"""Policy: in force, proposed, tried; four eyes; the way back."""

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from loantap.policy.credit_policy import fold_name
from loantap.reporting.formatting import count, money, signed
from loantap.serving.api.service_schemas import ActivePolicy, Policies, Proposal, Trial
from loantap.serving.dashboard.client import ApiError
from loantap.serving.dashboard.frame import Page, act, show_done, show_error, show_figures, show_page, show_table
from loantap.serving.dashboard.messages import tell_missing_right
from loantap.serving.dashboard.policy_words import (
	Content,
	ask_policy,
	list_assumptions,
	list_differences,
	list_targets,
	read_content,
	word_rules,
)
from loantap.serving.dashboard.session import Session

_ASKED_BACK: Final = "policy-asked-back"
_TRIALS: Final = "policy-trials"


def show() -> None:
	"""The page."""
	show_page("Policy", "What decides, who approved it, and how it is changed.", _show)


def _show(page: Page) -> None:
	session = page.open("read")
	if session is None:
		return
	if show_done():
		# They were made against the policy before.
		st.session_state.pop(_TRIALS, None)
	in_force = session.api.read_policy()
	content = read_content(in_force)
	book = session.api.list_policies()
	_show_in_force(in_force, content)
	_show_proposals(session, book, content)
	if session.may("admin"):
		with st.expander("Propose a change", icon=":material/edit_document:"):
			_show_form(session, in_force, content)
		_show_way_back(session, book, in_force.id)
	else:
		st.info(tell_missing_right("admin"))
	_show_history(book)


def _show_in_force(in_force: ActivePolicy, content: Content) -> None:
	st.subheader(f"In force: {in_force.version}", anchor=False)
	since = f"in force here since {in_force.activated_at:%Y-%m-%d %H:%M} UTC"
	show_figures(
		("Written by", in_force.author, ""),
		("Approved by", in_force.approved_by, ""),
		("Takes effect from", str(in_force.effective_from), since),
		("Digest", in_force.digest, "recorded with each decision"),
		cut="Digest",
	)
	st.markdown("The first rule that fits a loan decides:")
	st.markdown("\n".join(f"{n}. {rule}" for n, rule in enumerate(word_rules(content), 1)))
	with st.expander("Targets that the rules were chosen to reach"):
		show_table(("Target", "Value"), list_targets(content), {1})
		st.caption("Reported for the portfolio; no single decision depends on them.")
	with st.expander(f"Assumptions of scenario {content.scenario_name}"):
		rows = list_assumptions(content)
		show_table(("Assumption", "Value", "Allowed", "Source"), rows, {1, 2})


def _show_proposals(session: Session, book: Policies, content: Content) -> None:
	proposals = [one for one in book.items if one.state == "proposed"]
	st.subheader(f"Proposals ({len(proposals)})", anchor=False)
	if not proposals:
		st.caption("Nobody proposes a change.")
	for one in proposals:
		with st.container(border=True):
			_show_proposal(session, one, content)


def _show_proposal(session: Session, one: Proposal, content: Content) -> None:
	wrote = "" if one.author == one.proposed_by else f", written by {one.author}"
	st.markdown(f"**{one.version}**")
	st.caption(
		f"Proposed by {one.proposed_by} on {one.proposed_at:%Y-%m-%d %H:%M} UTC{wrote}; "
		f"takes effect on {one.effective_from}."
	)
	changes = list_differences(content, read_content(one))
	if changes:
		show_table(("What changes", "In force", "Proposed"), changes, {1, 2})
	else:
		st.caption("It decides as the one in force does.")
	with st.container(horizontal=True):
		tried = st.button("Try on the last 30 days", key=f"try:{one.id}")
		reason = _find_obstacle(session, one)
		asked = session.may("admin") and st.button(
			"Activate", key=f"activate:{one.id}", type="primary", disabled=bool(reason)
		)
	if reason and session.may("admin"):
		st.caption(reason)
	if asked:
		act(lambda: session.api.activate_policy(one.id), f"{one.version} decides from now on.")
	if tried:
		_try(session, one)
	trial = st.session_state.get(_TRIALS, {}).get(one.id)
	if trial is not None:
		_show_trial(trial)


def _find_obstacle(session: Session, one: Proposal) -> str:
	"""Empty if only the API can tell."""
	person = fold_name(session.person)
	if person and person in {fold_name(one.proposed_by), fold_name(one.author)}:
		return "You proposed or wrote it: another person activates it, with a key of their own."
	if one.effective_from > datetime.now(UTC).date():
		return f"It can be activated from {one.effective_from} on."
	return ""


def _try(session: Session, one: Proposal) -> None:
	try:
		trial = session.api.try_policy(one.id)
	except ApiError as error:
		show_error(error)
		return
	st.session_state.setdefault(_TRIALS, {})[one.id] = trial


def _show_trial(trial: Trial) -> None:
	if not trial.n:
		st.info("There is no decision of the last 30 days to try it on. Score some applications.")
		return
	moved = sum(change.n for change in trial.changes)
	st.markdown(f"**{count(moved)} of {count(trial.n)} decisions** would have been others.")
	before, after = trial.before, trial.after
	rows = [
		(name, count(before.get(name, 0)), count(after.get(name, 0)), signed(after.get(name, 0) - before.get(name, 0), 0))
		for name in ("approve", "refer", "decline")
	]
	npv, new_npv = trial.expected_npv_before, trial.expected_npv_after
	rows.append(("expected NPV, approved", money(npv), money(new_npv), money(new_npv - npv)))
	show_table(("", "Before", "After", "Change"), rows, {1, 2, 3})
	if trial.changes:
		told = [(f"{one.from_} → {one.to}", count(one.n)) for one in trial.changes]
		show_table(("Would have become", "Decisions"), told, {1})
	st.caption(
		"Before: as decided. After: stored PDs and terms, decided by the proposal; nothing is "
		"scored anew. Expected NPV after the change is by the assumptions of the proposal."
	)


def _show_form(session: Session, in_force: ActivePolicy, content: Content) -> None:
	st.caption("It starts from the policy in force. Another person activates it.")
	policy = ask_policy(in_force, content)
	if policy is not None:
		act(
			lambda: session.api.propose_policy(policy, in_force.economics),
			f"{policy['id']} {policy['version']} is proposed. Another person can activate it.",
		)


def _show_way_back(session: Session, book: Policies, leaving: str) -> None:
	before = book.can_roll_back_to
	if before is None:
		return
	if st.button(f"Roll back to {before}", icon=":material/undo:"):
		st.session_state[_ASKED_BACK] = True
	if not st.session_state.get(_ASKED_BACK):
		return
	with st.container(border=True):
		st.warning(f"{before} decides again at once. Decisions made until now keep their policy.")
		with st.container(horizontal=True):
			if st.button("Yes, roll back", type="primary"):
				st.session_state.pop(_ASKED_BACK)
				act(lambda: session.api.roll_policy_back(leaving), f"{before} decides again.")
			if st.button("No, leave it"):
				st.session_state.pop(_ASKED_BACK)
				st.rerun()


def _show_history(book: Policies) -> None:
	past = [one for one in book.items if one.state != "proposed"]
	st.subheader("History", anchor=False)
	rows = [
		(
			one.version,
			one.state,
			one.author,
			one.approved_by or "",
			f"{one.activated_at:%Y-%m-%d %H:%M}" if one.activated_at else "",
			one.digest or "",
		)
		for one in past
	]
	head = ("Version", "State", "Written by", "Approved by", "Activated (UTC)", "Digest")
	show_table(head, rows)
