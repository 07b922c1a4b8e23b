"""Why an action fits, in one sentence."""

from collections.abc import Hashable, Mapping
from typing import Any

from loantap.surveillance.help.actions import Action
from loantap.surveillance.help.options import HelpOptions

_Row = Mapping[Hashable, Any]


def word_why(row: _Row, options: HelpOptions, default_days: int) -> str:
    """One sentence from a plan and its figures; `rule` is the action before costs were weighed."""
    limits, action = options.limits, row["action"]
    burden = (
        f"EMI {row['emi_now'] / row['income']:.1%} of income (cap {limits.max_instalment_share:.0%}), "
        f"DTI {row['dti_now']:.1f}% (cap {limits.max_dti_pct:g}%)"
    )
    if action == Action.TERM_EXTENSION:
        share, dti = row["emi_new"] / row["income"], row["dti_new"]
        return f"Above a cap: {burden}; over {row['months_left_new']} months {share:.1%} of income, DTI {dti:.1f}%."
    if action == Action.STEP_UP:
        return (
            f"Above a cap, even over more months: {burden}; {row['emi_new']:,.0f} is within the caps, and so is "
            f"{row['emi_later']:,.0f} after {row['step_months']:.0f} months if income grows by "
            f"{options.income_growth_pct:g}% a year."
        )
    if action == Action.NONE:
        return f"No feasible plan: {_word_obstacle(row, burden, default_days)}."
    if action == Action.DUE_DATE_SHIFT:
        seen = f"Late in {row['late_months']} of the last 6 months, by at most {row['max_dpd_6m']:.0f} days"
    else:
        overdue = f"{row['days_past_due']:.0f} days past due" if row["days_past_due"] > 0 else "Nothing is overdue now"
        seen = f"{overdue}, listed for {'arrears alone' if row['is_arrears_alone'] else 'DTI, utilisation or PD'}"
    is_known = row["income"] > 0
    return f"{seen}; {burden if is_known else 'income or DTI is not known, so that no cap can be checked'}."


def _word_obstacle(row: _Row, burden: str, default_days: int) -> str:
    if row["days_past_due"] >= default_days:
        return "in default, recoveries deal with it"
    if row["rule"] != Action.NONE:
        what = row["rule"].replace("_", " ")
        return f"{what} would cost {row['rule_cost']:,.0f} and avoid {row['expected_loss_avoidable']:,.0f}"
    return f"{burden}; neither an extension nor a step-up brings both under the caps"
