"""Pandera schemas of profits, targets and scores."""

import pandera.pandas as pa

from loantap.model.scoring.scorecard import SCALE
from loantap.model.scoring.scorer import REASONS
from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import Decision
from loantap.policy.schema_columns import AT_LEAST_ONE, FIGURE, IS_TEXT, MAYBE_RATE, RATE, TEXT, one_of
from loantap.portfolio.dictionary import REAL, SIMULATED

# One row per loan; further columns are one per scenario and paid life.
PROFITS = pa.DataFrameSchema(
  {
    "loan_id": pa.Column("str", unique=True),
    "principal": pa.Column("float64", pa.Check.gt(0)),
    "npv_.+_(contractual|capped)": pa.Column("float64", regex=True),
  },
  strict=True,
  name="profits",
)

# One row per target of the policy.
TARGET_CHECKS = pa.DataFrameSchema(
  {
    "target": pa.Column("str", pa.Check.isin(list(Targets.model_fields)), unique=True),
    "limit": pa.Column("float64", RATE),
    **{f"reached{end}": pa.Column("float64", RATE) for end in ("", "_low", "_high")},
    "n": AT_LEAST_ONE,
    "holds": pa.Column("bool"),
  },
  strict=True,
  name="target_checks",
)

# One row per application, in the order of the input.
SCORES = pa.DataFrameSchema(
  {
    "application_id": pa.Column("str", nullable=True),
    "probability_of_default": MAYBE_RATE,
    "score": pa.Column("Int64", pa.Check.in_range(SCALE.lowest, SCALE.highest), nullable=True),
    "decision": pa.Column(None, [IS_TEXT, pa.Check.isin([d.value for d in Decision])]),
    **{reason: pa.Column(None, IS_TEXT) for reason in REASONS},
    "model_name": pa.Column(None, IS_TEXT),
    "model_version": pa.Column(None, IS_TEXT),
    "expected_npv": FIGURE,
    "policy_version": pa.Column(None, IS_TEXT),
    "policy_digest": pa.Column(None, IS_TEXT),
  },
  strict=True,
  name="scores",
)

# One row per application, model version and day.
DECISIONS = pa.DataFrameSchema(
  SCORES.columns
  | {"application_id": TEXT, "origin": one_of(REAL, SIMULATED), "decided_on": pa.Column("datetime64[s]")},
  strict=True,
  name="decisions",
)
