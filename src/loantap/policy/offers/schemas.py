"""Pandera schemas of offers, products, counterfactuals and concentration."""

import pandera.pandas as pa

from loantap.policy.offers.choice import DECISIONS, KINDS
from loantap.portfolio.dictionary import TERMS_MONTHS

_RATE = pa.Check.in_range(0, 1)
_POSITIVE = pa.Check.gt(0)
# Texts that repeat are categories in batches, text in files and frames.
_IS_TEXT = pa.Check(
    lambda texts: (texts.cat.categories if texts.dtype == "category" else texts).dtype == "str", error="text"
)


def _bounded(*names: str, check: pa.Check | None = None) -> dict[str, pa.Column]:
    """Missing where there are too few loans."""
    return {
        f"{name}{end}": pa.Column("float64", check, nullable=True) for name in names for end in ("", "_low", "_high")
    }


# One row per application and offer, one where there is none; in order.
OFFERS = pa.DataFrameSchema(
    {
        "application_id": pa.Column("str", nullable=True),
        "offer": pa.Column("int64", pa.Check.in_range(0, 3)),
        "kind": pa.Column(None, [_IS_TEXT, pa.Check.isin(KINDS)]),
        "amount": pa.Column("float64", _POSITIVE, nullable=True),
        "term_months": pa.Column("Int64", pa.Check.isin(TERMS_MONTHS), nullable=True),
        "rate_pct": pa.Column("float64", pa.Check.in_range(0, 100), nullable=True),
        "instalment": pa.Column("float64", _POSITIVE, nullable=True),
        "probability_of_default": pa.Column("float64", _RATE, nullable=True),
        "is_counterfactual": pa.Column("bool"),
        "expected_npv": pa.Column("float64", nullable=True),
        "decision": pa.Column(None, [_IS_TEXT, pa.Check.isin(DECISIONS)]),
        "reason": pa.Column(None, _IS_TEXT),
        "model_name": pa.Column(None, _IS_TEXT),
        "model_version": pa.Column(None, _IS_TEXT),
    },
    checks=pa.Check(
        lambda offers: (
            ~(offers["decision"].eq("approve") & offers["is_counterfactual"])
            & offers["amount"].isna().eq(offers["offer"].eq(0))
        ),
        error="a counterfactual PD approves nothing; an offer has terms",
    ),
    strict=True,
    name="offers",
)

# One row per segment of each segmentation.
PRODUCTS = pa.DataFrameSchema(
    {
        "segmentation": pa.Column("str"),
        "segment": pa.Column("str"),
        "order": pa.Column("int64", pa.Check.ge(0)),
        "n": pa.Column("int64", _POSITIVE),
        **_bounded("as_asked", "other_terms", "no_offer", check=_RATE),
        **{
            f"{name}_{end}": pa.Column("float64", _POSITIVE, nullable=True)
            for name in ("amount", "rate_pct")
            for end in ("low", "median", "high")
        },
        "mean_term_months": pa.Column("float64", pa.Check.gt(0), nullable=True),
        "n_as_asked": pa.Column("int64", pa.Check.ge(0)),
        **_bounded("default_rate", check=_RATE),
        "margin_expected": pa.Column("float64", nullable=True),
        **_bounded("margin_imputed"),
        "finding": pa.Column("str"),
    },
    strict=True,
    unique=["segmentation", "segment"],
    name="products",
)

# One row per effect: the term, the amount.
COUNTERFACTUALS = pa.DataFrameSchema(
    {
        "effect": pa.Column("str", unique=True),
        "n": pa.Column("int64", pa.Check.ge(0)),
        "charged_off": pa.Column("int64", pa.Check.ge(0)),
        **_bounded("unadjusted", "adjusted", check=_POSITIVE),
        "in_force": pa.Column("float64", _POSITIVE),
        "finding": pa.Column("str"),
    },
    strict=True,
    name="counterfactuals",
)

# One row per region and measure, and one of all regions.
CONCENTRATION = pa.DataFrameSchema(
    {
        "measure": pa.Column("str", pa.Check.isin(["principal", "expected loss"])),
        "region": pa.Column("str"),
        "n": pa.Column("int64", pa.Check.ge(0)),
        **_bounded("share", check=_RATE),
        "limit": pa.Column("float64", _RATE),
        "finding": pa.Column("str"),
    },
    strict=True,
    unique=["measure", "region"],
    name="concentration",
)
