"""A plan of help in one short line."""

from collections.abc import Mapping
from typing import Any

from loantap.reporting.formatting import count

_WORDS = {"reminder": "Remind", "counselling": "Counsel"}


def word_plan(plan: Mapping[Any, Any]) -> str:
    """What to do and what it costs and avoids, from a row of the plans; of none, why.

    >>> word_plan({"action": "term_extension", "months_left": 20, "months_left_new": 32, "emi_now": 412.2,
    ...            "emi_new": 330.9, "cost": 210.0, "loss_avoided": 640.0})
    'Extend by 12 months: EMI 412 to 331; costs 210, avoids 640'
    """
    cost, action = round(plan["cost"]), plan["action"]
    money = f"{'costs' if cost >= 0 else 'gains'} {count(abs(cost))}, avoids {count(plan['loss_avoided'])}"
    if action == "none":
        return str(plan["why"])
    if action in _WORDS:
        return f"{_WORDS[action]}; {money}"
    if action == "due_date_shift":
        return f"Move the due date by {_number(plan['shift_days'], 'day')}; {money}"
    more = plan["months_left_new"] - plan["months_left"]
    what = f"Extend by {_number(more, 'month')}" if more else "Spread what is owed anew"
    then = ""
    if action == "step_up":
        what = f"Step up, {_number(more, 'month')} longer" if more else "Step up"
        then = f", {count(plan['emi_later'])} after {plan['step_months']:.0f} months"
    return f"{what}: EMI {count(plan['emi_now'])} to {count(plan['emi_new'])}{then}; {money}"


def _number(of: int, unit: str) -> str:
    return f"{of} {unit}{'' if of == 1 else 's'}"
