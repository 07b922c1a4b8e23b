"""Pandera schemas of the tables of findings."""

import pandera.pandas as pa

from loantap.policy.findings.claims import Verdict
from loantap.policy.findings.segmentations import Role
from loantap.policy.findings.wording import Finding, Steadiness

_SHARE = pa.Check.in_range(0, 1)
_COUNT = pa.Check.ge(0)
# Missing where there are too few loans to say.
_FIGURE = pa.Column("float64", nullable=True)
_PROBABILITY = pa.Column("float64", _SHARE, nullable=True)
_IV = pa.Column("float64", _COUNT, nullable=True)


def _text(*allowed: str) -> pa.Column:
    return pa.Column("str", pa.Check.isin(allowed) if allowed else None)


def _with_bounds(name: str, column: pa.Column) -> dict[str, pa.Column]:
    return dict.fromkeys((name, f"{name}_low", f"{name}_high"), column)


_ROLE = _text(*(role.value for role in Role))
_FINDING = _text(*(finding.value for finding in Finding))
_OUTCOMES = {
    "loans": pa.Column("int64", _COUNT),
    "charged_off": pa.Column("int64", _COUNT),
    **_with_bounds("default_rate", _PROBABILITY),
}
# Mean imputed profit per loan in the main scenario, in currency.
_PROFITS = {
    name: column
    for life in ("contractual", "capped")
    for name, column in (*_with_bounds(f"profit_{life}", _FIGURE).items(), (f"profit_{life}_others", _FIGURE))
}
# In percentage points, against all other loans.
_EFFECT = _with_bounds("effect", _FIGURE)
# The same, nothing adjusted; and the default rate of all other loans.
_GAP = {"default_rate_others": _PROBABILITY, **_with_bounds("gap", _FIGURE)}
_TESTS = dict.fromkeys(("p_value", "q_value"), _PROBABILITY)

# One row per segment of each segmentation.
FINDINGS = pa.DataFrameSchema(
    {
        "segmentation": _text(),
        "phrase": _text(),
        "role": _ROLE,
        "segment": _text(),
        "order": pa.Column("int64", _COUNT),
        **_OUTCOMES,
        **_GAP,
        **_EFFECT,
        **_TESTS,
        "finding": _FINDING,
        "years": pa.Column("int64", _COUNT),
        "years_same_sign": pa.Column("int64", _COUNT),
        "heterogeneity_p_value": _PROBABILITY,
        "heterogeneity_q_value": _PROBABILITY,
        "stability": _text(*(steadiness.value for steadiness in Steadiness)),
        **_PROFITS,
        "sentence": _text(),
    },
    strict=True,
    unique=["segmentation", "segment"],
    name="findings",
)

# One row per segment and issue year with enough loans.
FINDING_YEARS = pa.DataFrameSchema(
    {"segmentation": _text(), "segment": _text(), "year": pa.Column("int64"), **_OUTCOMES, **_EFFECT},
    strict=True,
    unique=["segmentation", "segment", "year"],
    name="finding_years",
)

# One row per factor for all years (year 0), then one per year; strengths in percentage points.
# Segments are empty where there are too few loans to say, and missing in single years.
DRIVERS = pa.DataFrameSchema(
    {
        "factor": _text(),
        "phrase": _text(),
        "role": _text(Role.APPLICANT, Role.LENDER),
        "rank": pa.Column("int64", pa.Check.gt(0)),
        "year": pa.Column("int64", _COUNT),
        "loans": pa.Column("int64", _COUNT),
        **_with_bounds("strength", _FIGURE),
        **_TESTS,
        "lowest_segment": pa.Column("str", nullable=True),
        "lowest_rate": _PROBABILITY,
        "highest_segment": pa.Column("str", nullable=True),
        "highest_rate": _PROBABILITY,
        "finding": _text("drives default", "no effect shown", "too few loans to say", ""),
    },
    strict=True,
    unique=["factor", "year"],
    name="drivers",
)

# One row per claim of the case study, in its order.
CLAIMS = pa.DataFrameSchema(
    {
        "topic": _text(),
        "said": _text(),
        "asked": _text(),
        "segmentation": _text(),
        "segments": _text(),
        "claimed": _text(Finding.MORE, Finding.FEWER),
        **_OUTCOMES,
        **_GAP,
        **_EFFECT,
        **_TESTS,
        "finding": _FINDING,
        **_PROFITS,
        "verdict": _text(*(verdict.value for verdict in Verdict)),
        "answer": _text(),
        "instead": _text(),
    },
    strict=True,
    unique=["topic"],
    name="claims",
)

# One row per factor known at the decision; measured on every second loan.
INFORMATION_VALUES = pa.DataFrameSchema(
    {
        "factor": _text(),
        "meaning": _text(),
        "role": _ROLE,
        "loans": pa.Column("int64", _COUNT),
        "charged_off": pa.Column("int64", _COUNT),
        "bins": pa.Column("Int64", nullable=True),
        **_with_bounds("iv", _IV),
        "iv_chance": _IV,
        **_TESTS,
        "strength": _text("not predictive", "weak", "medium", "strong", "too few loans to say"),
    },
    strict=True,
    unique=["factor"],
    name="information_values",
)

# One row per factor and bin.
BINS = pa.DataFrameSchema(
    {"factor": _text(), "order": pa.Column("int64", _COUNT), "bin": _text(), **_OUTCOMES},
    strict=True,
    unique=["factor", "order"],
    name="bins",
)
