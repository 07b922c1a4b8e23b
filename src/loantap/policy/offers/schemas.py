"""Pandera schemas of offers, products, counterfactuals and concentration."""

import pandera.pandas as pa

from loantap.policy.decisions import DECISIONS
from loantap.policy.offers.choice import KINDS
from loantap.policy.schemas import AT_LEAST_ONE, COUNT, FIGURE, IS_TEXT, MAYBE_RATE, RATE, TEXT, bounded, one_of
from loantap.portfolio.dictionary import TERMS_MONTHS

_POSITIVE = pa.Check.gt(0)

# One row per application and offer, one where there is none; in order.
OFFERS = pa.DataFrameSchema(
	{
		"application_id": pa.Column("str", nullable=True),
		"offer": pa.Column("int64", pa.Check.in_range(0, 3)),
		"kind": pa.Column(None, [IS_TEXT, pa.Check.isin(KINDS)]),
		"amount": pa.Column("float64", _POSITIVE, nullable=True),
		"term_months": pa.Column("Int64", pa.Check.isin(TERMS_MONTHS), nullable=True),
		"rate_pct": pa.Column("float64", pa.Check.in_range(0, 100), nullable=True),
		"instalment": pa.Column("float64", _POSITIVE, nullable=True),
		"probability_of_default": MAYBE_RATE,
		"is_counterfactual": pa.Column("bool"),
		"expected_npv": FIGURE,
		"decision": pa.Column(None, [IS_TEXT, pa.Check.isin(DECISIONS)]),
		"reason": pa.Column(None, IS_TEXT),
		"model_name": pa.Column(None, IS_TEXT),
		"model_version": pa.Column(None, IS_TEXT),
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
		"segmentation": TEXT,
		"segment": TEXT,
		"order": COUNT,
		"n": AT_LEAST_ONE,
		**bounded("as_asked", "other_terms", "no_offer", check=RATE),
		**{
			f"{name}_{end}": pa.Column("float64", _POSITIVE, nullable=True)
			for name in ("amount", "rate_pct")
			for end in ("low", "median", "high")
		},
		"mean_term_months": pa.Column("float64", _POSITIVE, nullable=True),
		"n_as_asked": COUNT,
		**bounded("default_rate", check=RATE),
		"margin_expected": FIGURE,
		**bounded("margin_imputed"),
		"finding": TEXT,
	},
	strict=True,
	unique=["segmentation", "segment"],
	name="products",
)

# One row per effect: the term, the amount.
COUNTERFACTUALS = pa.DataFrameSchema(
	{
		"effect": pa.Column("str", unique=True),
		"n": COUNT,
		"charged_off": COUNT,
		**bounded("unadjusted", "adjusted", check=_POSITIVE),
		"in_force": pa.Column("float64", _POSITIVE),
		"finding": TEXT,
	},
	strict=True,
	name="counterfactuals",
)

# One row per region and measure, and one of all regions.
CONCENTRATION = pa.DataFrameSchema(
	{
		"measure": one_of("principal", "expected loss"),
		"region": TEXT,
		"n": COUNT,
		**bounded("share", check=RATE),
		"limit": pa.Column("float64", RATE),
		"finding": TEXT,
	},
	strict=True,
	unique=["measure", "region"],
	name="concentration",
)
