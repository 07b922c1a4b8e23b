"""Lists of a given length out of scores, and the share of defaults that they hold."""

import numpy as np

from loantap.measures.auc import quantile_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray


def find_top(score: FloatArray, share: float, seed: int) -> BoolArray:
    """Whether each is among the highest so many; of equal ones chance decides."""
    shuffled = np.random.default_rng(seed).permutation(len(score))
    order = shuffled[np.argsort(-score[shuffled], kind="stable")]
    in_top = np.zeros(len(score), dtype=bool)
    in_top[order[: round(share * len(score))]] = True
    return in_top


def capture(defaults: IntArray, listed: BoolArray, times: IntArray | int = 1) -> float:
    """Share of defaults that are listed, each loan counted so many times."""
    return float((defaults * listed * times).sum() / (defaults * times).sum())


def show(value: float, drawn: FloatArray) -> str:
    """A figure with its 95% bootstrap interval."""
    low, high = quantile_bounds(drawn)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
