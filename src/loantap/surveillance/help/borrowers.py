"""What the rules of help look at: one row per loan on the watch-list, in its order."""

from typing import Final

import pandas as pd

from loantap.portfolio.amortisation import MONTHS_PER_YEAR
from loantap.surveillance.watchlist.options import WatchlistOptions
from loantap.tables.rows import LongTable, read_batches

_ARREARS: Final = ("days_past_due", "max_dpd_", "payment_to_emi")
_FROM_PANEL: Final = (
    "loan_id", "month", "instalment", "interest_rate_pct", "remaining_months", "annual_income", "dti_pct",
    "max_dpd_6m",
)  # fmt: skip
# As far back as `max_dpd_6m` looks.
_MONTHS: Final = 6


def describe_borrowers(
    watchlist: pd.DataFrame, panel: pd.DataFrame | LongTable, listing: WatchlistOptions, dti_includes_instalment: bool
) -> pd.DataFrame:
    """The entries with the figures of each loan's last month up to the list's.

    Adds monthly `income` and `other_dti_pct`, without this loan (missing where either is), and
    `late_months` of six and `is_arrears_alone`: no other trigger fired.
    """
    listed = watchlist[["loan_id", "as_of_month"]]
    parts = []
    for batch in read_batches(panel, _FROM_PANEL):
        rows = batch.merge(listed, on="loan_id")
        parts.append(rows[rows["month"] <= rows["as_of_month"]].drop(columns=["month", "as_of_month"]))
    last = pd.concat(parts).drop_duplicates("loan_id", keep="last")
    found = watchlist.merge(last, on="loan_id", how="left", validate="1:1")
    income = found["annual_income"] / MONTHS_PER_YEAR
    own = 100 * found["instalment"] / income if dti_includes_instalment else 0.0
    is_known = (income > 0) & found["dti_pct"].notna()
    alone = {
        text: all(listing.triggers[name].figure.startswith(_ARREARS) for name in text.split(", "))
        for text in found["triggers"].unique()
    }
    late = [sum(float(days) > 0 for days in text.split()[-_MONTHS:]) for text in found["trend_dpd"]]
    return found.assign(
        income=income.where(is_known),
        other_dti_pct=(found["dti_pct"] - own).clip(lower=0).where(is_known),
        late_months=pd.Series(late, index=found.index, dtype="int64"),
        is_arrears_alone=found["triggers"].map(alone).astype("bool"),
    )
