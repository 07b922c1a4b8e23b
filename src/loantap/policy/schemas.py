"""Pandera schemas of policy, and columns that those of findings and offers share."""

import pandera.pandas as pa

from loantap.model.scoring.scorecard import SCALE
from loantap.model.scoring.scorer import REASONS
from loantap.model.training.predictions import SAMPLES
from loantap.policy.comparison.rules import POLICIES
from loantap.policy.credit_policy import Targets
from loantap.policy.decisions import Decision
from loantap.policy.fairness.proxies import POLICY_PROXIES, VERDICTS
from loantap.policy.lab.backtest import SAMPLES as TESTED_SAMPLES
from loantap.policy.lab.backtest import After, FoundBy
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import name_bounds
from loantap.portfolio.dictionary import REAL, SIMULATED

RATE = pa.Check.in_range(0, 1)
COUNT = pa.Column("int64", pa.Check.ge(0))
AT_LEAST_ONE = pa.Column("int64", pa.Check.gt(0))
TEXT = pa.Column("str")
# Missing where there are too few loans.
FIGURE = pa.Column("float64", nullable=True)
MAYBE_RATE = pa.Column("float64", RATE, nullable=True)
# Texts that repeat are categories in batches, text in files and frames.
IS_TEXT = pa.Check(
	lambda texts: (texts.cat.categories if texts.dtype == "category" else texts).dtype == "str", error="text"
)


def one_of(*values: str) -> pa.Column:
	"""A text out of these."""
	return pa.Column("str", pa.Check.isin(values))


PAID_LIFE = one_of(*(life.value for life in PaidLife))


def bounded(*names: str, check: pa.Check | None = None) -> dict[str, pa.Column]:
	"""Figures with `_low` and `_high`; missing where there are too few loans."""
	return {name: pa.Column("float64", check, nullable=True) for name in name_bounds(*names)}


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
		**dict.fromkeys(name_bounds("reached"), pa.Column("float64", RATE)),
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


# One row per rule, sample, what decides before it, scenario and paid life; units as in `backtest`.
RULE_TESTS = pa.DataFrameSchema(
	{
		"rule_id": TEXT,
		"title": TEXT,
		"rule": TEXT,  # as JSON
		"found_by": one_of(*(found.value for found in FoundBy)),
		"sample": one_of(*TESTED_SAMPLES),
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
