"""Vintage curves: what share of the loans of a year defaulted, and was paid early, by when."""

from typing import Final

import duckdb
import pandas as pd

from loantap.surveillance.book.incidence import cumulate_incidence

CAUSES: Final = ("default", "prepaid", "matured")
_BY: Final = ["vintage", "term_months"]
LEAST_AT_RISK: Final = 30
# At risk from the first month seen to the one in which it ends, or is seen last. A default ends it
# here, whatever became of it since.
_COUNTS: Final = """
WITH risk AS (
    SELECT (issued - 1) // 12 AS vintage, term AS term_months, first_month - issued AS entry,
           coalesce(default_month, until) - issued AS leave,
           CASE WHEN default_month IS NOT NULL THEN 'default'
                WHEN paid_month - issued < term THEN 'prepaid'
                WHEN paid_month IS NOT NULL THEN 'matured' ELSE 'censored' END AS cause
    FROM course
), steps AS (
    SELECT vintage, term_months, greatest(entry, 1) AS month, 1 AS step, 'entry' AS cause FROM risk
    UNION ALL SELECT vintage, term_months, greatest(leave, 1), -1, cause FROM risk
), months AS (
    SELECT vintage, term_months, month AS months_on_book,
           count(*) FILTER (cause = 'entry') AS entered,
           count(*) FILTER (step = -1) AS "left",
           count(*) FILTER (cause = 'default') AS "default",
           count(*) FILTER (cause = 'prepaid') AS prepaid,
           count(*) FILTER (cause = 'matured') AS matured
    FROM steps GROUP BY ALL
)
SELECT vintage::INTEGER AS vintage, term_months::INTEGER AS term_months,
       months_on_book::INTEGER AS months_on_book,
       (sum(entered) OVER (w ROWS UNBOUNDED PRECEDING)
        - coalesce(sum("left") OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
       )::INTEGER AS at_risk,
       "default"::INTEGER AS "default", prepaid::INTEGER AS prepaid, matured::INTEGER AS matured
FROM months WINDOW w AS (PARTITION BY vintage, term_months ORDER BY months_on_book)
ORDER BY ALL
"""


def draw_vintages(connection: duckdb.DuckDBPyConnection, least_at_risk: int = LEAST_AT_RISK) -> pd.DataFrame:
    """The curves of each issue year and term, from a ledger.

    A curve ends where fewer than `least_at_risk` loans are left: one would move it by points.

    Returns:
        One row per `vintage` (issue year), `term_months` and `months_on_book` in which a loan came or went: `loans` of
        the vintage, `at_risk`, ends by cause in that month (`default`: first month 90 days past due, or the charge-off;
        `prepaid`; `matured`) and the incidence with its bounds, see `cumulate_incidence`.
    """
    counts = connection.sql(_COUNTS).df()
    curves = []
    for _, rows in counts.groupby(_BY, sort=True):
        curve = cumulate_incidence(rows.reset_index(drop=True), CAUSES)
        largest = curve["at_risk"].max()
        thin = curve["at_risk"].lt(least_at_risk) & curve["at_risk"].lt(largest)
        # A vintage that starts late is thin before its peak too.
        is_over = thin & (curve.index > curve["at_risk"].idxmax())
        curves.append(curve[~is_over.cummax()].assign(loans=int(largest)))
    return pd.concat(curves, ignore_index=True)
