"""How early the hazard model sees trouble, on simulated loans whose truth is known.

    python -m tools.early_warning.simulated

A book is simulated as of a month, the model is fitted on what is known then, and a list is made of
the riskiest 5% of the loans that are not in arrears. What becomes of each loan in the next year is
known from the simulator alone. The signal, how far DTI and utilisation rise before a default, is
swept from nothing. All of it says how the method works, not how borrowers behave.
"""

import argparse
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import logit

from loantap.measures.intervals import wilson_bounds
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.surveillance.hazard.design import FEATURES
from loantap.surveillance.hazard.fit import fit_hazard
from loantap.surveillance.hazard.forecast import forecast
from loantap.surveillance.hazard.options import HazardOptions
from loantap.surveillance.hazard.outcomes import DEFAULT_DAYS
from tools.benchmarks.configured import read_early_warning
from tools.early_warning.detector import detect
from tools.early_warning.world import MISSED_TO_DEFAULT, Snapshot, take_snapshot

LIST_SHARE: Final = 0.05
STRENGTHS: Final = (0.0, 0.5, 1.0, 2.0)
_STRATA: Final = 20
_RESAMPLES: Final = 500
_NO_TRENDS: Final = tuple(name for name in FEATURES if "_change_" not in name)
_CLOSE_TO_CERTAIN: Final = 1e-6


def main() -> None:
    """Sweep the signal and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=40_000, help="size of the simulated world")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--month", default="2015-09", help="of the snapshot; a year must follow")
    arguments = parser.parse_args()
    panel, hazard = read_early_warning(arguments.seed)
    table = Table(
        title=f"SIMULATED loans not in arrears, {LIST_SHARE:.0%} list of {arguments.month}"
    )
    for heading in (
        "signal", "n", "defaults", "hazard", "without trends", "trends alone", "best detector",
        "oracle", "share of best", "share of oracle", "lead", "false per true",
        "DPD-1 lead, false per true", "DPD-30 lead", "ECE [perfect]",
    ):  # fmt: skip
        table.add_column(heading)
    for strength in STRENGTHS:
        month = np.datetime64(arguments.month, "M")
        snapshot = take_snapshot(arguments.loans, arguments.seed, month, strength, panel)
        table.add_row(*measure(snapshot, strength, hazard))
    Console(width=220).print(table)


def measure(snapshot: Snapshot, strength: float, options: HazardOptions) -> list[str]:
    """A row of the table: fit, list, and look what came."""
    full, static = (
        forecast(fit_hazard(snapshot.panel, snapshot.outcomes, options, names), snapshot.now)
        for names in (FEATURES, _NO_TRENDS)
    )
    pds, static_pds = full["pd_12m"].to_numpy(), static["pd_12m"].to_numpy()
    current, defaults = snapshot.is_current, snapshot.defaults == 1
    listed = list_riskiest(pds, current)
    best = list_riskiest(detect(snapshot, strength), current)
    oracle = list_riskiest(snapshot.know_latent(), current)
    found = [
        tell_share(chosen, defaults & current)
        for chosen in (
            listed,
            list_riskiest(static_pds, current),
            list_within_strata(pds, static_pds, current),
            best,
            oracle,
        )
    ]
    shares = [(listed & defaults).sum() / (other & defaults).sum() for other in (best, oracle)]
    lead = snapshot.ahead[listed & defaults] + MISSED_TO_DEFAULT
    false = (listed & ~defaults).sum() / (listed & defaults).sum()
    cured = snapshot.is_late_once[current & ~defaults].sum() / (current & defaults).sum()
    alive = (snapshot.now["days_past_due"] < DEFAULT_DAYS).to_numpy()
    target = snapshot.defaults[alive]
    error = expected_calibration_error(target, pds[alive])
    low, high = perfect_ece_bounds(pds[alive], seed=options.seed, resamples=_RESAMPLES)
    return [
        f"{strength:g}", f"{current.sum():,}", f"{(defaults & current).sum():,}", *found,
        *(f"{share:.0%}" for share in shares), f"{np.median(lead):.0f} months", f"{false:.1f}",
        f"{MISSED_TO_DEFAULT} months, {cured:.1f}", f"{MISSED_TO_DEFAULT} months",
        f"{error:.4f} [{low:.4f}, {high:.4f}]",
    ]  # fmt: skip


def list_riskiest(scores: FloatArray, among: BoolArray) -> BoolArray:
    """The list: the highest scores among some rows, 5% of them."""
    order = np.argsort(-np.where(among, scores, -np.inf), kind="stable")
    listed = np.zeros(len(scores), dtype=bool)
    listed[order[: int(LIST_SHARE * among.sum())]] = True
    return listed


def list_within_strata(pds: FloatArray, static_pds: FloatArray, among: BoolArray) -> BoolArray:
    """A list by what trends add: 5% of each stratum of equal risk without them.

    Where trends say nothing it captures its own share of the defaults.
    """
    clipped = (np.clip(p, _CLOSE_TO_CERTAIN, 1 - _CLOSE_TO_CERTAIN) for p in (pds, static_pds))
    added, known = (logit(p) for p in clipped)
    rows = np.flatnonzero(among)
    listed = np.zeros(len(pds), dtype=bool)
    for stratum in np.array_split(rows[np.argsort(known[rows], kind="stable")], _STRATA):
        is_in = np.zeros(len(pds), dtype=bool)
        is_in[stratum] = True
        listed |= list_riskiest(added - known, is_in)
    return listed


def tell_share(listed: BoolArray, defaults: BoolArray) -> str:
    """The share of the defaults that a list holds, with its 95% interval (Wilson)."""
    caught, count = int((listed & defaults).sum()), int(defaults.sum())
    low, high = wilson_bounds(caught, count)
    return f"{caught / count:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
