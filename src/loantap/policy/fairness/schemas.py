"""Pandera schemas of the fairness audit, without any protected attribute: see proxies."""

from typing import Final

import pandera.pandas as pa

from loantap.policy.fairness.policy_audit import VERDICTS
from loantap.policy.fairness.proxies import POLICY_PROXIES
from loantap.policy.money.scenarios import PaidLife

_ENDS: Final = ("", "_low", "_high")
_PROXY: Final = pa.Column("str", pa.Check.isin([*POLICY_PROXIES]))
_COUNT: Final = pa.Column("int64", pa.Check.ge(0))


def _figure(name: str, *checks: pa.Check) -> dict[str, pa.Column]:
    return {name + end: pa.Column("float64", list(checks), nullable=True) for end in _ENDS}


_SHARE: Final = pa.Check.in_range(0, 1)
_POSITIVE: Final = pa.Check.ge(0)

# One row per policy, proxy and group.
FAIRNESS_BY_POLICY = pa.DataFrameSchema(
    {
        "policy": pa.Column("str"),
        "proxy": _PROXY,
        "phrase": pa.Column("str"),
        "audit_only": pa.Column("bool"),
        "group": pa.Column("str"),
        "n": pa.Column("int64", pa.Check.gt(0)),
        "charged_off": _COUNT,
        "approved": _COUNT,
        "charged_off_approved": _COUNT,
        **_figure("approval_rate", _SHARE),
        **_figure("approval_ratio", _POSITIVE),
        "verdict": pa.Column("str", pa.Check.isin(VERDICTS)),
        **_figure("true_positive_rate", _SHARE),
        **_figure("false_positive_rate", _SHARE),
        **_figure("default_rate_approved", _SHARE),
        **_figure("observed_to_expected", _POSITIVE),
    },
    strict=True,
    ordered=True,
    unique=["policy", "proxy", "group"],
    name="fairness_by_policy",
)

# One row per proxy, target ratio, scenario and way that paid loans may have run.
FAIRNESS_FRONTIER = pa.DataFrameSchema(
    {
        "proxy": _PROXY,
        "phrase": pa.Column("str"),
        "target_ratio": pa.Column("float64", _SHARE, nullable=True),
        "n": pa.Column("int64", pa.Check.gt(0)),
        **_figure("worst_ratio", _POSITIVE),
        "approved": _COUNT,
        "approval_rate": pa.Column("float64", _SHARE),
        "approved_besides": _COUNT,
        "declined_besides": _COUNT,
        **_figure("default_rate_approved", _SHARE),
        "scenario": pa.Column("str"),
        "paid_life": pa.Column("str", pa.Check.isin([life.value for life in PaidLife])),
        **_figure("lost_per_application"),
    },
    strict=True,
    ordered=True,
    unique=["proxy", "target_ratio", "scenario", "paid_life"],
    name="fairness_frontier",
)
