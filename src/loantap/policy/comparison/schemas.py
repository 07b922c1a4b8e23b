"""Pandera schemas of the comparison of policies."""

import pandera.pandas as pa

from loantap.model.training.predictions import SAMPLES
from loantap.policy.comparison.rules import POLICIES
from loantap.policy.money.scenarios import PaidLife
from loantap.policy.schema_columns import COUNT, RATE, bounded

_SLICE = {
    "sample": pa.Column("str", pa.Check.isin(SAMPLES)),
    "scenario": pa.Column("str"),
    "paid_life": pa.Column("str", pa.Check.isin([life.value for life in PaidLife])),
}
_POINT = {
    "n": pa.Column("int64", pa.Check.gt(0)),
    "approved": COUNT,
    **bounded("approval_rate", "default_rate_approved", check=RATE),
    **bounded("profit", "gain_to_approve_all"),
}

# One row per sample and loan.
APPROVALS = pa.DataFrameSchema(
    {
        "loan_id": pa.Column("str"),
        "sample": pa.Column("str", pa.Check.isin(SAMPLES)),
        **{policy: pa.Column("bool") for policy in POLICIES},
    },
    strict=True,
    unique=["loan_id", "sample"],
    name="approvals",
)

# One row per policy, sample, scenario and paid life.
POLICY_COMPARISON = pa.DataFrameSchema(
    {
        "policy": pa.Column("str"),
        "label": pa.Column("str"),
        "cap": pa.Column("float64", RATE, nullable=True),
        **_SLICE,
        **_POINT,
        **bounded("default_rate_change", "gain_to_grade_term_npv", "gain_to_npv", "yearly_return", "oracle_share"),
        **bounded("charge_offs_avoided", check=RATE),
        **bounded("price_per_point"),
        "note": pa.Column("str"),
    },
    strict=True,
    unique=["policy", "sample", "scenario", "paid_life"],
    name="policy_comparison",
)

# One row per family and hurdle, or policy, on each sample, scenario and paid life.
FRONTIER = pa.DataFrameSchema(
    {
        "family": pa.Column("str"),
        "label": pa.Column("str"),
        "is_policy": pa.Column("bool"),
        "hurdle": pa.Column("float64", nullable=True),
        **_SLICE,
        **_POINT,
    },
    strict=True,
    name="frontier",
)
