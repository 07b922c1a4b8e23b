"""What can be known of simulated loans at all: detectors that know the simulator's law.

A loan that is not in arrears will miss its first instalment in one of the months to come, or never.
Bayes' rule weighs these by the law of `simulator.courses`, and by how DTI and utilisation went so
far: a known drift in a random walk with noise, whose likelihood ratio has a closed form.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betainc, log_ndtr

from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.simulator import AS_OF_MONTH, events, true_log_odds
from loantap.simulator.courses import (
    ARREARS_SHARE_CHARGED_OFF,
    ARREARS_SHARE_FULLY_PAID,
    CHARGED_OFF_END,
    DEFAULT_TIMING_BETA,
    PREPAID_SHARE,
    ended_share,
)
from loantap.simulator.running import running_per_resolved

# A default is the third month end with an instalment unpaid.
MONTHS_FROM_MISSED_TO_DEFAULT: Final = 2
_LONGEST: Final = 60
# Log-odds beyond this are as good as it.
_MOST: Final = 300
# Of each figure: base in the loans, months in the panel, points of drift, of a walk's step, of noise.
_FIGURES: Final = (
    ("dti_pct", "dti_pct", events.DTI_DRIFT_POINTS, events.DTI_WALK_POINTS, events.DTI_NOISE_POINTS),
    (
        "revolving_utilisation_pct", "utilisation_pct", events.UTILISATION_DRIFT_POINTS,
        events.UTILISATION_WALK_POINTS, events.UTILISATION_NOISE_POINTS,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detected:
    """Chances of default within a horizon, one per loan.

    Attributes:
        best: to who knows the law and sees the months; nobody can rank better on what is known.
        told: to who is told besides which loans will be charged off and their strain, not when.
    """

    best: FloatArray
    told: FloatArray


def detect(loans: pd.DataFrame, truth: pd.DataFrame, panel: pd.DataFrame, months: int) -> Detected:
    """Chances of loans that are alive and not in arrears, whose months up to now `panel` has.

    `loans` and `truth` have the same order; the panel has each loan's months in order.
    """
    of_loan = pd.Index(loans["loan_id"]).get_indexer(panel["loan_id"])
    age = np.bincount(of_loan, minlength=len(loans))
    fit, information = _weigh_months(loans, panel, of_loan, age, float(truth["drift_strength"].iloc[0]))
    term = loans["term_months"].to_numpy(dtype=np.int64)
    ahead = np.arange(_LONGEST + 1)
    reached = betainc(*DEFAULT_TIMING_BETA, np.clip((age[:, None] + ahead) / term[:, None], 0, 1))
    # The law's odds are of loans resolved by March 2017; each stands for others that then run.
    seen = (AS_OF_MONTH - loans["issue_month"].to_numpy().astype("datetime64[M]")).astype(np.int64)
    paid, lost = running_per_resolved(term, seen)
    odds = np.exp(true_log_odds(loans).to_numpy()) * (1 + lost) / (1 + paid)
    misses = odds[:, None] * np.diff(reached, axis=1)
    stays = np.where(age < term, 1 - PREPAID_SHARE * ended_share(term, age), 0.0)
    was_late = np.bincount(of_loan, panel["days_past_due"] > 0, len(loans)) > 0
    stays *= np.where(was_late, ARREARS_SHARE_FULLY_PAID / ARREARS_SHARE_CHARGED_OFF, 1)
    strain = truth["strain"].to_numpy()[:, None]
    is_lost = (truth["end"] == CHARGED_OFF_END).to_numpy()
    last = months - MONTHS_FROM_MISSED_TO_DEFAULT
    best = _chance(misses, _average_ratio(fit, information), stays, last)
    told = _chance(
        misses, np.exp(np.minimum(strain * fit - strain**2 * information / 2, _MOST)), np.zeros(len(stays)), last
    )
    return Detected(best, np.where(is_lost, told, 0.0))


def _chance(misses: FloatArray, ratio: FloatArray, stays: FloatArray, last: int) -> FloatArray:
    drifting = ratio.shape[1]
    weighed = np.hstack([misses[:, :drifting] * ratio, misses[:, drifting:]])
    total = weighed.sum(axis=1) + stays
    return np.asarray(np.divide(weighed[:, :last].sum(axis=1), total, out=np.zeros(len(total)), where=total > 0))


def _average_ratio(fit: FloatArray, information: FloatArray) -> FloatArray:
    """Likelihood ratio of a drift of unknown strain, whose law is exponential with mean 1."""
    known = np.maximum(information, 1e-9)
    z = (fit - 1) / np.sqrt(known)
    logs = np.log(2 * np.pi / known) / 2 + z**2 / 2 + log_ndtr(z)
    return np.where(information > 1e-9, np.exp(np.minimum(logs, _MOST)), 1.0)


def _weigh_months(
    loans: pd.DataFrame, panel: pd.DataFrame, of_loan: IntArray, age: IntArray, strength: float
) -> tuple[FloatArray, FloatArray]:
    """How well a drift of strain 1 fits each loan, by months until the first missed one, and how sure that is."""
    drifting = np.arange(1, events.DRIFT_MONTHS)
    fit, information = np.zeros((2, len(loans), len(drifting)))
    for base, figure, points, walk, noise in _FIGURES:
        moved = panel[figure].to_numpy() - loans[base].to_numpy()[of_loan]
        for months in np.unique(age):
            chosen: BoolArray = age == months
            path = moved[chosen[of_loan]].reshape(-1, months)
            month = np.arange(1, months + 1)
            ramp = np.clip((month - (months + drifting[:, None]) + events.DRIFT_MONTHS) / events.DRIFT_MONTHS, 0, 1)
            drift = strength * points * ramp
            spread = walk**2 * (np.minimum(month, month[:, None]) - 1) + noise**2 * np.eye(months)
            weights = np.linalg.solve(spread, drift.T)
            is_known = ~np.isnan(path).any(axis=1)[:, None]
            fit[chosen] += np.where(is_known, np.nan_to_num(path) @ weights, 0)
            information[chosen] += is_known * (drift * weights.T).sum(axis=1)
    return fit, information
