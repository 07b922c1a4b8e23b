"""Pandera schema of the panel, named in the catalog."""

from typing import Final

import pandera.pandas as pa

from loantap.portfolio.dictionary import ORIGINS

# Of a real loan whose months the simulator made from its outcome.
SIMULATED_FROM_OUTCOME: Final = "simulated_from_outcome"
EVENTS_ORIGINS: Final = (*ORIGINS, SIMULATED_FROM_OUTCOME)

_CHANGES = {
    f"{name}_change_{months}m": pa.Column(
        "float64", nullable=True, description=f"{what}, less that of {months} months ago, points"
    )
    for name, what in (("dti", "DTI"), ("utilisation", "Revolving utilisation"))
    for months in (1, 3, 6)
}


def _number(description: str, lowest: float | None = 0, *, nullable: bool = False) -> pa.Column:
    checks = [] if lowest is None else [pa.Check.ge(lowest)]
    return pa.Column("float64", checks, nullable=nullable, description=description)


# One row per loan and month in which the loan is alive at the month's end: it owes something, and
# was not in default before.
LOAN_PANEL = pa.DataFrameSchema(
    {
        "loan_id": pa.Column("str"),
        "month": pa.Column("datetime64[s]", description="First day of the month"),
        "months_on_book": _number("Whole months since the month of issue"),
        "term_months": _number("Term", 1),
        "remaining_months": _number("Months until the last instalment is due"),
        "outstanding_balance": _number("Principal owed at the end of the month"),
        "balance_share": _number("Balance as a share of the funded principal"),
        "instalment": _number("EMI"),
        "interest_rate_pct": _number("Nominal rate per year, percent"),
        "annual_income": _number("Income per year as stated in the application", nullable=True),
        "days_past_due": _number("Age of the oldest unpaid instalment (DPD)"),
        "max_dpd_3m": _number("Highest DPD of the last 3 calendar months, this one included"),
        "max_dpd_6m": _number("Highest DPD of the last 6 calendar months, this one included"),
        "payment_to_emi": _number("Payment of the month as a share of the instalment"),
        "payment_to_emi_3m": _number("The same, mean of the last 3 calendar months that are known"),
        "dti_pct": _number("DTI, percent", nullable=True),
        "utilisation_pct": _number("Revolving utilisation, percent", nullable=True),
        **_CHANGES,
        "origin": pa.Column("str", pa.Check.isin(EVENTS_ORIGINS)),
    },
    strict=True,
    unique=["loan_id", "month"],
    name="loan_panel",
)
