"""An application and its decision, on the screen and on paper: the decision sheet, the letter to the applicant."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any, Final

import streamlit as st

from loantap.reporting.formatting import (
	CURRENCY,
	NOTHING,
	capitalize_first,
	count,
	decimal,
	money,
	name_category,
	percent,
	signed,
)
from loantap.serving.api.schemas import Contribution, Event, Offer
from loantap.serving.api.service_schemas import FieldOfApplication, Fields
from loantap.serving.cases.case import QueuedCase, Reason
from loantap.serving.dashboard.client import Api, Decision
from loantap.serving.dashboard.frame import show_figures, show_table

HEADLINES: Final = {"approve": "Approve", "refer": "Refer to a person", "decline": "Decline"}
# Steps of the waterfall, and points below which they are told together.
_LARGEST: Final = 10
_SMALL: Final = 0.05


def show_decision(decision: Decision) -> None:
	"""All that is known of a decision, the most important first."""
	st.html(
		f'<div class="lt-outcome {decision.decision}"><h2>{HEADLINES[decision.decision]}</h2>'
		f"<span>{decision.at:%Y-%m-%d %H:%M} UTC, recorded as {escape(decision.id)}</span></div>"
	)
	show_figures(
		*list_figures(decision),
		("Policy", decision.policy.version, f"model {decision.model.name} {decision.model.version}"),
	)
	show_reasons(decision.decision, decision.reasons)
	if decision.contributions:
		st.subheader("What moved the score", anchor=False)
		st.html(write_waterfall(decision.base_points or 0.0, decision.contributions, decision.score))
		st.caption(
			"In points, largest first: ▲ raises the score, ▼ lowers it. 50 points more double the "
			"odds that the loan is paid back."
		)
	if decision.offers or decision.no_offers:
		st.subheader("Offers side by side", anchor=False)
	if decision.offers:
		cards = "".join(_write_offer(one) for one in decision.offers)
		st.html(f'<div class="lt-offers">{cards}</div>')
	if decision.no_offers:
		st.info(f"**No offers can be made.** {decision.no_offers} The decision stands without.")


def list_figures(decision: Decision | QueuedCase) -> list[tuple[str, str, str]]:
	"""PD, score and expected NPV, with what a reader must know of each."""
	npv = decision.expected_npv
	return [
		("Probability of default", percent(decision.probability_of_default), "over the life of the loan"),
		("Score", count(decision.score), "300 to 900, more is safer"),
		("Expected NPV", NOTHING if npv is None else money(npv), f"in {CURRENCY}, over the life of the loan"),
	]


def show_reasons(decision: str, reasons: list[str]) -> None:
	"""Why, as a list."""
	if not reasons:
		return
	decided = "" if decision == "approve" else "What decided, and "
	heading = f"{decided}what counts most against the applicant"
	listed = "\n".join(f"- {capitalize_first(reason)}" for reason in reasons)
	st.markdown(f"**{capitalize_first(heading)}**\n\n{listed}")


def _write_offer(one: Offer) -> str:
	term = NOTHING if one.term_months is None else f"{one.term_months} months"
	rate = NOTHING if one.rate_pct is None else f"{one.rate_pct:.2f}% a year"
	npv = NOTHING if one.expected_npv is None else money(one.expected_npv)
	figures = [
		("Amount", count(one.amount)),
		("Term", term),
		("Rate", rate),
		("Instalment a month", decimal(one.instalment, 2)),
		("Probability of default", percent(one.probability_of_default)),
		("Expected NPV", npv),
		("Decision", one.decision),
	]
	listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in figures)
	title = escape(capitalize_first(one.kind))
	told = f"<dl>{listed}</dl>" if one.amount is not None else ""
	return f'<div class="lt-offer"><h4>{title}</h4>{told}<p>{escape(one.reason)}</p></div>'


def list_steps(contributions: Sequence[Contribution]) -> list[tuple[str, float]]:
	"""Facts and points, largest first; one fact's features, and small facts, together."""
	points: dict[str, float] = {}
	for one in contributions:
		points[one.label] = points.get(one.label, 0.0) + one.points
	ordered = sorted(points.items(), key=lambda step: -abs(step[1]))
	shown = [step for step in ordered[:_LARGEST] if abs(step[1]) >= _SMALL]
	rest = sum(step[1] for step in ordered[len(shown) :])
	return [*shown, ("all others", rest)] if abs(rest) >= _SMALL else shown


def write_waterfall(base: float, contributions: Sequence[Contribution], score: int) -> str:
	"""A table from every loan's base points to the score, with bars; it reads as text, too."""
	steps = list_steps(contributions)
	ends = [*accumulate((points for _, points in steps), initial=base)]
	low = min(ends)
	width = max(ends) - low or 1.0
	rows = [_write_row("Where every loan starts", decimal(base, 1))]
	for (label, points), start in zip(steps, ends, strict=False):
		left = 100 * (min(start, start + points) - low) / width
		way, mark = ("up", "▲") if points > 0 else ("down", "▼")
		place = f"left:{left:.2f}%;width:{100 * abs(points) / width:.2f}%"
		bar = f'<i class="{way}" style="{place}"></i>'
		rows.append(_write_row(capitalize_first(label), f"{mark} {signed(points)}", bar))
	rows.append(_write_row("Score", str(score)))
	return f'<table class="lt-waterfall">{"".join(rows)}</table>'


def _write_row(label: str, points: str, bar: str = "") -> str:
	cells = f"<th scope=row>{escape(label)}</th><td class=num>{points}</td>"
	return f"<tr>{cells}<td>{bar}</td></tr>"


def explain_field(one: FieldOfApplication, more: str = "") -> str:
	"""A field's meaning, unit, further remarks, and name in files."""
	unit = f", in {one.unit}" if one.unit else ""
	return f"{one.meaning}{unit}{more}. In files: `{one.name}`"


def word_choice(one: FieldOfApplication, value: str | float) -> str:
	"""A choice as people read it; the API is sent the value itself."""
	return name_category(value) if isinstance(value, str) else f"{value:g} {one.unit}".strip()


def _list_values(schema: Fields, given: Mapping[str, Any]) -> list[tuple[str, str]]:
	return [(one.label, _word(one, given[one.name])) for one in schema.fields if one.name in given]


def show_application(api: Api, given: Mapping[str, Any]) -> None:
	"""The fields of an application as a table, folded."""
	with st.expander("Application"):
		show_table(("Field", "Value"), _list_values(api.read_schema(), given), {1})


def _word(one: FieldOfApplication, value: object) -> str:
	if value is None:
		return "not known"
	if isinstance(value, int | float):
		return f"{value:,.10g}"
	return name_category(str(value)) if one.kind == "category" else str(value)


_STYLE: Final = (
	"@page{size:A4;margin:18mm}body{font:10pt/1.4 system-ui,sans-serif;max-width:174mm;"
	"margin:2rem auto;padding:0 1rem;color:#111;background:#fff}"
	"@media print{body{margin:0;padding:0}}h1{font-size:15pt;margin:8pt 0}"
	"h2{font-size:11pt;margin:10pt 0 3pt}table{border-collapse:collapse;width:100%}"
	"td,th{border-bottom:1px solid #bbb;padding:2px 6px;text-align:left;font-weight:400}"
	"th{width:62%;color:#444}"
	".letter{font-size:11pt}"
	".simulated{border:2px solid #a00;padding:4px 8px;font-weight:700}"
)
_OUTCOMES: Final = {
	"approve": "We are glad to tell you that your application can be approved.",
	"refer": "A colleague will look at your application. You hear from us when they have decided.",
	"decline": "We are sorry that we cannot offer you this loan.",
}
# For applicants: notes and suspicions stay in the house.
_FACTS: Final[dict[str, str]] = {
	Reason.INCOME_NOT_CONFIRMED: "We could not confirm the income.",
	Reason.EMPLOYMENT_NOT_CONFIRMED: "We could not confirm the employment.",
	Reason.TOO_MUCH_DEBT: "There is too much other debt.",
	Reason.SUSPECTED_FRAUD: "We could not confirm what the application says.",
}
_REASONS: Final = {"refer": "What they will look at:", "decline": "What weighed most:"}
_ENDS: Final = {
	"decline": "You may ask us to look at this decision again, and tell us what we should know.",
	"refer": "If there is something that we should know, please tell us.",
}


def show_papers(schema: Fields, application: Mapping[str, Any], decision: Decision) -> None:
	"""Buttons to download both."""
	sheet = write_sheet(_list_values(schema, application), decision)
	papers = ("Decision sheet", "sheet", sheet), ("Letter to the applicant", "letter", write_letter(decision))
	for place, (label, name, text) in zip(st.columns(2), papers, strict=True):
		place.download_button(label, text, f"{decision.id}-{name}.html", "text/html", on_click="ignore", width="stretch")


def write_sheet(application: Sequence[tuple[str, str]], decision: Decision) -> str:
	"""The decision with the application's fields and values, as HTML for A4."""
	figures = [
		*_list_of_person(decision.by_person),
		("Decision of model and policy", HEADLINES[decision.decision]),
		("Decision id", decision.id),
		("Application", decision.application_id or "none"),
		("Time", f"{decision.at:%Y-%m-%d %H:%M:%S} UTC"),
		("Probability of default, over the life of the loan", _show(decision.probability_of_default, ".2%")),
		("Score, 300 to 900, more is safer", _show(decision.score, "d")),
		(f"Expected NPV, in {CURRENCY}, over the life of the loan", _show(decision.expected_npv, "+,.2f")),
		("Model", f"{decision.model.name} {decision.model.version}"),
		("Policy", f"{decision.policy.version} ({decision.policy.digest})"),
	]
	body = (
		f"<h1>Decision sheet</h1>{_write_rows(figures)}<h2>Reasons</h2>"
		f"{_write_reasons(decision.reasons)}<h2>Application</h2>{_write_rows(application)}"
	)
	return _write_page("Decision sheet", body, is_simulated=decision.simulated)


def write_letter(decision: Decision) -> str:
	"""The letter to the applicant: outcome and reasons, without model, person and note."""
	last = decision.by_person
	outcome = decision.decision if last is None else str(last.public["decision"])
	given = decision.reasons if last is None else _word_reasons(decision, last)
	told, end = _OUTCOMES.get(outcome, ""), _ENDS.get(outcome, "")
	if last and last.public == {"decision": "decline", "reason": Reason.WITHDRAWN}:
		told, end, given = "As you asked, we do not go on with your application.", "", []
	reasons = ""
	if outcome in _REASONS and given:
		reasons = f"<p>{_REASONS[outcome]}</p>{_write_reasons(given)}"
	named = escape(decision.application_id or decision.id)
	body = (
		f'<div class="letter"><p><b>LoanTap</b></p><p>{(last or decision).at:%d %B %Y}</p>'
		f"<p><b>Your application {named}</b></p><p>Dear applicant,</p>"
		f"<p>{told}</p>{reasons}"
		f"<p>{end} Please name {named} when you write to us.</p>"
		"<p>Yours sincerely</p><p><br></p><p>LoanTap</p></div>"
	)
	return _write_page("Your application", body, is_simulated=decision.simulated)


def _list_of_person(last: Event | None) -> list[tuple[str, str]]:
	if last is None:
		return []
	outcome, reason = str(last.public["decision"]), str(last.public["reason"])
	return [
		("Decision", HEADLINES[outcome]),
		("Decided by", last.person),
		("Reason", reason),
		("Decided at", f"{last.at:%Y-%m-%d %H:%M:%S} UTC"),
	]


def _word_reasons(decision: Decision, last: Event) -> list[str]:
	"""A referred decision's first reason is only why a person had to decide."""
	fact = _FACTS.get(str(last.public["reason"]))
	return [fact] if fact else decision.reasons[1:]


def _show(value: float | None, form: str) -> str:
	return "none" if value is None else format(value, form)


def _write_page(title: str, body: str, *, is_simulated: bool) -> str:
	banner = '<p class="simulated">SIMULATED: not for real borrowers</p>' if is_simulated else ""
	return (
		f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
		f"<style>{_STYLE}</style><body>{banner}{body}</body></html>"
	)


def _write_rows(rows: Sequence[tuple[str, str]]) -> str:
	cells = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
	return f"<table>{''.join(cells)}</table>"


def _write_reasons(reasons: list[str]) -> str:
	return f"<ul>{''.join(f'<li>{escape(capitalize_first(reason))}</li>' for reason in reasons)}</ul>"
