"""Why an action fits, in one sentence."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

from loantap.surveillance.help.actions import Action
from loantap.surveillance.help.options import HelpOptions

_NAMES: Final = {
    Action.REMINDER: "a reminder", Action.COUNSELLING: "counselling", Action.DUE_DATE_SHIFT: "a later due date",
    Action.TERM_EXTENSION: "a longer term", Action.STEP_UP: "a step-up of the instalment",
}  # fmt: skip
_Row = Mapping[Hashable, Any]


def word_why(row: _Row, options: HelpOptions, default_days: int) -> str:
    """One sentence out of a plan with the figures it was made from.

    `rule` is the action that the rules chose, `action` the one that is also worth its cost.
    """
    if row["action"] == Action.NONE:
        return f"No feasible plan: {_word_obstacle(row, options, default_days)}."
    burden = _word_burden(row["emi_now"], row["dti_now"], row, options)
    if row["action"] == Action.TERM_EXTENSION:
        after = _word_burden(row["emi_new"], row["dti_new"], row)
        return f"The instalment is above a cap ({burden}); over {row['months_left_new']} months it is {after}."
    if row["action"] == Action.STEP_UP:
        return (
            f"The instalment is above a cap ({burden}) and more months alone do not suffice; "
            f"{row['emi_new']:,.0f} is within the caps, and so is {row['emi_later']:,.0f} after "
            f"{row['step_months']:.0f} months if income grows by {options.step_up.income_growth_pct:g}% a year."
        )
    if row["action"] == Action.DUE_DATE_SHIFT:
        seen = f"Late in {row['late_months']} of the last 6 months, by at most {row['max_dpd_6m']:.0f} days"
    else:
        overdue = f"{row['days_past_due']:.0f} days past due" if row["days_past_due"] > 0 else "Nothing is overdue now"
        seen = f"{overdue}, and {'nothing else' if row['is_arrears_alone'] else 'DTI, utilisation or PD'} is raised"
    return f"{seen}; {f'the instalment is affordable ({burden})' if burden else _word_unknown(row)}."


def _word_obstacle(row: _Row, options: HelpOptions, default_days: int) -> str:
    if row["days_past_due"] >= default_days:
        return "in default, recoveries deal with it"
    if row["rule"] != Action.NONE:
        loss = f"an expected loss of {row['loss_avoided']:,.0f}"
        return f"{_NAMES[row['rule']]} would cost {row['cost']:,.0f} and avoid {loss}"
    if row["highest"] <= 0:
        other = row["other_dti_pct"]
        return f"other debts alone take {other:.1f}% of income (cap on DTI {options.limits.max_dti_pct:g}%)"
    burden = _word_burden(row["emi_now"], row["dti_now"], row, options)
    return f"the instalment is above a cap ({burden}) and would stay so over {row['limit']:.0f} months"


def _word_burden(instalment: float, dti_pct: float, row: _Row, options: HelpOptions | None = None) -> str:
    """EMI to income and DTI, with the caps where options are given; empty where they are unknown."""
    if not row["income"] > 0:
        return ""
    caps = ("", "")
    if options:
        caps = (f", cap {100 * options.limits.max_instalment_share:g}%", f", cap {options.limits.max_dti_pct:g}%")
    return f"{instalment / row['income']:.1%} of income{caps[0]}; DTI {dti_pct:.1f}%{caps[1]}"


def _word_unknown(row: _Row) -> str:
    missing = [] if row["annual_income"] > 0 else ["income"]
    missing += ["DTI"] if row["dti_pct"] != row["dti_pct"] else []
    return f"{' and '.join(missing)} not known, so that no cap can be checked"
