"""The hyperparameter search against a straightforward `GridSearchCV`, in one run.

	python -m tools.benchmarks.bench_search --loans 40000
	python -m tools.benchmarks.bench_search --loans 40000 --ratios

Both get the same simulated loans, folds, candidates and scores, each in a process of its own. The plain one uses
liblinear for L1, newton-cholesky for L2, two jobs. Memory is the largest sum over the processes of a search, shared
pages counted once. With `--ratios`, the searches of the benchmark models against that of `lending`, as shipped.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from threadpoolctl import threadpool_limits

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.training.estimator import make_preprocessor
from loantap.model.training.options import Balancing, Candidate, TrainingOptions
from loantap.model.training.search import choose, score_on_fold, search
from loantap.model.training.splits import make_folds
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.loantap_format import split_address
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.configured import read_options
from tools.benchmarks.measured import measure_apart, print_table

_JOBS = 2
_SHIPPED = "as shipped"


def main() -> None:
	"""Measure both and print the comparison."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--loans", type=int, default=40_000)
	parser.add_argument("--growth", type=int, nargs="*", default=[], help="sizes, ours alone")
	parser.add_argument("--ratios", action="store_true", help="models against lending, alone")
	arguments = parser.parse_args()
	if arguments.ratios:
		show_ratios(arguments.loans)
		return
	compare(arguments.loans)
	if arguments.growth:
		show_growth(arguments.growth)


def make_options(model: str = "lending") -> TrainingOptions:
	"""The options of the product, without what scikit-learn's estimator cannot do: signs."""
	changes = {"jobs": _JOBS, "monotone": False, "threshold": None}
	return read_options(model).model_copy(update=changes)


def write(loans: int, options: TrainingOptions, folder: Path) -> int:
	"""Simulate loans and keep 90% of them as a training split; how many that is."""
	portfolio = simulate_portfolio(loans, seed=42).portfolio
	portfolio = portfolio.join(split_address(portfolio["address"]))
	is_charged_off = mark_outcome(portfolio["loan_status"])
	names = FEATURE_SETS[options.feature_set].features
	train, _ = train_test_split(np.arange(loans), test_size=0.1, stratify=is_charged_off, random_state=42)
	kept = np.sort(train)
	frame = build_features(portfolio, names).assign(is_charged_off=is_charged_off).iloc[kept]
	frame.reset_index(drop=True).to_parquet(folder / "train.parquet")
	return len(frame)


def read(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
	"""Features and outcomes."""
	frame = pd.read_parquet(folder / "train.parquet")
	return frame.drop(columns="is_charged_off"), frame["is_charged_off"]


def search_plainly(folder: str) -> dict[str, Any]:
	"""`GridSearchCV` over the same candidates."""
	options = make_options()
	features, target = read(Path(folder))
	grid = GridSearchCV(
		ResamplingPipeline(
			[
				("preprocess", make_preprocessor(FEATURE_SETS[options.feature_set])),
				("balance", "passthrough"),
				("classify", LogisticRegression()),
			]
		),
		[as_parameters(candidate, options) for candidate in options.candidates],
		scoring=score_on_fold,
		refit=lambda results: choose_by_results(results, options.folds),
		cv=make_folds(options),
		n_jobs=options.jobs,
		error_score="raise",
	)
	with warnings.catch_warnings(), threadpool_limits(1):
		warnings.simplefilter("ignore", ConvergenceWarning)
		grid.fit(features, target)
	return {"f2": grid.cv_results_["mean_test_f2"].tolist(), "chosen": options.candidates[grid.best_index_].label}


def choose_by_results(results: dict[str, Any], folds: int) -> int:
	"""The choice of the product, by the results as scikit-learn has them."""
	scores = {
		"mean_f2": results["mean_test_f2"],
		"mean_f2_variance": results["mean_test_f2_variance"],
		"mean_log_loss": -results["mean_test_log_loss"],
	}
	return choose(pd.DataFrame(scores), folds)


def as_parameters(candidate: Candidate, options: TrainingOptions) -> dict[str, list[Any]]:
	"""One point of the grid in scikit-learn's own terms."""
	classifier = LogisticRegression(
		C=candidate.inverse_penalty,
		l1_ratio=candidate.l1_ratio,
		solver="liblinear" if candidate.l1_ratio else "newton-cholesky",
		class_weight="balanced" if candidate.balancing is Balancing.CLASS_WEIGHTS else None,
		max_iter=options.max_iterations,
		random_state=options.seed,
	)
	is_smote = candidate.balancing is Balancing.SMOTE
	sampler = SMOTE(random_state=options.seed) if is_smote else "passthrough"
	return {"balance": [sampler], "classify": [classifier]}


def search_ours(folder: str, model: str = "lending", *flags: str) -> dict[str, Any]:
	"""The product's search; as it is shipped, if a flag says so."""
	options = make_options(model)
	if _SHIPPED in flags:
		options = read_options(model).model_copy(update={"jobs": _JOBS})
	outcome = search(*read(Path(folder)), options)
	return {
		"f2": outcome.candidates["mean_f2"].tolist(),
		"chosen": outcome.best.label,
		"not_converged": int((~outcome.candidates["converged"]).sum()),
		"max_iterations": float(outcome.candidates["mean_iterations"].max()),
	}


def compare(loans: int) -> None:
	"""Both sides on the same loans."""
	with tempfile.TemporaryDirectory() as folder:
		options = make_options()
		trained = write(loans, options, Path(folder))
		found, ours = measure_apart(search_ours, folder)
		sys.stderr.write(f"ours: {ours.seconds:.1f} s; GridSearchCV ...\n")
		expected, plain = measure_apart(search_plainly, folder)
	largest = np.abs(np.subtract(found["f2"], expected["f2"])).max()
	plainly, own = f"{plain.peak_mib:,.0f}", f"{ours.peak_mib:,.0f}"
	rows = [
		("seconds", f"{plain.seconds:.1f}", f"{ours.seconds:.1f}", f"{plain.seconds / ours.seconds:.1f}"),
		("peak memory, MiB", plainly, own, f"{ours.peak_mib / plain.peak_mib:.2f}"),
		("selected", expected["chosen"], found["chosen"], ""),
		("largest difference in mean F2", "", f"{largest:.5f}", ""),
	]
	title = f"Search: {len(options.candidates)} candidates x {options.folds} folds, {trained:,}"
	headings = ("", "GridSearchCV", "ours", "ratio")
	print_table(f"{title} simulated training loans, {_JOBS} jobs", headings, rows)


def show_growth(sizes: list[int]) -> None:
	"""Time of our search by size."""
	rows = []
	for loans in sizes:
		with tempfile.TemporaryDirectory() as folder:
			write(loans, make_options(), Path(folder))
			_, ours = measure_apart(search_ours, folder)
		each = f"{ours.seconds / loans * 1e6:.0f}"
		rows.append((f"{loans:,}", f"{ours.seconds:.1f}", each, f"{ours.peak_mib:,.0f}"))
	headings = ("simulated loans", "seconds", "microseconds a loan", "peak MiB")
	print_table("Growth of the search", headings, rows)


def show_ratios(loans: int) -> None:
	"""The searches of all models that are not for lending, as shipped, against `lending`'s."""
	rows: list[Sequence[str]] = []
	base = 0.0
	for model in ("lending", "benchmark", "published_replica"):
		with tempfile.TemporaryDirectory() as folder:
			write(loans, make_options(model), Path(folder))
			found, took = measure_apart(search_ours, folder, model, _SHIPPED)
		base = base or took.cpu_seconds
		figures = (
			f"{len(found['f2'])}",
			f"{found['not_converged']}",
			f"{found['max_iterations']:.1f} at most",
			f"{took.seconds:.1f}",
			f"{took.cpu_seconds:.1f}",
			f"{took.cpu_seconds / base:.2f}",
			f"{took.peak_mib:,.0f}",
		)
		rows.append((model, *figures))
	headings = ("", "candidates", "not converged", "iterations", "seconds", "processor seconds", "ratio", "peak MiB")
	print_table(f"Search of {loans:,} simulated loans, 90% of them in training", headings, rows)


if __name__ == "__main__":
	main()
