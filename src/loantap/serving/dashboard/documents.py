"""Papers to print: the decision sheet, and the letter to the applicant."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from loantap.reporting.formatting import CURRENCY, capitalize_first
from loantap.serving.api.schemas import Event
from loantap.serving.api.service_schemas import Fields
from loantap.serving.cases.case import Reason
from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.decision_view import HEADLINES, list_values

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
_WITHDRAWN: Final = "As you asked, we do not go on with your application."
_REASONS: Final = {"refer": "What they will look at:", "decline": "What weighed most:"}
_ENDS: Final = {
  "decline": "You may ask us to look at this decision again, and tell us what we should know.",
  "refer": "If there is something that we should know, please tell us.",
}


def show_papers(schema: Fields, application: Mapping[str, Any], decision: Decision) -> None:
  """Buttons to download both."""
  sheet = write_sheet(list_values(schema, application), decision)
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
    told, end, given = _WITHDRAWN, "", []
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
  """What a person named, or what counts most against the applicant.

  A referred decision's first reason is only why a person had to decide.
  """
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
