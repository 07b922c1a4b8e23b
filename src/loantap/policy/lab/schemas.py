"""Pandera schema of the tests of rules."""

import pandera.pandas as pa

from loantap.policy.lab.backtest import After, FoundBy
from loantap.policy.lab.judged_loans import SAMPLES
from loantap.policy.schema_columns import COUNT, MAYBE_RATE, PAID_LIFE, RATE, TEXT, bounded, one_of

# One row per rule, sample, what decides before it, scenario and paid life; units as in `backtest`.
RULE_TESTS = pa.DataFrameSchema(
  {
    "rule_id": TEXT,
    "title": TEXT,
    "rule": TEXT,  # as JSON
    "found_by": one_of(*(found.value for found in FoundBy)),
    "sample": one_of(*SAMPLES),
    "after": one_of(*(after.value for after in After)),
    "scenario": TEXT,
    "paid_life": PAID_LIFE,
    "n": COUNT,  # applications of the sample
    "approved": COUNT,  # before the rule
    "charged_off": COUNT,  # of those
    "approvals_lost": COUNT,  # approved before, declined by the rule
    "charge_offs_avoided": COUNT,  # of those
    "approvals_lost_share": MAYBE_RATE,
    "charge_offs_avoided_share": MAYBE_RATE,
    **bounded("default_rate_declined", check=RATE),
    "default_rate_kept": MAYBE_RATE,
    **bounded("profit_change"),
    "p_value": MAYBE_RATE,
    "is_enough": pa.Column("bool"),
    "adjusted_p_value": MAYBE_RATE,
    "holds": pa.Column("bool"),
  },
  strict=True,
  unique=["rule_id", "sample", "after", "scenario", "paid_life"],
  name="rule_tests",
)
