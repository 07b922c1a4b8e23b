"""The hyperparameter search against a straightforward `GridSearchCV`, in one run.

    python -m tools.benchmarks.bench_search --loans 40000
    python -m tools.benchmarks.bench_search --loans 40000 --ratios

Both get the same simulated loans, folds, candidates and scores, each in a process of its own. The
plain one is scikit-learn's and imbalanced-learn's as they come: liblinear for L1, newton-cholesky
for L2, two jobs. Memory is the largest sum over the processes of a search, shared pages counted
once. With `--ratios`, the searches of the benchmark models against that of `lending`, each as it is
shipped.
"""

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ResamplingPipeline
from rich.console import Console
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from threadpoolctl import threadpool_limits

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model.training.candidate import Balancing, Candidate
from loantap.model.training.estimator import make_preprocessor
from loantap.model.training.options import TrainingOptions
from loantap.model.training.search import choose, score_on_fold, search
from loantap.model.training.splits import make_folds
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.loantap_format import split_address
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.configured import read_options
from tools.benchmarks.measured import Measured, run_measured


def main() -> None:
    """Measure both and print the comparison; `--side` is one of them in its own process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=40_000)
    parser.add_argument("--model", choices=sorted(MODELS), default="lending")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="sizes, ours alone")
    parser.add_argument("--ratios", action="store_true", help="models against lending, alone")
    parser.add_argument("--side", choices=["plain", "ours", "shipped"])
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    options = make_options(arguments.model, arguments.jobs)
    if arguments.side == "shipped":
        options = read_options(arguments.model).model_copy(update={"jobs": arguments.jobs})
    if arguments.side:
        result = SIDES[arguments.side](*read(arguments.folder), options)
        (arguments.folder / f"{arguments.side}.json").write_text(json.dumps(result))
        return
    console = Console(width=110)
    if arguments.ratios:
        show_ratios(arguments.loans, arguments.jobs, console)
        return
    compare(arguments.loans, options, console)
    if arguments.growth:
        show_growth(arguments.growth, options, console)


def make_options(model: str, jobs: int) -> TrainingOptions:
    """The options of the product, without what scikit-learn's estimator cannot do: signs."""
    changes = {"jobs": jobs, "monotone": False, "threshold": None}
    return read_options(model).model_copy(update=changes)


def write(loans: int, options: TrainingOptions, folder: Path) -> int:
    """Simulate loans and keep 90% of them as a training split; how many that is."""
    portfolio = simulate_portfolio(loans, seed=42).portfolio
    portfolio = portfolio.join(split_address(portfolio["address"]))
    is_charged_off = mark_outcome(portfolio["loan_status"])
    names = FEATURE_SETS[options.feature_set].features
    train, _ = train_test_split(
        np.arange(loans), test_size=0.1, stratify=is_charged_off, random_state=42
    )
    kept = np.sort(train)
    frame = build_features(portfolio, names).assign(is_charged_off=is_charged_off).iloc[kept]
    frame.reset_index(drop=True).to_parquet(folder / "train.parquet")
    return len(frame)


def read(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Features and outcomes."""
    frame = pd.read_parquet(folder / "train.parquet")
    return frame.drop(columns="is_charged_off"), frame["is_charged_off"]


def search_plainly(
    features: pd.DataFrame, target: pd.Series, options: TrainingOptions
) -> dict[str, Any]:
    """`GridSearchCV` over the same candidates."""
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
    return {
        "f2": grid.cv_results_["mean_test_f2"].tolist(),
        "chosen": options.candidates[grid.best_index_].label,
    }


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


def search_ours(
    features: pd.DataFrame, target: pd.Series, options: TrainingOptions
) -> dict[str, Any]:
    """The product's search."""
    outcome = search(features, target, options)
    return {
        "f2": outcome.candidates["mean_f2"].tolist(),
        "chosen": outcome.best.label,
        "not_converged": int((~outcome.candidates["converged"]).sum()),
        "max_iterations": float(outcome.candidates["mean_iterations"].max()),
    }


SIDES = {"plain": search_plainly, "ours": search_ours, "shipped": search_ours}


def measure(side: str, options: TrainingOptions, folder: Path) -> tuple[Measured, dict[str, Any]]:
    """Run one side in its own process."""
    arguments = ["--side", side, "--folder", str(folder), "--model", options.name]
    measured = run_measured(
        ["-m", "tools.benchmarks.bench_search", *arguments, "--jobs", str(options.jobs)]
    )
    return measured, json.loads((folder / f"{side}.json").read_text())


def compare(loans: int, options: TrainingOptions, console: Console) -> None:
    """Both sides on the same loans."""
    with tempfile.TemporaryDirectory() as name, console.status("") as status:
        folder = Path(name)
        status.update(f"simulating {loans:,} loans")
        trained = write(loans, options, folder)
        status.update("the search of the product")
        ours, found = measure("ours", options, folder)
        console.print(f"ours: {ours.seconds:.1f} s, {ours.peak_mib:,.0f} MiB")
        status.update("GridSearchCV")
        plain, expected = measure("plain", options, folder)
    table = Table(
        title=f"Search of {options.name}: {len(options.candidates)} candidates x {options.folds} "
        f"folds, {trained:,} simulated training loans, {options.jobs} jobs"
    )
    for heading in ("", "GridSearchCV", "ours", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    ratio = plain.seconds / ours.seconds
    table.add_row("seconds", f"{plain.seconds:.1f}", f"{ours.seconds:.1f}", f"{ratio:.1f}")
    memory = ours.peak_mib / plain.peak_mib
    table.add_row(
        "peak memory, MiB", f"{plain.peak_mib:,.0f}", f"{ours.peak_mib:,.0f}", f"{memory:.2f}"
    )
    table.add_row("selected", expected["chosen"], found["chosen"], "")
    largest = np.abs(np.subtract(found["f2"], expected["f2"])).max()
    table.add_row("largest difference in mean F2", "", f"{largest:.5f}", "")
    console.print(table)


def show_growth(sizes: list[int], options: TrainingOptions, console: Console) -> None:
    """Time of our search by size."""
    table = Table(title="Growth of the search", show_header=True)
    for heading in ("simulated loans", "seconds", "microseconds a loan", "peak MiB"):
        table.add_column(heading, justify="right")
    for loans in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write(loans, options, Path(folder))
            ours, _ = measure("ours", options, Path(folder))
        each = ours.seconds / loans * 1e6
        table.add_row(f"{loans:,}", f"{ours.seconds:.1f}", f"{each:.0f}", f"{ours.peak_mib:,.0f}")
    console.print(table)


def show_ratios(loans: int, jobs: int, console: Console) -> None:
    """The searches of all models that are not for lending, as shipped, against `lending`'s."""
    table = Table(
        title=f"Search of {loans:,} simulated loans, 90% of them in training, {jobs} jobs"
    )
    headings = ("", "candidates", "not converged", "iterations", "seconds", "processor seconds")
    for heading in (*headings, "ratio", "peak MiB"):
        table.add_column(heading, justify="right" if heading else "left")
    base: Measured | None = None
    for model in ("lending", "benchmark", "published_replica"):
        options = make_options(model, jobs)
        with tempfile.TemporaryDirectory() as name, console.status(model):
            write(loans, options, Path(name))
            measured, found = measure("shipped", options, Path(name))
        base = base or measured
        console.print(f"{model}: {measured.cpu_seconds:.1f} processor seconds")
        table.add_row(
            model,
            str(len(found["f2"])),
            str(found["not_converged"]),
            f"{found['max_iterations']:.1f} at most",
            f"{measured.seconds:.1f}",
            f"{measured.cpu_seconds:.1f}",
            f"{measured.cpu_seconds / base.cpu_seconds:.2f}",
            f"{measured.peak_mib:,.0f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
