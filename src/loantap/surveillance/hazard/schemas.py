"""Pandera schema of the outcomes of loans, named in the catalog."""

import pandera.pandas as pa

from loantap.features.outcomes import NOT_LATE, NOT_PAID, NOT_RUNNING

_MONTH = "datetime64[s]"

# One row per loan that has months.
LOAN_OUTCOMES = pa.DataFrameSchema(
    {
        "loan_id": pa.Column("str", unique=True),
        "default_month": pa.Column(_MONTH, nullable=True, description="First month in default"),
        "prepaid_month": pa.Column(_MONTH, nullable=True, description="Paid before it was due"),
        "paid_month": pa.Column(_MONTH, nullable=True, description="Paid in full, early or not"),
        "first_month": pa.Column(_MONTH, description="First month seen"),
        "last_month": pa.Column(_MONTH, description="Last month seen"),
        "contradiction": pa.Column(
            "str",
            pa.Check.isin([NOT_PAID, NOT_LATE, NOT_RUNNING]),
            nullable=True,
            description="How status and months disagree",
        ),
    },
    strict=True,
    name="loan_outcomes",
)
