"""Pandera schema of the tests of rules."""

import pandera.pandas as pa

from loantap.policy.lab.backtest import After, FoundBy
from loantap.policy.lab.judged_loans import SAMPLES
from loantap.policy.money.scenarios import PaidLife

_RATE = pa.Check.in_range(0, 1)
_COUNT = pa.Column("int64", pa.Check.ge(0))
_MAYBE_RATE = pa.Column("float64", _RATE, nullable=True)
_MAYBE = pa.Column("float64", nullable=True)

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
        "n": _COUNT,  # applications of the sample
        "approved": _COUNT,  # before the rule
        "charged_off": _COUNT,  # of those
        "approvals_lost": _COUNT,  # approved before, declined by the rule
        "charge_offs_avoided": _COUNT,  # of those
        "approvals_lost_share": _MAYBE_RATE,
        "charge_offs_avoided_share": _MAYBE_RATE,
        "default_rate_declined": _MAYBE_RATE,
        "default_rate_declined_low": _MAYBE_RATE,
        "default_rate_declined_high": _MAYBE_RATE,
        "default_rate_kept": _MAYBE_RATE,
        "profit_change": _MAYBE,  # missing where too few loans are declined to say
        "profit_change_low": _MAYBE,
        "profit_change_high": _MAYBE,
        "p_value": pa.Column("float64", _RATE, nullable=True),
        "is_enough": pa.Column("bool"),
        "adjusted_p_value": pa.Column("float64", _RATE, nullable=True),
        "holds": pa.Column("bool"),
    },
    strict=True,
    unique=["rule_id", "sample", "after", "scenario", "paid_life"],
    name="rule_tests",
)
