"""Monthly events of loans, simulated from each loan's outcome.

Nobody observed these months: they are made so that amount, rate, term and outcome agree with
them. A loan that was paid amortises, sometimes prepays and is seldom a month late; a loan that
was charged off stops paying, after months in which DTI and utilisation drift upward; a running one
is as far behind in its last month as its status says. Anything
measured on them says how a method works, not how borrowers behave.

Whole columns are computed at once: a loan's month k has a balance in closed form, so nothing
steps through time.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pandas as pd

from loantap.portfolio.amortisation import emi, scheduled_balance
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.dictionary import COLUMNS
from loantap.simulator.courses import Courses, Draws, can_be_followed, draw_courses
from loantap.simulator.streams import Streams

DAYS_PER_INSTALMENT: Final = 30

# Percentage points added over the months before the first missed payment by a borrower of average
# strain; strain is exponential, so that many show little. Strength 0 leaves noise alone.
DRIFT_MONTHS: Final = 6
DTI_DRIFT_POINTS: Final = 4.0
UTILISATION_DRIFT_POINTS: Final = 12.0
# Every borrower's figures also wander: a random walk (points a month) and an error of reporting.
DTI_WALK_POINTS: Final = 0.5
DTI_NOISE_POINTS: Final = 0.8
UTILISATION_WALK_POINTS: Final = 2.0
UTILISATION_NOISE_POINTS: Final = 4.0
HUNDREDTHS: Final = 100

# Of 24 months each, as a loan has on average.
CHUNK_LOANS: Final = 5_000

EVENT_COLUMNS: Final = (
    "loan_id", "month", "outstanding_balance", "days_past_due", "payment", "current_dti_pct",
    "current_utilisation_pct",
)  # fmt: skip


def simulate_events(loans: pd.DataFrame, seed: int, drift_strength: float = 1.0) -> pd.DataFrame:
    """Simulate the months of each loan up to its end: one row per loan and month.

    Args:
        loans: one row per loan with `loan_id, loan_amount, term_months, interest_rate_pct,
            instalment, issue_month, loan_status, dti_pct, revolving_utilisation_pct`; the last
            two may be missing and are then missing in each month.
        seed: non-negative; same loans and seed, same events.
        drift_strength: factor on the drift of DTI and utilisation before default.

    Returns:
        `loan_id, month, outstanding_balance, days_past_due, payment, current_dti_pct,
        current_utilisation_pct`, loans in the order given, months ascending, none after
        `AS_OF_MONTH`. Balance = previous balance x (1 + rate / 12) - payment, to the cent; it
        is 0 in the last month of a paid loan and what is lost in that of a charged-off one. A
        running loan goes on until `AS_OF_MONTH`, or until the month before its last instalment. A
        charged-off loan ends 120 or 150 days past due, less when it was issued so late that
        `AS_OF_MONTH` comes first. A loan no month of which can be made up (amount, rate,
        instalment or month missing or not positive, unknown term or status, issued in that month
        or later) has no rows.
    """
    chunks = list(iter_events([loans], seed, max(len(loans), 1), drift_strength))
    return chunks[0]


def iter_events(
    batches: Iterable[pd.DataFrame],
    seed: int,
    chunk_loans: int = CHUNK_LOANS,
    drift_strength: float = 1.0,
) -> Iterator[pd.DataFrame]:
    """Yield `simulate_events` of all the loans, at most `chunk_loans` at a time, to bound memory.

    Joined they equal `simulate_events` of the joined loans: each random quantity has a stream of
    its own that runs on from chunk to chunk, one draw per loan or row. Yields one empty frame for a
    batch without loans. Raises ValueError for a chunk of fewer than one loan.
    """
    if chunk_loans < 1:
        raise ValueError(f"iter_events: chunk_loans = {chunk_loans!r}; give at least 1")
    draws = Draws(Streams(seed))
    for loans in batches:
        followed = loans[can_be_followed(loans)]
        for start in range(0, max(len(followed), 1), chunk_loans):
            chunk = followed.iloc[start : start + chunk_loans]
            yield _simulate_chunk(chunk, draws, drift_strength)


def _simulate_chunk(loans: pd.DataFrame, draws: Draws, drift_strength: float) -> pd.DataFrame:
    """Events of loans that can all be followed."""
    course = draw_courses(loans, draws)
    of_loan = np.repeat(np.arange(len(loans)), course.last)
    first_row = np.cumsum(course.last) - course.last
    month = np.arange(len(of_loan)) - first_row[of_loan] + 1
    issued = loans["issue_month"].to_numpy().astype("datetime64[M]")
    behind = _instalments_behind(course, of_loan, month)
    balance, payment = _balances(loans, course, of_loan, month, behind)
    strain = course.strain * drift_strength
    ramp = np.clip((month - course.missed[of_loan] + DRIFT_MONTHS) / DRIFT_MONTHS, 0, 1)
    stops = course.missed <= course.last
    drift = np.where(stops[of_loan], ramp * strain[of_loan], 0.0)
    starts = first_row[of_loan]
    frame = pd.DataFrame(
        {
            "month": (issued[of_loan] + month).astype("datetime64[s]"),
            "outstanding_balance": balance,
            "days_past_due": behind * float(DAYS_PER_INSTALMENT),
            "payment": payment,
            "current_dti_pct": _wander(
                "current_dti_pct",
                loans["dti_pct"].to_numpy()[of_loan] + drift * DTI_DRIFT_POINTS,
                starts,
                draws,
                (DTI_WALK_POINTS, DTI_NOISE_POINTS),
            ),
            "current_utilisation_pct": _wander(
                "current_utilisation_pct",
                loans["revolving_utilisation_pct"].to_numpy()[of_loan]
                + drift * UTILISATION_DRIFT_POINTS,
                starts,
                draws,
                (UTILISATION_WALK_POINTS, UTILISATION_NOISE_POINTS),
            ),
        }
    )
    identifiers = loans["loan_id"].take(of_loan).reset_index(drop=True)
    return frame.assign(loan_id=identifiers)[list(EVENT_COLUMNS)]


def _instalments_behind(course: Courses, of_loan: IntArray, month: IntArray) -> IntArray:
    """Unpaid instalments at the end of each row's month."""
    unpaid = np.maximum(month - course.missed[of_loan] + 1, 0)
    behind: IntArray = unpaid + (month == course.arrears[of_loan])
    return behind


def _balances(
    loans: pd.DataFrame, course: Courses, of_loan: IntArray, month: IntArray, behind: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Balance at the end of each row's month and the payment in it, in cents.

    With n instalments behind, the balance is the scheduled one of n months ago grown by n months
    of interest. The payment is what makes balance follow from balance: the instalment, twice that
    and interest where arrears are cured, nothing while payments stop, all that is owed at the end.
    """
    amount, instalment, rate, term = (
        loans[name].to_numpy(dtype=float)
        for name in ("loan_amount", "instalment", "interest_rate_pct", "term_months")
    )
    agreed = emi(amount, rate, term)
    # A part-funded loan amortises what was paid out, which its instalment implies.
    principal = np.where(np.abs(instalment - agreed) > 0.05, amount * instalment / agreed, amount)
    growth = 1 + rate / 1200
    balance = scheduled_balance(
        principal[of_loan], rate[of_loan], term[of_loan], np.maximum(month - behind, 0)
    )
    balance = np.round(balance * growth[of_loan] ** behind, 2)
    is_last = month == course.last[of_loan]
    balance = np.where(is_last & course.is_paid[of_loan], 0.0, balance)
    previous = np.empty_like(balance)
    previous[1:] = balance[:-1]
    opens = month == 1
    previous[opens] = np.round(principal[of_loan[opens]], 2)
    # A missed month leaves a rounding of half a cent; nothing was paid in it.
    payment = np.where(behind > 0, 0.0, np.round(previous * growth[of_loan] - balance, 2))
    return balance, payment


def _wander(
    name: str, level: FloatArray, starts: IntArray, draws: Draws, points: tuple[float, float]
) -> FloatArray:
    """Add to each row's level a random walk from its loan's start and noise; two decimals.

    `points` are the standard deviations of a step of the walk and of the noise. Steps are whole
    hundredths, so that their running sum is exact and does not depend on the chunk.
    """
    walk, noise = points
    column = COLUMNS[name]
    steps = draws[f"{name} walk"].standard_normal(len(level)) * (walk * HUNDREDTHS)
    total = np.cumsum(np.rint(steps).astype(np.int64))
    moved = (total - total[starts]) / HUNDREDTHS
    noisy = level + moved + noise * draws[f"{name} noise"].standard_normal(len(level))
    within: FloatArray = np.clip(noisy, column.minimum, column.maximum)
    return within.round(2)
