"""Pandera schemas of early warning, named in the catalog."""

from typing import Final

import pandera.pandas as pa

from loantap.features.outcomes import NOT_LATE, NOT_PAID, NOT_RUNNING
from loantap.portfolio.dictionary import ORIGINS
from loantap.surveillance.help.actions import Action
from loantap.surveillance.monitoring.checks import Verdict
from loantap.surveillance.options import LEVELS, QUEUES
from loantap.surveillance.watchlist.situations import Situation

_MONTH = "datetime64[s]"
# Of a real loan whose months the simulator made from its outcome.
SIMULATED_FROM_OUTCOME: Final = "simulated_from_outcome"
EVENTS_ORIGINS: Final = (*ORIGINS, SIMULATED_FROM_OUTCOME)

_CHANGES = {
	f"{name}_change_{months}m": pa.Column(
		"float64", nullable=True, description=f"{what}, less that of {months} months ago, points"
	)
	for name, what in (("dti", "DTI"), ("utilisation", "Revolving utilisation"))
	for months in (1, 3, 6)
}


def _number(description: str, lowest: float | None = 0, *, nullable: bool = False) -> pa.Column:
	checks = [] if lowest is None else [pa.Check.ge(lowest)]
	return pa.Column("float64", checks, nullable=nullable, description=description)


# One row per loan and month in which the loan is alive at the month's end: it owes something, and
# was not in default before.
LOAN_PANEL = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str"),
		"month": pa.Column(_MONTH, description="First day of the month"),
		"months_on_book": _number("Whole months since the month of issue"),
		"term_months": _number("Term", 1),
		"remaining_months": _number("Months until the last instalment is due"),
		"outstanding_balance": _number("Principal owed at the end of the month"),
		"balance_share": _number("Balance as a share of the funded principal"),
		"instalment": _number("EMI"),
		"interest_rate_pct": _number("Nominal rate per year, percent"),
		"annual_income": _number("Income per year as stated in the application", nullable=True),
		"days_past_due": _number("Age of the oldest unpaid instalment (DPD)"),
		"max_dpd_3m": _number("Highest DPD of the last 3 calendar months, this one included"),
		"max_dpd_6m": _number("Highest DPD of the last 6 calendar months, this one included"),
		"payment_to_emi": _number("Payment of the month as a share of the instalment"),
		"payment_to_emi_3m": _number("The same, mean of the last 3 calendar months that are known"),
		"dti_pct": _number("DTI, percent", nullable=True),
		"utilisation_pct": _number("Revolving utilisation, percent", nullable=True),
		**_CHANGES,
		"origin": pa.Column("str", pa.Check.isin(EVENTS_ORIGINS)),
	},
	strict=True,
	unique=["loan_id", "month"],
	name="loan_panel",
)


# One row per loan that has months.
LOAN_OUTCOMES = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str", unique=True),
		"default_month": pa.Column(_MONTH, nullable=True, description="First month in default"),
		"prepaid_month": pa.Column(_MONTH, nullable=True, description="Paid before it was due"),
		"paid_month": pa.Column(_MONTH, nullable=True, description="Paid in full, early or not"),
		"first_month": pa.Column(_MONTH, description="First month seen"),
		"last_month": pa.Column(_MONTH, description="Last month seen"),
		"contradiction": pa.Column(
			"str",
			pa.Check.isin([NOT_PAID, NOT_LATE, NOT_RUNNING]),
			nullable=True,
			description="How status and months disagree",
		),
	},
	strict=True,
	name="loan_outcomes",
)


def _trend(what: str) -> pa.Column:
	return pa.Column("str", description=f"{what} of the last 12 months, oldest first")


# One row per running loan on the list.
WATCHLIST = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str", unique=True),
		"as_of_month": pa.Column(_MONTH, description="Month of the list"),
		"rank": pa.Column("int64", pa.Check.ge(1), unique=True),
		"queue": pa.Column("str", pa.Check.isin(QUEUES), description="Who deals with it"),
		"level": pa.Column("str", pa.Check.isin(LEVELS)),
		"reason": pa.Column("str", description="One sentence"),
		"triggers": pa.Column("str", description="Names, the most serious first"),
		"sma": pa.Column("str", pa.Check.isin(["", "SMA-0", "SMA-1", "SMA-2"])),
		"days_past_due": _number("Age of the oldest unpaid instalment (DPD)"),
		"outstanding_balance": _number("Principal owed at the end of the month"),
		"pd_12m": pa.Column("float64", pa.Check.in_range(0, 1), description="PD of 12 months"),
		"expected_loss": _number("PD of 12 months x LGD x balance"),
		"expected_loss_avoidable": _number("The part that help is assumed to avoid"),
		"first_seen": pa.Column(_MONTH, description="Month in which it came on the list"),
		"escalated_in": pa.Column(_MONTH, nullable=True, description="When its level last rose"),
		"trend_utilisation": _trend("Revolving utilisation"),
		"trend_dti": _trend("DTI"),
		"trend_dpd": _trend("Days past due"),
		"origin": pa.Column("str", pa.Check.isin(ORIGINS)),
		"events_origin": pa.Column("str", pa.Check.isin(EVENTS_ORIGINS)),
	},
	strict=True,
	name="watchlist",
)

# One row per running loan that is not judged, or on older figures, or contradicts itself.
SITUATIONS = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str", unique=True),
		"situation": pa.Column("str", pa.Check.isin([*Situation])),
		"last_month": pa.Column(_MONTH, nullable=True),
		"months_behind": pa.Column("float64", pa.Check.ge(0), nullable=True),
		"contradiction": pa.Column("str"),
	},
	strict=True,
	name="watchlist_situations",
)


_COUNT = pa.Column("int64", pa.Check.ge(0))

# One row per loan on the watch-list, in its order.
HELP_PLANS = pa.DataFrameSchema(
	{
		"loan_id": pa.Column("str", unique=True),
		"as_of_month": pa.Column(_MONTH),
		"action": pa.Column("str", pa.Check.isin([*Action])),
		"why": pa.Column("str"),
		"emi_now": _number("Instalment of the contract"),
		"emi_new": _number("First of the plan; missing where it stays", nullable=True),
		"emi_later": _number("Instalment after the step", nullable=True),
		"step_months": _number("Months until the step", nullable=True),
		"months_left": _COUNT,
		"months_left_new": _COUNT,
		"shift_days": _COUNT,
		"dti_now": _number("DTI with this instalment, percent", nullable=True),
		"dti_new": _number("The same with `emi_new`", nullable=True),
		"cost": pa.Column("float64"),
		"loss_avoided": _number("Expected"),
		"net_benefit": pa.Column("float64"),
		"origin": pa.Column("str", pa.Check.isin(ORIGINS)),
		"events_origin": pa.Column("str", pa.Check.isin(EVENTS_ORIGINS)),
	},
	strict=True,
	name="help_plans",
)

# One row per check and run.
MONITORING_HISTORY = pa.DataFrameSchema(
	{
		"as_of": pa.Column(_MONTH, description="Day of the run"),
		**{name: pa.Column("str") for name in ("subject", "what", "words")},
		"verdict": pa.Column("str", pa.Check.isin(list(Verdict))),
		**{name: _number("Of the figure", None, nullable=True) for name in ("value", "low", "high", "limit")},
		**{name: pa.Column("int64", pa.Check.ge(0)) for name in ("n", "against_n")},
	},
	strict=True,
	unique=["as_of", "subject", "what"],
	name="monitoring_history",
)
