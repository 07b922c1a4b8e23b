"""The best that anybody could know of simulated loans from what is seen of them.

A detector that knows the simulator's law: how DTI and utilisation wander, how they rise before an
instalment is missed for good, how strains are spread, and when charge-offs come. It reads all
months through a Kalman filter (local level, Durbin and Koopman, *Time Series Analysis by State
Space Methods*, 2012) and weighs each month in which the trouble may begin. No model of the same
months can rank better but by chance; how far it stays behind the oracle is noise.
"""

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betainc, expit
from scipy.stats import expon

from loantap.portfolio.arrays import FloatArray
from loantap.simulator.courses import DEFAULT_TIMING_BETA, PREPAID_SHARE, ended_share
from loantap.simulator.events import (
    DRIFT_MONTHS,
    DTI_DRIFT_POINTS,
    DTI_NOISE_POINTS,
    DTI_WALK_POINTS,
    UTILISATION_DRIFT_POINTS,
    UTILISATION_NOISE_POINTS,
    UTILISATION_WALK_POINTS,
)
from tools.early_warning.world import HORIZON, MISSED_TO_DEFAULT, Snapshot

# Older months say nothing more of a level that wanders.
_MONTHS: Final = 24
# Strains that stand for the exponential law, and the bounds of what each stands for.
_STRAINS: Final = np.array([0.1, 0.3, 0.6, 1.0, 1.5, 2.2, 3.5])
_BOUNDS: Final = np.array([0.0, 0.2, 0.45, 0.8, 1.25, 1.85, 2.8, np.inf])
_UNKNOWN: Final = 1e4
_LARGEST: Final = 50.0
# Points of drift by a strain of one, deviation of a step and of the noise.
_SERIES: Final = {
    "dti_pct": (DTI_DRIFT_POINTS, DTI_WALK_POINTS, DTI_NOISE_POINTS),
    "utilisation_pct": (
        UTILISATION_DRIFT_POINTS, UTILISATION_WALK_POINTS, UTILISATION_NOISE_POINTS,
    ),
}  # fmt: skip


def detect(snapshot: Snapshot, strength: float) -> FloatArray:
    """Probability of default within a year given all that is seen, of loans not in arrears now."""
    age, term = (snapshot.now[n].to_numpy() for n in ("months_on_book", "term_months"))
    default = expit(snapshot.true_odds)

    def missed_by(months: int) -> FloatArray:
        share = np.clip((age + months) / term, 0, 1)
        return np.asarray(default * betainc(*DEFAULT_TIMING_BETA, share))

    # Months until the first one missed for good; those that are not late have not missed this one.
    soon = range(1, DRIFT_MONTHS)
    chances = np.column_stack([missed_by(months) - missed_by(months - 1) for months in soon])
    weights = np.diff(expon.cdf(_BOUNDS))
    bounded = np.clip(_log_ratios(snapshot, strength), -_LARGEST, _LARGEST)
    ratios = np.exp(bounded) @ weights
    until = HORIZON - MISSED_TO_DEFAULT
    bad = (chances * ratios).sum(axis=1) + missed_by(until) - missed_by(DRIFT_MONTHS - 1)
    good = (1 - default) * (1 - PREPAID_SHARE * ended_share(term, age))
    return np.asarray(bad / (bad + good + default - missed_by(until)))


def _log_ratios(snapshot: Snapshot, strength: float) -> FloatArray:
    """Log-likelihood of drift to that of none: loans x months until missed x strains."""
    months = snapshot.panel["month"]
    now = snapshot.now["month"].iloc[0]
    lag = ((now.year - months.dt.year) * 12 + now.month - months.dt.month).to_numpy()
    places = pd.Index(snapshot.now["loan_id"]).get_indexer(snapshot.panel["loan_id"])
    kept = (places >= 0) & (lag < _MONTHS)
    size = len(snapshot.now), DRIFT_MONTHS - 1, len(_STRAINS)
    ratios: FloatArray = np.zeros(size)
    missed = np.arange(1, DRIFT_MONTHS)
    for name, (points, walk, noise) in _SERIES.items():
        seen = np.full((len(snapshot.now), _MONTHS), np.nan)
        seen[places[kept], _MONTHS - 1 - lag[kept]] = snapshot.panel[name].to_numpy()[kept]
        earlier = np.arange(_MONTHS)[::-1, None]
        ramps = np.clip((DRIFT_MONTHS - missed - earlier) / DRIFT_MONTHS, 0, 1)
        ratios += _filter(seen, ramps * points * strength, walk, noise)
    return ratios


def _filter(seen: FloatArray, drift: FloatArray, walk: float, noise: float) -> FloatArray:
    """`_log_ratios` of one series, missing values being none; `drift` is months x hypotheses."""
    loans, hypotheses = len(seen), drift.shape[1]
    level, variance = np.zeros(loans), np.full(loans, _UNKNOWN)
    shifted = np.zeros((loans, hypotheses))
    is_begun = np.zeros(loans, dtype=bool)
    ratios = np.zeros((loans, hypotheses, len(_STRAINS)))
    for value, drifted in zip(seen.T, drift, strict=True):
        is_seen = ~np.isnan(value)
        variance = variance + walk**2
        spread = variance + noise**2
        gain = np.where(is_seen, variance / spread, 0.0)
        surprise = np.where(is_seen, value - level, 0.0)
        # The filter is linear: a drift shifts each surprise by what it makes of the drift alone.
        shift = drifted - shifted
        raised = shift[:, :, None] * _STRAINS
        gained = (surprise[:, None, None] * raised - raised**2 / 2) / spread[:, None, None]
        ratios += np.where((is_seen & is_begun)[:, None, None], gained, 0.0)
        level = level + gain * surprise
        shifted = shifted + gain[:, None] * shift
        variance = (1 - gain) * variance
        is_begun = is_begun | is_seen
    return ratios
