"""Papers to print: the decision sheet for the file, and the letter to the applicant."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from loantap.serving.dashboard.answers import Decision

_STYLE: Final = (
    "@page{size:A4;margin:20mm}body{font:11pt/1.45 system-ui,sans-serif;max-width:170mm;"
    "margin:2rem auto;padding:0 1rem;color:#111;background:#fff}table{border-collapse:collapse;"
    "width:100%}td,th{border-bottom:1px solid #bbb;padding:3px 6px;text-align:left}"
    ".simulated{border:2px solid #a00;padding:4px 8px;font-weight:700}"
)
_OUTCOMES: Final = {
    "approve": "We are glad to tell you that your application can be approved.",
    "refer": "A colleague will look at your application. You hear from us when they have decided.",
    "decline": "We are sorry that we cannot offer you this loan.",
}


def write_sheet(application: Mapping[str, Any], decision: Decision) -> str:
    """The decision with its figures, reasons and input, as one HTML file for A4 paper."""
    figures = [
        ("Decision", decision.decision), ("Decision id", decision.id),
        ("Time", f"{decision.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Probability of default", _show(decision.probability_of_default, ".2%")),
        ("Score", _show(decision.score, "d")),
        ("Expected NPV", _show(decision.expected_npv, ",.2f")),
        ("Model", f"{decision.model.name} {decision.model.version}"),
        ("Policy", f"{decision.policy.version} ({decision.policy.digest})"),
    ]  # fmt: skip
    given = [(name, "" if value is None else str(value)) for name, value in application.items()]
    body = (
        f"<h1>Decision sheet</h1>{_write_rows(figures)}<h2>Reasons</h2>"
        f"{_write_reasons(decision.reasons)}<h2>Application</h2>{_write_rows(given)}"
    )
    return _write_page("Decision sheet", body, is_simulated=decision.simulated)


def write_letter(decision: Decision) -> str:
    """The letter to the applicant: outcome and reasons, nothing of the model."""
    reasons = ""
    if decision.decision != "approve" and decision.reasons:
        reasons = f"<p>What weighed most:</p>{_write_reasons(decision.reasons)}"
    named = decision.application_id or decision.id
    body = (
        f"<p>{decision.at:%d %B %Y}</p><p>Your application {escape(named)}</p>"
        f"<p>Dear applicant,</p><p>{_OUTCOMES.get(decision.decision, '')}</p>{reasons}"
        "<p>You may ask us to look at this decision again, and tell us what we should know. "
        f"Please name {escape(named)}.</p><p>Yours sincerely</p>"
    )
    return _write_page("Your application", body, is_simulated=decision.simulated)


def _show(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)


def _write_page(title: str, body: str, *, is_simulated: bool) -> str:
    banner = '<p class="simulated">SIMULATED: not for real borrowers</p>' if is_simulated else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><body>{banner}{body}</body></html>"
    )


def _write_rows(rows: list[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _write_reasons(reasons: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(reason)}</li>' for reason in reasons)}</ul>"
