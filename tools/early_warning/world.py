"""A simulated book at a snapshot, what anybody sees of it then, and what the world holds."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betainc, expit

from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.dictionary import RESOLVED, SIMULATED
from loantap.simulator import iter_book, iter_months
from loantap.simulator.courses import DEFAULT_TIMING_BETA, PREPAID_SHARE, ended_share
from loantap.simulator.events import DRIFT_MONTHS
from loantap.surveillance.hazard.outcomes import find_outcomes
from loantap.surveillance.panel.build import build_panel
from loantap.surveillance.panel.options import PanelOptions

HORIZON: Final = 12
# The instalment missed for good is 90 days old two months after the month in which it was missed.
MISSED_TO_DEFAULT: Final = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known in one month, and the truth about it.

    Attributes:
        panel: of all loans, up to the month.
        outcomes: as they are known then.
        now: the panel's rows of the month.
        ahead: months from now to the first instalment missed for good, one per row of `now`;
            infinite where there is none.
        latent: the drift that DTI and utilisation hold now, without noise, one per row of `now`.
        is_late_once: whether one instalment is missed within a year from now and then paid.
        true_odds: log-odds of ever defaulting, by the simulator's rule; the same.
    """

    panel: pd.DataFrame
    outcomes: pd.DataFrame
    now: pd.DataFrame
    ahead: FloatArray
    latent: FloatArray
    is_late_once: BoolArray
    true_odds: FloatArray

    @property
    def defaults(self) -> IntArray:
        """1 where a loan is 90 days past due within a year from now."""
        return (self.ahead + MISSED_TO_DEFAULT <= HORIZON).astype(np.int64)

    @property
    def is_current(self) -> BoolArray:
        """Who is not in arrears now."""
        return np.asarray(self.now["days_past_due"] == 0)

    def know_latent(self) -> FloatArray:
        """The oracle: probability of default within a year, given the latent state of now.

        A loan that drifts misses an instalment for good within six months. Of another that is
        known, and how the law of charge-offs and early payments goes on from its age.
        """
        age, term = (self.now[n].to_numpy() for n in ("months_on_book", "term_months"))
        default = expit(self.true_odds)
        # Without a signal a loan that misses its next instalment looks like any other.
        unseen = DRIFT_MONTHS - 1 if self.latent.any() else 0
        from_, until = (
            betainc(*DEFAULT_TIMING_BETA, np.clip((age + months) / term, 0, 1))
            for months in (unseen, HORIZON - MISSED_TO_DEFAULT)
        )
        stays = (1 - default) * (1 - PREPAID_SHARE * ended_share(term, age))
        later = default * (until - from_) / (default * (1 - from_) + stays)
        return np.where(self.latent > 0, 1.0, later)


def take_snapshot(
    loans: int, seed: int, month: np.datetime64, drift_strength: float, options: PanelOptions
) -> Snapshot:
    """Simulate a book as of a month, and read it as `early_warning` does.

    Args:
        loans: size of the simulated world; see `iter_book`.
        seed: of it.
        month: of the snapshot.
        drift_strength: how far DTI and utilisation rise before a default.
        options: of the panel.
    """
    batches = [
        (book.portfolio, book.truth.assign(drift_strength=drift_strength))
        for book in iter_book(loans, seed, month)
    ]
    portfolio, truth = (pd.concat(each, ignore_index=True) for each in zip(*batches, strict=True))
    terms = (portfolio[n] for n in ("instalment", "interest_rate_pct", "term_months"))
    known = portfolio.assign(funded_principal=implied_principal(*terms), origin=SIMULATED)
    events = pd.concat(iter_months(iter(batches), seed, month), ignore_index=True)
    months = build_loan_months(events, known).rows.assign(origin=SIMULATED)
    panel = build_panel(months, known, options)
    is_resolved = known["loan_status"].isin(RESOLVED)
    outcomes = find_outcomes(months, known[is_resolved], known[~is_resolved])
    now = panel[panel["month"] == pd.Timestamp(month)].reset_index(drop=True)
    own = now[["loan_id"]].merge(truth, on="loan_id", how="left", validate="1:1")
    ahead = own["first_missed_month"].fillna(np.inf).to_numpy() - now["months_on_book"].to_numpy()
    ramp = np.clip((DRIFT_MONTHS - ahead) / DRIFT_MONTHS, 0, 1)
    latent = ramp * own["strain"].to_numpy() * drift_strength
    until_late = own["arrears_month"].to_numpy() - now["months_on_book"].to_numpy()
    return Snapshot(
        panel,
        outcomes,
        now,
        ahead,
        latent,
        is_late_once=(until_late > 0) & (until_late <= HORIZON),
        true_odds=own["true_log_odds"].to_numpy(),
    )
