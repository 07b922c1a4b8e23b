"""Pandera schemas of the tables of findings."""

import pandera.pandas as pa

from loantap.policy.findings.claims import Verdict
from loantap.policy.findings.effects import Finding, Steadiness
from loantap.policy.findings.segmentations import Role
from loantap.policy.schemas import AT_LEAST_ONE, COUNT, FIGURE, MAYBE_RATE, RATE, TEXT, bounded, one_of

_NOT_NEGATIVE = pa.Check.ge(0)
_ROLE = one_of(*(role.value for role in Role))
_FINDING = one_of(*(finding.value for finding in Finding))
_OUTCOMES = {"loans": COUNT, "charged_off": COUNT, **bounded("default_rate", check=RATE)}
# Mean imputed profit per loan in the main scenario, in currency.
_PROFITS = {
	**bounded("profit_contractual", "profit_capped"),
	**dict.fromkeys(("profit_contractual_others", "profit_capped_others"), FIGURE),
}
# In percentage points, against all other loans.
_EFFECT = bounded("effect")
# The same, nothing adjusted; and the default rate of all other loans.
_GAP = {"default_rate_others": MAYBE_RATE, **bounded("gap")}
_TESTS = dict.fromkeys(("p_value", "q_value"), MAYBE_RATE)

# One row per segment of each segmentation.
FINDINGS = pa.DataFrameSchema(
	{
		"segmentation": TEXT,
		"phrase": TEXT,
		"role": _ROLE,
		"segment": TEXT,
		"order": COUNT,
		**_OUTCOMES,
		**_GAP,
		**_EFFECT,
		**_TESTS,
		"finding": _FINDING,
		"years": COUNT,
		"years_same_sign": COUNT,
		"heterogeneity_p_value": MAYBE_RATE,
		"heterogeneity_q_value": MAYBE_RATE,
		"stability": one_of(*(steadiness.value for steadiness in Steadiness)),
		**_PROFITS,
		"sentence": TEXT,
	},
	strict=True,
	unique=["segmentation", "segment"],
	name="findings",
)

# One row per segment and issue year with enough loans.
FINDING_YEARS = pa.DataFrameSchema(
	{"segmentation": TEXT, "segment": TEXT, "year": pa.Column("int64"), **_OUTCOMES, **_EFFECT},
	strict=True,
	unique=["segmentation", "segment", "year"],
	name="finding_years",
)

# One row per factor for all years (year 0), then one per year; strengths in percentage points.
# Segments are empty where there are too few loans to say, and missing in single years.
DRIVERS = pa.DataFrameSchema(
	{
		"factor": TEXT,
		"phrase": TEXT,
		"role": one_of(Role.APPLICANT, Role.LENDER),
		"rank": AT_LEAST_ONE,
		"year": COUNT,
		"loans": COUNT,
		**bounded("strength"),
		**_TESTS,
		"lowest_segment": pa.Column("str", nullable=True),
		"lowest_rate": MAYBE_RATE,
		"highest_segment": pa.Column("str", nullable=True),
		"highest_rate": MAYBE_RATE,
		"finding": one_of("drives default", "no effect shown", "too few loans to say", ""),
	},
	strict=True,
	unique=["factor", "year"],
	name="drivers",
)

# One row per claim of the case study, in its order.
CLAIMS = pa.DataFrameSchema(
	{
		"topic": TEXT,
		"said": TEXT,
		"asked": TEXT,
		"segmentation": TEXT,
		"segments": TEXT,
		"claimed": one_of(Finding.MORE, Finding.FEWER),
		**_OUTCOMES,
		**_GAP,
		**_EFFECT,
		**_TESTS,
		"finding": _FINDING,
		**_PROFITS,
		"verdict": one_of(*(verdict.value for verdict in Verdict)),
		"answer": TEXT,
		"instead": TEXT,
	},
	strict=True,
	unique=["topic"],
	name="claims",
)

# One row per factor known at the decision; measured on every second loan.
INFORMATION_VALUES = pa.DataFrameSchema(
	{
		"factor": TEXT,
		"meaning": TEXT,
		"role": _ROLE,
		"loans": COUNT,
		"charged_off": COUNT,
		"bins": pa.Column("Int64", nullable=True),
		**bounded("iv", check=_NOT_NEGATIVE),
		"iv_chance": pa.Column("float64", _NOT_NEGATIVE, nullable=True),
		**_TESTS,
		"strength": one_of("not predictive", "weak", "medium", "strong", "too few loans to say"),
	},
	strict=True,
	unique=["factor"],
	name="information_values",
)

# One row per factor and bin.
BINS = pa.DataFrameSchema(
	{"factor": TEXT, "order": COUNT, "bin": TEXT, **_OUTCOMES}, strict=True, unique=["factor", "order"], name="bins"
)
