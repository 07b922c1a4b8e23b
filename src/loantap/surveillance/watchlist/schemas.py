"""Pandera schemas of the watch-list, named in the catalog."""

import pandera.pandas as pa

from loantap.portfolio.dictionary import ORIGINS
from loantap.surveillance.panel.schemas import EVENTS_ORIGINS
from loantap.surveillance.watchlist.options import LEVELS, QUEUES
from loantap.surveillance.watchlist.situations import Situation

_MONTH = "datetime64[s]"


def _amount(description: str) -> pa.Column:
    return pa.Column("float64", pa.Check.ge(0), description=description)


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
        "days_past_due": _amount("Age of the oldest unpaid instalment (DPD)"),
        "outstanding_balance": _amount("Principal owed at the end of the month"),
        "pd_12m": pa.Column("float64", pa.Check.in_range(0, 1), description="PD of 12 months"),
        "expected_loss": _amount("PD of 12 months x LGD x balance"),
        "expected_loss_avoidable": _amount("The part that help is assumed to avoid"),
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
