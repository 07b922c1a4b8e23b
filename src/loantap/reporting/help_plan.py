"""A plan of help in one short line."""

from collections.abc import Mapping
from typing import Any

from loantap.reporting.formatting import capitalize_first, count


def word_plan(plan: Mapping[Any, Any]) -> str:
  """What to do and what it costs and avoids; of none, why."""
  cost, action = round(plan["cost"]), plan["action"]
  if action == "none":
    return str(plan["why"])
  what = {"reminder": "Remind", "counselling": "Counsel"}.get(action, "")
  if action == "due_date_shift":
    what = f"Move the due date by {_count(plan['shift_days'], 'day')}"
  if action in ("term_extension", "step_up"):
    more = plan["months_left_new"] - plan["months_left"]
    # Who has paid ahead may need no more months, only instalments of what is left.
    longer = f"extend by {_count(more, 'month')}" if more else "re-spread the rest"
    what = capitalize_first(longer) if action == "term_extension" else f"Step up, {longer}"
    what += f": EMI {count(plan['emi_now'])} to {count(plan['emi_new'])}"
  if action == "step_up":
    what += f", {count(plan['emi_later'])} after {plan['step_months']:.0f} months"
  return f"{what}; {'costs' if cost >= 0 else 'gains'} {count(abs(cost))}, avoids {count(plan['loss_avoided'])}"


def _count(of: int, unit: str) -> str:
  return f"{of} {unit}{'' if of == 1 else 's'}"
