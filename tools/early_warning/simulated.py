"""How early a list finds simulated loans that will default, and how much of that can be had at all.

    python -m tools.early_warning.simulated --loans 20000

At one moment, of the loans that run and are not in arrears, a list holds the 5% that rank highest.
What defaults within the horizon is known from the simulator's truth, which no ranking but the
oracles' reads. All figures are of simulated loans: they say how the method works, not how borrowers
behave.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Final

import numpy as np
import pandas as pd

from loantap.measures.auc import draw_resamples, measure_auc
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.surveillance.hazard.design import STATE
from loantap.surveillance.hazard.fit import fit_hazard
from loantap.surveillance.hazard.forecast import forecast
from loantap.surveillance.hazard.options import HazardOptions
from tools.benchmarks.configured import read_early_warning
from tools.benchmarks.measured import print_table
from tools.early_warning.detector import MONTHS_FROM_MISSED_TO_DEFAULT, detect
from tools.early_warning.ranks import capture, find_top, show
from tools.early_warning.world import Moment, World, simulate_world, take_moment

LIST_SHARE: Final = 0.05
_HORIZONS: Final = (6, 12)
_TRENDS: Final = tuple(f"{name}_change_{months}m" for name in ("dti", "utilisation") for months in (1, 3, 6))
# Where all stand alike, only trends rank.
_ALIKE: Final = dict(zip(STATE, (0.0, 12.0, 36.0, 24.0), strict=True))


def until_default(moment: Moment) -> FloatArray:
    """Months from now to each loan's default, in truth; infinite for one that will be paid."""
    missed = moment.truth["first_missed_month"].fillna(np.inf)
    return np.asarray(missed + MONTHS_FROM_MISSED_TO_DEFAULT - moment.now["months_on_book"], dtype=float)


def rank_by_trends(world: World, now: pd.DataFrame, months: int, options: HazardOptions) -> FloatArray:
    """The hazard's PD where it knows the changes of DTI and utilisation and nothing else."""
    model = fit_hazard(world.panel.dropna(subset=[*_TRENDS]), world.outcomes, options, _TRENDS)
    return forecast(model, now.assign(**_ALIKE), months).iloc[:, -1].to_numpy()


def measure_lists(
    defaults: IntArray, scores: dict[str, FloatArray], seed: int, resamples: int
) -> dict[str, tuple[float, FloatArray]]:
    """Of each ranking the share of defaults on its list, and the same in bootstrap resamples of the loans."""
    listed = {name: find_top(score, LIST_SHARE, seed) for name, score in scores.items()}
    draws = list(islice(draw_resamples(defaults, seed), resamples))
    return {
        name: (capture(defaults, chosen), np.array([capture(defaults, chosen, times) for times in draws]))
        for name, chosen in listed.items()
    }


def measure_strength(loans: int, day: date, strength: float, seed: int) -> Iterator[tuple[int, str, str]]:
    """Horizon, figure and value, of a world of one signal strength."""
    options = read_early_warning().hazard.model_copy(update={"seed": seed})
    world = simulate_world(loans, day, strength, seed)
    moment = take_moment(world)
    pds = forecast(fit_hazard(world.panel, world.outcomes, options), moment.now)
    until = until_default(moment)
    has_trends = moment.now[[*_TRENDS]].notna().all(axis=1).to_numpy()
    trending = moment.now[has_trends]
    for months in _HORIZONS:
        defaults = (until <= months).astype(np.int64)
        pd_ = pds[f"pd_{months}m"].to_numpy()
        known = detect(moment.loans, moment.truth, moment.history, months)
        scores = {
            "hazard": pd_, "best detector": known.best, "told who, not when": known.told,
            "oracle": defaults.astype(float),
        }  # fmt: skip
        found = measure_lists(defaults, scores, seed, options.resamples)
        yield months, "loans, defaults", f"{len(defaults):,}, {defaults.sum():,}"
        for name, (share, drawn) in found.items():
            yield months, f"capture: {name}", show(share, drawn)
        ours, drawn_ours = found.pop("hazard")
        for name, (share, drawn) in found.items():
            yield months, f"hazard as a share of: {name}", show(ours / share, drawn_ours / drawn)
        listed = find_top(pd_, LIST_SHARE, seed)
        hits = listed & (defaults == 1)
        low, middle, high = np.quantile(until[hits], (0.25, 0.5, 0.75))
        yield months, "lead in months, median (quartiles)", f"{middle:.0f} ({low:.0f}, {high:.0f})"
        yield months, "false entries per true one", f"{(listed.sum() - hits.sum()) / hits.sum():.1f}"
        yield months, "DPD-1, DPD-30: capture now, lead, false per true", _judge_arrears(moment, defaults, months)
        trends = {"trends": rank_by_trends(world, trending, months, options)}
        share, drawn = measure_lists(defaults[has_trends], trends, seed, options.resamples)["trends"]
        yield months, "capture: trends alone", show(share, drawn)
        low, high = perfect_ece_bounds(pd_, seed=seed, resamples=options.resamples)
        error = expected_calibration_error(defaults, pd_)
        yield months, "ECE of the hazard, a perfect model's", f"{error:.4f}, {low:.4f} to {high:.4f}"
        yield months, "mean PD, default rate", f"{pd_.mean():.4f}, {defaults.mean():.4f}"
    misses = (until[has_trends] == MONTHS_FROM_MISSED_TO_DEFAULT + 1).astype(np.int64)
    area, low, high = measure_auc(misses, trending["utilisation_change_6m"].to_numpy())
    yield _HORIZONS[0], "AUC: rise of utilisation, who stops paying next month", f"{area:.3f} [{low:.3f}, {high:.3f}]"


def _judge_arrears(moment: Moment, defaults: IntArray, months: int) -> str:
    """Of rules that wait for arrears: they list none of these loans now, and each once it has missed.

    Month ends are 0, 30 or 60 days overdue, so both rules list the same.
    """
    cured = moment.truth["arrears_month"] - moment.now["months_on_book"]
    false = ((cured > 0) & (cured <= months) & (defaults == 0)).sum() / defaults.sum()
    return f"0, {MONTHS_FROM_MISSED_TO_DEFAULT}, {false:.1f}"


def main() -> None:
    """Print a table for each horizon, a column for each strength."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=20_000, help="resolved ones; those that run come on top")
    parser.add_argument("--day", type=date.fromisoformat, default=date(2016, 3, 1), help="of the list")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 0.5, 1.0, 2.0])
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    found: dict[int, dict[str, list[str]]] = {}
    for strength in given.strengths:
        for months, figure, value in measure_strength(given.loans, given.day, strength, given.seed):
            found.setdefault(months, {}).setdefault(figure, []).append(value)
    for months, figures in found.items():
        title = f"Simulated loans not in arrears in {given.day:%Y-%m}, a 5% list, {months} months ahead"
        rows = [(figure, *values) for figure, values in figures.items()]
        print_table(title, ("signal strength", *(f"{strength:g}" for strength in given.strengths)), rows)


if __name__ == "__main__":
    main()
