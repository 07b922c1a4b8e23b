"""Pandera schemas of the comparison of policies."""

import pandera.pandas as pa

from loantap.model.training.predictions import SAMPLES
from loantap.policy.comparison.rules import POLICIES
from loantap.policy.schema_columns import (
  AT_LEAST_ONE,
  COUNT,
  FIGURE,
  MAYBE_RATE,
  PAID_LIFE,
  RATE,
  TEXT,
  bounded,
  one_of,
)

_SLICE = {"sample": one_of(*SAMPLES), "scenario": TEXT, "paid_life": PAID_LIFE}
_POINT = {
  "n": AT_LEAST_ONE,
  "approved": COUNT,
  **bounded("approval_rate", "default_rate_approved", check=RATE),
  **bounded("profit", "gain_to_approve_all"),
}

# One row per sample and loan.
APPROVALS = pa.DataFrameSchema(
  {"loan_id": TEXT, "sample": one_of(*SAMPLES), **{policy: pa.Column("bool") for policy in POLICIES}},
  strict=True,
  unique=["loan_id", "sample"],
  name="approvals",
)

# One row per policy, sample, scenario and paid life.
POLICY_COMPARISON = pa.DataFrameSchema(
  {
    "policy": TEXT,
    "label": TEXT,
    "cap": MAYBE_RATE,
    **_SLICE,
    **_POINT,
    **bounded("default_rate_change", "gain_to_grade_term_npv", "gain_to_npv", "yearly_return", "oracle_share"),
    **bounded("charge_offs_avoided", check=RATE),
    **bounded("price_per_point"),
    "note": TEXT,
  },
  strict=True,
  unique=["policy", "sample", "scenario", "paid_life"],
  name="policy_comparison",
)

# One row per family and hurdle, or policy, on each sample, scenario and paid life.
FRONTIER = pa.DataFrameSchema(
  {"family": TEXT, "label": TEXT, "is_policy": pa.Column("bool"), "hurdle": FIGURE, **_SLICE, **_POINT},
  strict=True,
  name="frontier",
)
