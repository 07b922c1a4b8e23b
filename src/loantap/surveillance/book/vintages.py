"""Vintage curves: what share of the loans of a year defaulted, and was paid early, by when."""

from typing import Final

import duckdb
import numpy as np
import pandas as pd

from loantap.measures.intervals import Z95
from loantap.portfolio.arrays import FloatArray

# Of an event that has not come in n loans, the 95% bound is 1 - 0.025^(1/n), as Clopper-Pearson's.
_TAIL: Final = 0.025


def cumulate_incidence(counts: pd.DataFrame, causes: tuple[str, ...]) -> pd.DataFrame:
	"""Share of loans that ended by each cause within so many months: Aalen-Johansen.

	One minus Kaplan-Meier of one cause would count a prepaid loan as if it could still default.

	One row per month on book, ascending, each that ends a loan: `at_risk` (seen in it, not ended before) and loans
	ended per cause; `causes` hold all ends.

	Returns:
		`counts` with `<cause>_share`, `<cause>_low`, `<cause>_high`: the incidence and its 95% bounds on the scale of
		log(-log), by the delta method.

	Source: Aalen, Johansen (1978); variance as in Marubini, Valsecchi, *Analysing Survival Data* (1995), 10.2.
	"""
	at_risk = counts["at_risk"].to_numpy(dtype=float)
	ends = counts[[*causes]].sum(axis=1).to_numpy(dtype=float)
	hazard = np.divide(ends, at_risk, out=np.zeros_like(ends), where=at_risk > 0)
	before = np.concatenate([[1.0], np.cumprod(1 - hazard)[:-1]])
	added: dict[str, FloatArray] = {}
	for cause in causes:
		ended = counts[cause].to_numpy(dtype=float)
		step = np.divide(ended, at_risk, out=np.zeros_like(ended), where=at_risk > 0)
		share = np.cumsum(before * step)
		error = np.sqrt(_variance(share, before, ended, ends, at_risk))
		low, high = _bound(share, error, at_risk)
		added |= {f"{cause}_share": share, f"{cause}_low": low, f"{cause}_high": high}
	return counts.assign(**added)


def _variance(
	share: FloatArray, before: FloatArray, ended: FloatArray, ends: FloatArray, at_risk: FloatArray
) -> FloatArray:
	"""Sums over s up to t of terms in F(t) - F(s), by their powers of F(t)."""
	n = np.maximum(at_risk, 1)
	# After the last loans' end nothing is added.
	left = np.where(n > ends, n - ends, np.inf)
	greenwood = ends / (n * left)
	own = before**2 * ended * (n - ended) / n**3
	cross = before * ended / n**2
	squared = share**2 * np.cumsum(greenwood) - 2 * share * np.cumsum(share * greenwood) + np.cumsum(share**2 * greenwood)
	product = share * np.cumsum(cross) - np.cumsum(share * cross)
	variance: FloatArray = np.maximum(squared + np.cumsum(own) - 2 * product, 0)
	return variance


def _bound(share: FloatArray, error: FloatArray, at_risk: FloatArray) -> tuple[FloatArray, FloatArray]:
	inside = (share > 0) & (share < 1)
	known = np.where(inside, share, 0.5)
	half = Z95 * error / (known * -np.log(known))
	low = np.where(inside, known ** np.exp(half), share)
	high = np.where(inside, known ** np.exp(-half), share)
	most = np.maximum.accumulate(at_risk)
	rule = 1 - _TAIL ** (1 / np.maximum(most, 1))
	return low, np.where(share == 0, rule, high)


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

	A curve ends where fewer than `least_at_risk` are left: one loan would move it by points.

	Returns:
		One row per `vintage` (issue year), `term_months` and `months_on_book` in which a loan came or went: `loans` of
		the vintage, `at_risk`, ends by cause in it (`default`: first month 90 days past due, or the charge-off;
		`prepaid`; `matured`) and incidence with bounds.
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
