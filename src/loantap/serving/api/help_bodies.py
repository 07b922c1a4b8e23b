"""What is offered to a borrower, as a request says it."""

import math
from collections.abc import Mapping
from typing import Any, Final

from loantap.portfolio.dictionary import REAL
from loantap.serving.api.bodies import LONGEST_NOTE, read_note, read_one_of, require_fields
from loantap.serving.api.problems import refuse
from loantap.serving.help.offer import NEEDED, TERMS, Proposal
from loantap.serving.watch.watchlist import WatchedLoan
from loantap.surveillance.help.actions import Action

_FIELDS: Final = frozenset({"action", "terms", "note"})
# What the list said of the loan, kept beside the terms so that outcomes can be learnt from.
_KEPT: Final = ("as_of_month", "queue", "level", "days_past_due", "outstanding_balance", "pd_12m", "expected_loss")
OFFER_BODY: Final = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": list(NEEDED)},
        "terms": {
            "type": ["object", "null"],
            "description": "Left out: those of the plan. "
            + "; ".join(f"{action}: {', '.join(names) or 'none'}" for action, names in NEEDED.items()),
            "properties": {
                name: {
                    "type": "integer" if term.is_whole else "number", "description": term.label,
                    "minimum": term.low, "maximum": term.high,
                }
                for name, term in TERMS.items()
            },
            "additionalProperties": False,
        },
        "note": {"type": ["string", "null"], "maxLength": LONGEST_NOTE,
                 "description": "Why, where it is not the plan"},
    },
    "required": ["action"],
    "additionalProperties": False,
}  # fmt: skip


def read_proposal(body: dict[str, Any], loan: WatchedLoan) -> Proposal:
    """What a body offers for a loan: the plan's action at its terms, or anything else with a note."""
    require_fields(body, _FIELDS)
    action = Action(read_one_of(body, "action", NEEDED))
    plan, given = loan.plan or {}, body.get("terms")
    by_plan = given is None and plan.get("action") == action
    note = read_note(body)
    if not by_plan and not note.strip():
        refuse("invalid-body", f"What is offered is not the plan ({plan.get('action', 'there is none')}).", "note",
               "missing", "Say in a note why something else is offered")  # fmt: skip
    facts = loan.facts
    public = {
        "by_plan": by_plan,
        "terms": _read_terms(plan if by_plan else {} if given is None else given, action, is_whole_body=not by_plan),
        "planned": plan.get("action"),
        **{name: plan.get(name) for name in ("emi_now", "months_left", "cost", "loss_avoided")},
        **{name: facts[name] for name in _KEPT},
    }
    is_simulated = facts["origin"] != REAL or facts["events_origin"] != REAL
    return Proposal(facts["loan_id"], action, is_simulated, public, facts["reason"], note)


def _read_terms(given: Any, action: Action, *, is_whole_body: bool) -> dict[str, float]:
    needed = NEEDED[action]
    if not isinstance(given, Mapping):
        refuse("invalid-body", "The terms cannot be used.", "terms", "no object", "Give an object, or leave it out")
    if is_whole_body:
        require_fields(given, needed, "terms.")
    return {name: _read_term(name, given.get(name), action) for name in needed}


def _read_term(name: str, value: Any, action: Action) -> float:
    term = TERMS[name]
    # A whole number of JSON may be larger than any float.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = float(max(-1, min(value, 1e9))) if is_number else math.nan
    if not term.low <= number <= term.high or (term.is_whole and number % 1):
        kind = "whole number" if term.is_whole else "number"
        refuse("invalid-body", f"The terms of {action} cannot be used.", f"terms.{name}",
               f"no {kind} from {term.low:g} to {term.high:,g}", f"Give one: {term.label}")  # fmt: skip
    return number
