"""Pandera schemas of profits, targets and scores."""

import pandera.pandas as pa

from loantap.model.scoring.scorecard import SCALE
from loantap.model.scoring.scorer import REASONS
from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import Decision
from loantap.portfolio.dictionary import REAL, SIMULATED

_RATE = pa.Check.in_range(0, 1)
# Texts that repeat are categories in batches, text in files and frames.
_IS_TEXT = pa.Check(
    lambda texts: (texts.cat.categories if texts.dtype == "category" else texts).dtype == "str", error="text"
)

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
        "limit": pa.Column("float64", _RATE),
        "reached": pa.Column("float64", _RATE),
        "reached_low": pa.Column("float64", _RATE),
        "reached_high": pa.Column("float64", _RATE),
        "n": pa.Column("int64", pa.Check.gt(0)),
        "holds": pa.Column("bool"),
    },
    strict=True,
    name="target_checks",
)

# One row per application, in the order of the input.
SCORES = pa.DataFrameSchema(
    {
        "application_id": pa.Column("str", nullable=True),
        "probability_of_default": pa.Column("float64", _RATE, nullable=True),
        "score": pa.Column("Int64", pa.Check.in_range(SCALE.lowest, SCALE.highest), nullable=True),
        "decision": pa.Column(None, [_IS_TEXT, pa.Check.isin([d.value for d in Decision])]),
        **{reason: pa.Column(None, _IS_TEXT) for reason in REASONS},
        "model_name": pa.Column(None, _IS_TEXT),
        "model_version": pa.Column(None, _IS_TEXT),
        "expected_npv": pa.Column("float64", nullable=True),
        "policy_version": pa.Column(None, _IS_TEXT),
        "policy_digest": pa.Column(None, _IS_TEXT),
    },
    strict=True,
    name="scores",
)

# One row per application, model version and day.
DECISIONS = pa.DataFrameSchema(
    SCORES.columns
    | {
        "application_id": pa.Column("str"),
        "origin": pa.Column("str", pa.Check.isin([REAL, SIMULATED])),
        "decided_on": pa.Column("datetime64[s]"),
    },
    strict=True,
    name="decisions",
)
