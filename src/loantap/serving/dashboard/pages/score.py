"""Score: an application in, a decision with its reasons, offers and documents out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, cast
from uuid import uuid4

import altair as alt
import pandas as pd
import streamlit as st

from loantap.portfolio.amortisation import emi_of_one
from loantap.reporting.charts.frame import dress_chart
from loantap.serving.dashboard.answers import ApplicationSchema, Decision, FormField
from loantap.serving.dashboard.client import Api
from loantap.serving.dashboard.documents import write_letter, write_sheet
from loantap.serving.dashboard.frame import Page, show_chart, show_figures, show_page, show_table
from loantap.serving.dashboard.messages import tell_missing_right

_LOAN: Final = frozenset(
    {"application_id", "loan_amnt", "term", "int_rate", "installment", "grade", "sub_grade",
     "issue_d", "purpose", "title", "initial_list_status", "application_type"}
)  # fmt: skip
_APPLICANT: Final = frozenset(
    {"emp_title", "emp_length", "home_ownership", "annual_inc", "verification_status", "dti",
     "address"}
)  # fmt: skip
_GROUPS: Final = ("Loan", "Applicant", "Credit history")
_WHAT_IF: Final = ("loan_amnt", "int_rate", "annual_inc", "dti")
_HEADLINES: Final = {"approve": "Approve", "refer": "Refer to a person", "decline": "Decline"}
_LARGEST_BARS: Final = 12
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


def show() -> None:
    """The page."""
    show_page("Score", "A decision on one application; each is recorded.", _show)


def _show(page: Page) -> None:
    session = page.session
    if session is None or page.model is None:
        return
    if not session.may("score"):
        st.info(tell_missing_right("score"))
        return
    schema = session.api.read_schema()
    if st.button("Fill in an example", icon=":material/edit_note:"):
        for one in schema.fields:
            st.session_state[f"field:{one.name}"] = _start_at(one, schema.example.get(one.name))
    # Again in each run: what one has set never reaches the browser if another interrupts it.
    for name in [str(name) for name in st.session_state if str(name).startswith("field:")]:
        st.session_state[name] = st.session_state[name]
    application = _show_form(schema)
    if application is not None:
        # Shown again on each rerun; only a press of the button asks for a new decision.
        st.session_state.pop("what-if", None)
        st.session_state["scored"] = (application, _decide(session.api, application))
    scored = st.session_state.get("scored")
    if scored is not None:
        _show_decision(*scored)
        _show_what_if(session.api, schema, *scored)


def _decide(api: Api, application: dict[str, Any]) -> Decision:
    """A decision, with its points where the key may read."""
    made = api.score(application, uuid4().hex)
    kept = api.find_decision(made.id)
    return made.model_copy(
        update={"contributions": kept.contributions, "base_points": kept.base_points}
    )


def _show_form(schema: ApplicationSchema) -> dict[str, Any] | None:
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
    return {name: value for name, value in given.items() if not _is_left_out(name, value)}


def _is_left_out(name: str, value: object) -> bool:
    return name == "application_id" and not value


def _group(name: str) -> str:
    if name in _LOAN:
        return "Loan"
    return "Applicant" if name in _APPLICANT else "Credit history"


def _ask(one: FormField) -> Any:
    """A widget for a field, within its limits; it begins at the field's example."""
    key = f"field:{one.name}"
    if key not in st.session_state:
        start = None if one.name == "application_id" else one.example
        st.session_state[key] = _start_at(one, start)
    label = f"{one.meaning} ({one.unit})" if one.unit else one.meaning
    if one.values:
        return st.selectbox(
            label, one.values, key=key, help=one.name, index=None, format_func=_show_choice
        )
    if one.kind == "integer":
        low, high = (None if end is None else int(end) for end in (one.minimum, one.maximum))
        return st.number_input(label, low, high, step=1, key=key, help=one.name)
    if one.kind == "number":
        return st.number_input(label, one.minimum, one.maximum, key=key, help=one.name)
    return st.text_input(label, key=key, help=one.name, max_chars=100)


def _show_choice(choice: str | float) -> str:
    return choice if isinstance(choice, str) else f"{choice:g}"


def _start_at(one: FormField, value: Any) -> Any:
    if one.values:
        return _choose(one.values, value)
    if one.kind == "integer":
        return None if value is None else int(value)
    if one.kind == "number":
        return None if value is None else float(value)
    return "" if value is None else str(value)


def _choose(values: list[str | float], value: Any) -> str | float | None:
    """The choice that a value means; None where it is none of them, so that nothing is guessed.

    A source file writes numbers with their unit, such as `4 years`.
    """
    if value in values:
        return cast("str | float", value)
    number = _NUMBER.match(str(value))
    return float(number[0]) if number and float(number[0]) in values else None


def _show_decision(application: dict[str, Any], decision: Decision) -> None:
    st.header(_HEADLINES.get(decision.decision, decision.decision), anchor=False)
    show_figures(*_list_figures(decision))
    for reason in decision.reasons:
        st.markdown(f"- {reason}")
    if decision.contributions:
        show_chart(draw_waterfall(decision), "Points that each feature adds to the score")
    if decision.offers:
        st.subheader("Offers side by side", anchor=False)
        show_table(*_list_offers(decision))
    left, right = st.columns(2)
    left.download_button(
        "Decision sheet", write_sheet(application, decision), f"{decision.id}-sheet.html",
        "text/html", on_click="ignore", width="stretch",
    )  # fmt: skip
    right.download_button(
        "Letter to the applicant", write_letter(decision), f"{decision.id}-letter.html",
        "text/html", on_click="ignore", width="stretch",
    )  # fmt: skip


def _list_figures(decision: Decision) -> list[tuple[str, str, str]]:
    pd_, npv = decision.probability_of_default, decision.expected_npv
    return [
        ("Probability of default", "none" if pd_ is None else f"{pd_:.1%}", ""),
        ("Score", "none" if decision.score is None else str(decision.score), ""),
        ("Expected NPV", "none" if npv is None else f"{npv:,.0f}", "over the loan's life"),
        ("Policy", decision.policy.version, f"model version {decision.model.version}"),
    ]


def _list_offers(
    decision: Decision,
) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]], frozenset[int]]:
    head = ("Offer", "Amount", "Term", "Rate %", "Instalment", "PD", "Expected NPV", "Decision")
    rows = [
        (
            one.kind,
            _show_number(one.amount, ",.0f"),
            _show_number(one.term_months, "d"),
            _show_number(one.rate_pct, ".2f"),
            _show_number(one.instalment, ",.2f"),
            _show_number(one.probability_of_default, ".1%"),
            _show_number(one.expected_npv, ",.0f"),
            one.decision if not one.reason else f"{one.decision}: {one.reason}",
        )
        for one in decision.offers
    ]
    return head, rows, frozenset(range(1, 7))


def _show_number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def draw_waterfall(decision: Decision) -> alt.LayerChart:
    """Points from the base to the score, largest first; the small ones together."""
    ordered = sorted(decision.contributions, key=lambda one: -abs(one.points))
    named = [(one.label, one.points) for one in ordered[:_LARGEST_BARS]]
    rest = sum(one.points for one in ordered[_LARGEST_BARS:])
    if len(ordered) > _LARGEST_BARS:
        named.append(("All others", rest))
    bars, at = [], decision.base_points or 0.0
    for label, points in named:
        effect = "raises" if points >= 0 else "lowers"
        bars.append({"feature": label, "from": at, "to": at + points, "points": points,
                     "effect": effect})  # fmt: skip
        at += points
    base = alt.Chart(pd.DataFrame(bars)).encode(
        y=alt.Y("feature:N", sort=None, title=None, axis=alt.Axis(labelLimit=160))
    )
    drawn = base.mark_bar().encode(
        x=alt.X("from:Q", scale=alt.Scale(zero=False), title="score"),
        x2="to:Q",
        color=alt.condition(
            "datum.points >= 0", alt.value("var(--below)"), alt.value("var(--warn-line)")
        ),
        tooltip=["feature:N", alt.Tooltip("points:Q", format="+.1f"), "effect:N"],
    )
    return dress_chart([drawn], height=26 * max(len(bars), 3))


def _show_what_if(
    api: Api, schema: ApplicationSchema, application: dict[str, Any], decision: Decision
) -> None:
    st.subheader("What if", anchor=False)
    st.caption("What if: recorded as a decision of its own.")
    changed = dict(application)
    with st.form("what-if-form"):
        for one in schema.fields:
            value = application.get(one.name)
            if one.name in _WHAT_IF and isinstance(value, int | float):
                low = float(max(one.minimum or 0.0, value * 0.5))
                high = float(min(one.maximum or value * 2, max(value * 2, 1.0)))
                changed[one.name] = st.slider(
                    one.meaning, low, max(high, low + 1), float(value),
                    key=f"what-if:{decision.id}:{one.name}",
                )  # fmt: skip
        if st.form_submit_button("Decide what if"):
            # A what-if is no application of the applicant's.
            changed.pop("application_id", None)
            changed["installment"] = _find_instalment(changed)
            st.session_state["what-if"] = api.score(changed, uuid4().hex)
    other = st.session_state.get("what-if")
    if other is not None:
        st.markdown(f"**{_HEADLINES.get(other.decision, other.decision)}** (`{other.id}`)")
        show_figures(*_list_figures(other))


def _find_instalment(application: dict[str, Any]) -> float:
    """The instalment of these terms; the old one would contradict them."""
    terms = (float(application[name]) for name in ("loan_amnt", "int_rate", "term"))
    return round(emi_of_one(*terms), 2)
