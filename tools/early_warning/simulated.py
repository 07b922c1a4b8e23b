"""How early a list finds simulated loans that will default, and how much of that can be had at all.

	python -m tools.early_warning.simulated --loans 20000

Of the loans that run and are not in arrears at one moment, a list holds the 5% that rank highest.
The simulator's truth says what defaults later; of the rankings only the oracles' read it.

An oracle knows the simulator's law. A loan that is not in arrears misses its first instalment in a month to come, or
never. Bayes' rule weighs these by the law and by the path of DTI and utilisation so far: a drift of known form in a
random walk with noise, whose likelihood ratio has a closed form.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betainc, log_ndtr

from loantap.features.outcomes import find_outcomes
from loantap.measures.auc import measure_auc
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.assembly import build_loan_months
from loantap.portfolio.dictionary import RESOLVED, SIMULATED
from loantap.simulator import AS_OF_MONTH, courses, events, iter_book, iter_months, snapshot_month, true_log_odds
from loantap.simulator.book import running_per_resolved
from loantap.surveillance.hazard.design import STATE
from loantap.surveillance.hazard.fit import fit_hazard
from loantap.surveillance.hazard.forecast import forecast
from loantap.surveillance.panel.build import build_panel
from tools.benchmarks.configured import read_early_warning
from tools.benchmarks.measured import print_table
from tools.early_warning.card_figures import capture, find_top, show

# The third month end with an instalment unpaid is the default.
MONTHS_TO_DEFAULT: Final = 2
_LONGEST: Final = 60
# Log-odds beyond this are as good as it.
_MOST: Final = 300
# In the loans, in the panel: points of drift, of a step of the walk, of noise.
_FIGURES: Final = {
	("dti_pct", "dti_pct"): (events.DTI_DRIFT_POINTS, events.DTI_WALK_POINTS, events.DTI_NOISE_POINTS),
	("revolving_utilisation_pct", "utilisation_pct"): (
		events.UTILISATION_DRIFT_POINTS,
		events.UTILISATION_WALK_POINTS,
		events.UTILISATION_NOISE_POINTS,
	),
}
LIST_SHARE: Final = 0.05
_TRENDS: Final = tuple(f"{name}_change_{months}m" for name in ("dti", "utilisation") for months in (1, 3, 6))
# Where all stand alike, trends alone rank.
_ALIKE: Final = dict(zip(STATE, (0.0, 12.0, 36.0, 24.0), strict=True))


@dataclass(frozen=True, slots=True)
class World:
	"""A book as of a month; `loans` to `history` are of those that run and are not in arrears then.

	`now` is the last month of each in the panel, in the order of `loans` and `truth`.
	"""

	panel: pd.DataFrame
	outcomes: pd.DataFrame
	loans: pd.DataFrame
	truth: pd.DataFrame
	now: pd.DataFrame
	history: pd.DataFrame


def simulate_world(loans: int, day: date, strength: float, seed: int) -> World:
	"""`strength`: factor on how far DTI and utilisation rise before a default; 0 leaves noise alone."""
	month = snapshot_month(day)
	books = list(iter_book(loans, seed, month))
	book, truth = (
		pd.concat(parts).sort_values("loan_id", ignore_index=True)
		for parts in ([b.portfolio for b in books], [b.truth.assign(drift_strength=strength) for b in books])
	)
	principal = implied_principal(book["instalment"], book["interest_rate_pct"], book["term_months"])
	book = book.assign(origin=SIMULATED, funded_principal=principal)
	events = pd.concat(iter_months([(book, truth)], seed, month), ignore_index=True)
	months = build_loan_months(events.assign(origin=SIMULATED), book).rows
	runs = ~book["loan_status"].isin(RESOLVED)
	panel = build_panel(months, book, read_early_warning().panel)
	is_now = panel["month"].eq(panel["month"].max()) & panel["days_past_due"].eq(0)
	now = panel[is_now & panel["loan_id"].isin(book.loc[runs, "loan_id"])]
	kept = book["loan_id"].isin(now["loan_id"])
	history = panel[panel["loan_id"].isin(now["loan_id"])]
	chosen = (rows.reset_index(drop=True) for rows in (book[kept], truth[kept], now, history))
	return World(panel, find_outcomes(months, book[~runs], book[runs]), *chosen)


def detect(world: World, months: int) -> pd.DataFrame:
	"""Chance of default within some months of each of the world's loans.

	`best` to who knows the law and sees the months; `told` to who is told, too, which loans will be
	charged off and their strain, not when.
	"""
	loans, truth, history = world.loans, world.truth, world.history
	term, age = (values.to_numpy(dtype=np.int64) for values in (loans["term_months"], world.now["months_on_book"]))
	ahead = age[:, None] + np.arange(_LONGEST + 1)
	reached = betainc(*courses.DEFAULT_TIMING_BETA, np.clip(ahead / term[:, None], 0, 1))
	# The law's odds are of resolved loans, each of which stands for others that run in March 2017.
	seen = (AS_OF_MONTH - loans["issue_month"].to_numpy().astype("datetime64[M]")).astype(np.int64)
	paid, lost = running_per_resolved(term, seen)
	odds = np.exp(true_log_odds(loans).to_numpy()) * (1 + lost) / (1 + paid)
	was_late = (history["days_past_due"] > 0).groupby(history["loan_id"]).any().to_numpy()
	odds *= np.where(was_late, courses.ARREARS_SHARE_CHARGED_OFF / courses.ARREARS_SHARE_FULLY_PAID, 1)
	stays = np.where(age < term, 1 - courses.PREPAID_SHARE * courses.ended_share(term, age), 0.0)
	fit, information = _fit_drift(loans, history, age, float(truth["drift_strength"].iloc[0]))
	# The average over an exponential strain.
	known = np.maximum(information, 1e-9)
	z = (fit - 1) / np.sqrt(known)
	average = np.log(2 * np.pi / known) / 2 + z**2 / 2 + log_ndtr(z)
	strain = truth["strain"].to_numpy()[:, None]
	is_lost = truth["end"].eq(courses.CHARGED_OFF_END).to_numpy()

	def weigh(logs: FloatArray, others: FloatArray) -> FloatArray:
		misses = odds[:, None] * np.diff(reached, axis=1)
		misses[:, : logs.shape[1]] *= np.exp(np.minimum(logs, _MOST))
		total = misses.sum(axis=1) + others
		return np.asarray(misses[:, : months - MONTHS_TO_DEFAULT].sum(axis=1) / np.where(total > 0, total, 1))

	told = weigh(strain * fit - strain**2 * information / 2, np.zeros(len(stays)))
	best = weigh(np.where(information > 0, average, 0.0), stays)
	return pd.DataFrame({"best": best, "told": np.where(is_lost, told, 0.0)})


def _fit_drift(
	loans: pd.DataFrame, history: pd.DataFrame, age: IntArray, strength: float
) -> tuple[FloatArray, FloatArray]:
	"""How well a drift of strain 1 fits, by loan and months to the first missed one, and its information."""
	left = np.arange(1, events.DRIFT_MONTHS)[:, None]
	fit, information = np.zeros((2, len(loans), len(left)))
	for (base, figure), (points, walk, noise) in _FIGURES.items():
		moved = history[figure].to_numpy() - np.repeat(loans[base].to_numpy(), age)
		for months in np.unique(age):
			chosen = age == months
			path = moved[np.repeat(chosen, age)].reshape(-1, months)
			month = np.arange(1, months + 1)
			drift = strength * points * np.maximum(1 - (months + left - month) / events.DRIFT_MONTHS, 0)
			spread = walk**2 * (np.minimum(month, month[:, None]) - 1) + noise**2 * np.eye(months)
			weights = np.linalg.solve(spread, drift.T)
			is_known = ~np.isnan(path).any(axis=1, keepdims=True)
			fit[chosen] += np.nan_to_num(path) @ weights * is_known
			information[chosen] += is_known * (drift * weights.T).sum(axis=1)
	return fit, information


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
