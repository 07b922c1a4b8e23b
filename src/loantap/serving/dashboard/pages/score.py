"""Score: an application in; decision, reasons, offers and documents out."""

import re
from typing import Any, Final, cast
from uuid import uuid4

import streamlit as st

from loantap.portfolio.amortisation import emi_of_one
from loantap.portfolio.contradictions import CLOSE
from loantap.reporting.formatting import CURRENCY
from loantap.serving.api.service_schemas import FieldOfApplication, Fields
from loantap.serving.dashboard.client import Api, ApiError, Decision
from loantap.serving.dashboard.decision_view import (
	HEADLINES,
	explain_field,
	list_figures,
	show_decision,
	show_papers,
	word_choice,
)
from loantap.serving.dashboard.frame import Page, show_page, show_table

_LOAN: Final = frozenset(
	{
		"application_id",
		"loan_amnt",
		"term",
		"int_rate",
		"installment",
		"grade",
		"sub_grade",
		"issue_d",
		"purpose",
		"title",
		"initial_list_status",
		"application_type",
	}
)
_APPLICANT: Final = frozenset(
	{"emp_title", "emp_length", "home_ownership", "annual_inc", "verification_status", "dti", "address"}
)
_GROUPS: Final = ("Loan", "Applicant", "Credit history")
_WHAT_IF: Final = ("loan_amnt", "int_rate", "annual_inc", "dti")
_INSTALMENT: Final = "installment"
_TERMS: Final = ("loan_amnt", "int_rate", "term")
_COMPUTED: Final = "; left empty, it follows from amount, rate and term"
# By unit; others go by a half.
_STEPS: Final = {"currency": 100.0, "currency per year": 1_000.0, "currency per month": 1.0}
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def show() -> None:
	"""The page."""
	show_page("Score", f"A decision on one application; each is recorded. Amounts are in {CURRENCY}.", _show)


def _show(page: Page) -> None:
	session = page.open("score") if page.model else None
	if session is None:
		return
	schema = session.api.read_schema()
	if st.button("Fill in an example", icon=":material/edit_note:"):
		for one in schema.fields:
			st.session_state[f"field:{one.name}"] = _start_at(one, schema.example.get(one.name))
	# In each run: one that is interrupted may not reach the browser.
	for name in [str(name) for name in st.session_state if str(name).startswith("field:")]:
		st.session_state[name] = st.session_state[name]
	application = _show_form(schema)
	if application is not None:
		# Only the button asks for a new decision.
		st.session_state.pop("what-if", None)
		st.session_state["scored"] = (application, _decide(session.api, application))
	scored = st.session_state.get("scored")
	if scored is not None:
		warning = _doubt_instalment(scored[0])
		if warning:
			st.warning(warning)
		show_decision(scored[1])
		show_papers(schema, *scored)
		_show_what_if(session.api, schema, *scored)


def _decide(api: Api, application: dict[str, Any]) -> Decision:
	made = api.score(application, uuid4().hex)
	try:
		return api.find_decision(made.id)
	except ApiError:
		return made


def _show_form(schema: Fields) -> dict[str, Any] | None:
	asked = [one for one in schema.fields if one.required or one.name == "application_id"]
	given: dict[str, Any] = {}
	with st.form("application"):
		for column, group in zip(st.columns(3), _GROUPS, strict=True):
			with column:
				st.subheader(group, anchor=False)
				for one in asked:
					if _group(one.name) == group:
						given[one.name] = _ask(one)
		if not st.form_submit_button("Decide", type="primary"):
			return None
	if not given["application_id"]:
		del given["application_id"]
	if given.get(_INSTALMENT, "") is None and None not in [given.get(name) for name in _TERMS]:
		given[_INSTALMENT] = _find_instalment(given)
	return given


def _group(name: str) -> str:
	if name in _LOAN:
		return "Loan"
	return "Applicant" if name in _APPLICANT else "Credit history"


def _ask(one: FieldOfApplication) -> Any:
	key = f"field:{one.name}"
	start = _start_at(one, None if one.name == "application_id" else one.example)
	# In each run: one that is interrupted may not reach the browser.
	st.session_state[key] = st.session_state.get(key, start)
	label, said = one.label, explain_field(one, _COMPUTED if one.name == _INSTALMENT else "")
	if one.values:
		return st.selectbox(
			label, one.values, key=key, help=said, index=None, format_func=lambda choice: word_choice(one, choice)
		)
	if one.kind == "integer":
		low, high = (None if end is None else int(end) for end in (one.minimum, one.maximum))
		return st.number_input(label, low, high, None, step=1, key=key, help=said)
	if one.kind == "number":
		return st.number_input(
			label, one.minimum, one.maximum, None, key=key, help=said, format="%.10g", step=_STEPS.get(one.unit, 0.5)
		)
	return st.text_input(label, key=key, help=said, max_chars=100)


def _start_at(one: FieldOfApplication, value: Any) -> Any:
	if one.values:
		return _choose(one.values, value)
	if one.kind == "integer":
		return None if value is None else int(value)
	if one.kind == "number":
		return None if value is None else float(value)
	return "" if value is None else str(value)


def _choose(values: list[str | float], value: Any) -> str | float | None:
	"""Source files say `4 years`; None where it is no choice."""
	if value in values:
		return cast("str | float", value)
	number = _NUMBER.match(str(value))
	return float(number[0]) if number and float(number[0]) in values else None


def _show_what_if(api: Api, schema: Fields, application: dict[str, Any], decision: Decision) -> None:
	st.subheader("What if", anchor=False)
	st.caption("Move what could be otherwise. It is recorded as a decision of its own.")
	changed = dict(application)
	with st.form("what-if-form"):
		for one in schema.fields:
			value = application.get(one.name)
			if one.name in _WHAT_IF and isinstance(value, int | float):
				low = float(max(one.minimum or 0.0, value * 0.5))
				high = float(min(one.maximum or value * 2, max(value * 2, 1.0)))
				changed[one.name] = st.slider(
					one.label,
					low,
					max(high, low + 1),
					float(value),
					format="localized",
					step=_STEPS.get(one.unit, 0.5),
					key=f"what-if:{decision.id}:{one.name}",
				)
		if st.form_submit_button("Decide what if"):
			# A what-if is not the applicant's.
			changed.pop("application_id", None)
			changed[_INSTALMENT] = _find_instalment(changed)
			st.session_state["what-if"] = api.score(changed, uuid4().hex)
	other = st.session_state.get("what-if")
	if other is not None:
		_compare(decision, other)


def _compare(decision: Decision, other: Decision) -> None:
	outcomes = [HEADLINES[one.decision] for one in (decision, other)]
	rows = [("Decision", *outcomes)]
	rows += [
		(before[0], before[1], after[1]) for before, after in zip(list_figures(decision), list_figures(other), strict=True)
	]
	show_table(("", "As it is", "What if"), rows, {1, 2})
	st.caption(f"Recorded as `{other.id}`.")


def _doubt_instalment(application: dict[str, Any]) -> str:
	"""A slip, or a part-funded loan."""
	names = (*_TERMS, _INSTALMENT)
	if any(application.get(name) is None for name in names):
		return ""
	amount, rate, months, instalment = (float(application[name]) for name in names)
	follows = _find_instalment(application)
	if abs(instalment / follows - 1) <= CLOSE:
		return ""
	return (
		f"**The monthly instalment of {instalment:,.2f} does not follow from its terms:** "
		f"{amount:,.10g} at {rate:g}% over {months:g} months make {follows:,.2f}. It was decided "
		"as given. If it is a slip, correct it, or leave it empty, and decide again."
	)


def _find_instalment(application: dict[str, Any]) -> float:
	"""The old one would contradict these terms."""
	return round(emi_of_one(*(float(application[name]) for name in _TERMS)), 2)
