"""How early a list finds simulated loans that will default, and how much of that can be had at all.

    python -m tools.early_warning.simulated --loans 20000

Of the loans that run and are not in arrears at one moment, a list holds the 5% that rank highest.
The simulator's truth says what defaults later; of the rankings only the oracles' read it.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from typing import Final

import numpy as np

from loantap.measures.auc import measure_auc
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.portfolio.arrays import FloatArray
from loantap.surveillance.hazard.design import STATE
from loantap.surveillance.hazard.fit import fit_hazard
from loantap.surveillance.hazard.forecast import forecast
from tools.benchmarks.configured import read_early_warning
from tools.benchmarks.measured import print_table
from tools.early_warning.card_figures import capture, find_top, show
from tools.early_warning.detector import MONTHS_TO_DEFAULT, World, detect, simulate_world

LIST_SHARE: Final = 0.05
_TRENDS: Final = tuple(f"{name}_change_{months}m" for name in ("dti", "utilisation") for months in (1, 3, 6))
# Where all stand alike, trends alone rank.
_ALIKE: Final = dict(zip(STATE, (0.0, 12.0, 36.0, 24.0), strict=True))


def until_default(world: World) -> FloatArray:
  """Months from now to each loan's default, in truth; infinite for one that will be paid."""
  missed = world.truth["first_missed_month"].fillna(np.inf)
  return np.asarray(missed + MONTHS_TO_DEFAULT - world.now["months_on_book"], dtype=float)


def measure_strength(loans: int, day: date, strength: float, seed: int) -> Iterator[tuple[str, str]]:
  """Figures of a world of one signal strength, each with its name."""
  options = read_early_warning().hazard.model_copy(update={"seed": seed})
  world = simulate_world(loans, day, strength, seed)
  pds = forecast(fit_hazard(world.panel, world.outcomes, options), world.now)
  known = world.panel.dropna(subset=[*_TRENDS])
  by_trends = forecast(fit_hazard(known, world.outcomes, options, _TRENDS), world.now.assign(**_ALIKE))
  has_trends = world.now[[*_TRENDS]].notna().all(axis=1).to_numpy()
  until = until_default(world)
  for months in (6, 12):
    name = f"pd_{months}m"
    defaults = (until <= months).astype(np.int64)
    pd_ = pds[name].to_numpy()
    detected = detect(world, months)
    scores = {"oracle": -until, "told who, not when": detected["told"], "best detector": detected["best"]}
    drawn = {
      who: capture(defaults, find_top(np.asarray(score), LIST_SHARE))
      for who, score in (scores | {"hazard": pd_}).items()
    }
    yield f"{months} months: loans, defaults", f"{len(defaults):,}, {defaults.sum():,}"
    yield from ((f"  capture: {who}", show(of)) for who, of in drawn.items())
    ours = drawn.pop("hazard")
    yield from ((f"  hazard's share of: {who}", show(ours / of)) for who, of in drawn.items())
    listed = find_top(pd_, LIST_SHARE)
    hits = until[listed & (defaults == 1)]
    yield "  lead in months: quartiles", ", ".join(f"{q:.0f}" for q in np.quantile(hits, (0.25, 0.5, 0.75)))
    yield "  false entries per true one", f"{listed.sum() / len(hits) - 1:.1f}"
    # A rule on arrears waits for the first missed instalment; 10% to 20% of loans pay it later.
    cured = (world.truth["arrears_month"] - world.now["months_on_book"]).between(1, months)
    yield "  the same of DPD-1 and DPD-30", f"{(cured & (defaults == 0)).sum() / defaults.sum():.1f}"
    trends = find_top(by_trends[name].to_numpy()[has_trends], LIST_SHARE)
    yield "  capture: trends alone", show(capture(defaults[has_trends], trends))
    low, high = perfect_ece_bounds(pd_, seed=seed, resamples=options.resamples)
    yield "  ECE; of a perfect model", f"{expected_calibration_error(defaults, pd_):.4f}; {low:.4f} to {high:.4f}"
    yield "  mean PD, default rate", f"{pd_.mean():.4f}, {defaults.mean():.4f}"
  stops = (until == MONTHS_TO_DEFAULT + 1).astype(np.int64)[has_trends]
  area, low, high = measure_auc(stops, world.now["utilisation_change_6m"].to_numpy()[has_trends])
  yield "AUC of rising utilisation, next month", f"{area:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
  """Print the figures, a column for each strength."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--loans", type=int, default=20_000, help="resolved ones; those that run come on top")
  parser.add_argument("--day", type=date.fromisoformat, default=date(2016, 3, 1), help="of the list")
  parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 0.5, 1.0, 2.0])
  given = parser.parse_args()
  found = [list(measure_strength(given.loans, given.day, strength, 42)) for strength in given.strengths]
  rows = [(each[0][0], *(value for _, value in each)) for each in zip(*found, strict=True)]
  title = f"Simulated loans not in arrears in {given.day:%Y-%m}, a list of 5%"
  print_table(title, ("signal strength", *map(str, given.strengths)), rows)


if __name__ == "__main__":
  main()
