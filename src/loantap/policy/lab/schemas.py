"""Pandera schema of the tests of rules."""

import pandera.pandas as pa

from loantap.policy.lab.backtest import After, FoundBy
from loantap.policy.lab.judged_loans import SAMPLES
from loantap.policy.money.scenarios import PaidLife
from loantap.policy.schema_columns import COUNT, RATE, bounded

_MAYBE_RATE = pa.Column("float64", RATE, nullable=True)

# One row per rule, sample, what decides before it, scenario and paid life; units as in `backtest`.
RULE_TESTS = pa.DataFrameSchema(
    {
        "rule_id": pa.Column("str"),
        "title": pa.Column("str"),
        "rule": pa.Column("str"),  # as JSON
        "found_by": pa.Column("str", pa.Check.isin([found.value for found in FoundBy])),
        "sample": pa.Column("str", pa.Check.isin(SAMPLES)),
        "after": pa.Column("str", pa.Check.isin([after.value for after in After])),
        "scenario": pa.Column("str"),
        "paid_life": pa.Column("str", pa.Check.isin([life.value for life in PaidLife])),
        "n": COUNT,  # applications of the sample
        "approved": COUNT,  # before the rule
        "charged_off": COUNT,  # of those
        "approvals_lost": COUNT,  # approved before, declined by the rule
        "charge_offs_avoided": COUNT,  # of those
        "approvals_lost_share": _MAYBE_RATE,
        "charge_offs_avoided_share": _MAYBE_RATE,
        **bounded("default_rate_declined", check=RATE),
        "default_rate_kept": _MAYBE_RATE,
        **bounded("profit_change"),
        "p_value": _MAYBE_RATE,
        "is_enough": pa.Column("bool"),
        "adjusted_p_value": _MAYBE_RATE,
        "holds": pa.Column("bool"),
    },
    strict=True,
    unique=["rule_id", "sample", "after", "scenario", "paid_life"],
    name="rule_tests",
)
