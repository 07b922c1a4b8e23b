"""Pandera schemas of the fairness audit, without any protected attribute: see proxies."""

import pandera.pandas as pa

from loantap.policy.fairness.policy_audit import VERDICTS
from loantap.policy.fairness.proxies import POLICY_PROXIES
from loantap.policy.schemas import AT_LEAST_ONE, COUNT, MAYBE_RATE, PAID_LIFE, RATE, TEXT, bounded, one_of

_PROXY = one_of(*POLICY_PROXIES)
_POSITIVE = pa.Check.ge(0)

# One row per policy, proxy and group.
FAIRNESS_BY_POLICY = pa.DataFrameSchema(
  {
    "policy": TEXT,
    "proxy": _PROXY,
    "phrase": TEXT,
    "audit_only": pa.Column("bool"),
    "group": TEXT,
    "n": AT_LEAST_ONE,
    "charged_off": COUNT,
    "approved": COUNT,
    "charged_off_approved": COUNT,
    **bounded("approval_rate", check=RATE),
    **bounded("approval_ratio", check=_POSITIVE),
    "verdict": one_of(*VERDICTS),
    **bounded("true_positive_rate", "false_positive_rate", "default_rate_approved", check=RATE),
    **bounded("observed_to_expected", check=_POSITIVE),
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
    "phrase": TEXT,
    "target_ratio": MAYBE_RATE,
    "n": AT_LEAST_ONE,
    **bounded("worst_ratio", check=_POSITIVE),
    "approved": COUNT,
    "approval_rate": pa.Column("float64", RATE),
    "approved_besides": COUNT,
    "declined_besides": COUNT,
    **bounded("default_rate_approved", check=RATE),
    "scenario": TEXT,
    "paid_life": PAID_LIFE,
    **bounded("lost_per_application"),
  },
  strict=True,
  ordered=True,
  unique=["proxy", "target_ratio", "scenario", "paid_life"],
  name="fairness_frontier",
)
