"""The leakage gate against planted leaks and honest loans: what it catches, false alarms, time.

	python -m tools.benchmarks.bench_gate --portfolio ../shared/data/loantap_sample.csv \
		--honest 200 --loans 396030

A leak's gain is that of the cross-fitted AUC of a boosting model of all features but the pincode.
Without a portfolio the leaks are planted in simulated loans.
"""

import argparse
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES
from loantap.measures.auc import measure_auc
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.leakage.options import LeakageOptions
from tools.benchmarks.bench_figures import read
from tools.benchmarks.configured import read_leakage
from tools.benchmarks.measured import print_table, time_call
from tools.leakage.honest import SCORE_FEATURES, put_score, redraw, resample, simulate
from tools.leakage.plants import PLANTS

OPTIONS = read_leakage()
NEVER = frozenset({"pincode", "listing_status", "income_verification"})
SCORED = OPTIONS.model_copy(update={"expected_auc": dict.fromkeys(SCORE_FEATURES, 0.72)})


def main() -> None:
	"""Plant, count, measure, print."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--portfolio", type=Path)
	parser.add_argument("--honest", type=int, default=40, help="honest portfolios, a quarter of each sort")
	parser.add_argument("--loans", type=int, default=20_000, help="simulated loans whose examination is timed")
	arguments = parser.parse_args()
	steps = Console(stderr=True)
	loans = read(arguments.portfolio) if arguments.portfolio else simulate(5_000, 42)
	base, rows, caught = measure_gain(loans), [], 0
	for plant in track(PLANTS, "planting", console=steps, transient=True):
		planted = plant.put_into(loans)
		found = find_alarms(planted, OPTIONS)
		caught += bool(found)
		told = "; ".join(f"{name}: {', '.join(tests)}" for name, tests in found.items())
		rows.append((plant.name, plant.kind, f"{measure_gain(planted) - base:+.3f}", told or "PASSED"))
	print_table(f"{caught} of {len(PLANTS)} planted leaks caught", ("leak", "kind", "gain", "caught by"), rows)
	alarms = []
	for name, honest, options in track(list_honest(loans, arguments.honest), "honest", arguments.honest, console=steps):
		found = find_alarms(honest, options)
		alarms += [(name, str(found))] if found else []
	print_table(f"{len(alarms)} false alarms on {arguments.honest} honest portfolios", ("portfolio", "alarm"), alarms)
	large = simulate(arguments.loans, 42)
	features, is_train = build_features(large), is_tenth_out(large)
	seconds = time_call(lambda: examine_portfolio(large, features, is_train, OPTIONS))
	print_table("The whole gate", ("loans", "seconds"), [(f"{len(large):,}", f"{seconds:.1f}")])


def list_honest(loans: pd.DataFrame, number: int) -> Iterator[tuple[str, pd.DataFrame, LeakageOptions]]:
	"""Redrawn outcomes, rows drawn anew, other simulated loans, an outside score of AUC 0.60 to 0.72."""
	each = range(number // 4)
	yield from chain(
		(("outcomes redrawn", drawn, OPTIONS) for drawn in islice(redraw(loans), number - 3 * len(each))),
		((f"rows drawn anew {seed}", resample(loans, seed), OPTIONS) for seed in each),
		((f"simulated {seed}", simulate(4_000, 5_000 + seed), OPTIONS) for seed in each),
		((f"scored {seed}", put_score(loans, 0.6 + 0.04 * (seed % 4), seed), SCORED) for seed in each),
	)


def find_alarms(loans: pd.DataFrame, options: LeakageOptions) -> dict[str, list[str]]:
	"""Tests that caught each feature, beside those that are never lent on, and sets that failed.

	Rows drawn twice are duplicate borrowers by intent: that check is left out.
	"""
	report = examine_portfolio(loans, build_features(loans), is_tenth_out(loans), options)
	found = {
		entry["feature"]: [name for name, test in entry["tests"].items() if test["verdict"] == "caught"]
		for entry in report["features"]
		if entry["caught"] and entry["feature"] not in NEVER
	}
	failed = [s["feature_set"] for s in report["checks"]["feature_sets"]["sets"] if not s["passed"]]
	return found | ({"sets": failed} if failed else {})


def is_tenth_out(loans: pd.DataFrame) -> pd.Series:
	"""Marks nine of ten loans for training."""
	return pd.Series(np.arange(len(loans)) % 10 > 0, index=loans.index)


def measure_gain(loans: pd.DataFrame) -> float:
	"""Cross-fitted AUC of boosted trees on all that is known but the pincode."""
	names = [name for name, f in FEATURES.items() if f.known_at_decision and name != "pincode"]
	features = build_features(loans, names).dropna(axis="columns", how="all")
	texts = {n: features[n].astype("category") for n in map(str, features) if FEATURES[n].categorical}
	model = HistGradientBoostingClassifier(
		max_iter=60, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=10, random_state=0
	)
	target = loans["is_charged_off"].to_numpy()
	scores = cross_val_predict(model, features.assign(**texts), target, cv=5, method="predict_proba")[:, 1]
	return measure_auc(target, scores)[0]


if __name__ == "__main__":
	main()
