"""Pandera schema of the plans, named in the catalog."""

import pandera.pandas as pa

from loantap.portfolio.dictionary import ORIGINS
from loantap.surveillance.help.actions import Action
from loantap.surveillance.panel.schemas import EVENTS_ORIGINS


def _amount(description: str, *, nullable: bool = False) -> pa.Column:
    return pa.Column("float64", pa.Check.ge(0), nullable=nullable, description=description)


_COUNT = pa.Column("int64", pa.Check.ge(0))

# One row per loan on the watch-list, in its order.
HELP_PLANS = pa.DataFrameSchema(
    {
        "loan_id": pa.Column("str", unique=True),
        "as_of_month": pa.Column("datetime64[s]"),
        "action": pa.Column("str", pa.Check.isin([*Action])),
        "why": pa.Column("str"),
        "emi_now": _amount("Instalment of the contract"),
        "emi_new": _amount("First of the plan; missing where it stays", nullable=True),
        "emi_later": _amount("Instalment after the step", nullable=True),
        "step_months": _amount("Months until the step", nullable=True),
        "months_left": _COUNT,
        "months_left_new": _COUNT,
        "shift_days": _COUNT,
        "dti_now": _amount("DTI with this instalment, percent", nullable=True),
        "dti_new": _amount("The same with `emi_new`", nullable=True),
        "cost": pa.Column("float64"),
        "loss_avoided": _amount("Expected"),
        "net_benefit": pa.Column("float64"),
        "origin": pa.Column("str", pa.Check.isin(ORIGINS)),
        "events_origin": pa.Column("str", pa.Check.isin(EVENTS_ORIGINS)),
    },
    strict=True,
    name="help_plans",
)
