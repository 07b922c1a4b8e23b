"""What the models reach on a real portfolio: repeated, fully nested 5-fold cross-validation.

	python -m tools.benchmarks.bench_figures --portfolio ../shared/data/loantap_sample.csv

Hyperparameters, calibration and F2 threshold are chosen on the other four fifths alone.
`--learning` adds a curve: the same with fewer training loans.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress
from sklearn.model_selection import StratifiedKFold

from loantap.features.build import build_features
from loantap.measures.metrics import bootstrap_bounds, measure, perfect_ece_bounds
from loantap.model.training.train import feature_names, train_logistic
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import parse, split_address
from tools.benchmarks.configured import read_options
from tools.benchmarks.measured import print_table

MODELS = ("benchmark", "lending", "application")
SHOWN = ("roc_auc", "average_precision", "f2", "brier", "ece")
FOLDS = 5


def main() -> None:
	"""Cross-validate each model, some times over, and print the figures."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--portfolio", type=Path, required=True)
	parser.add_argument("--repeats", type=int, default=2)
	parser.add_argument("--learning", nargs="*", type=float, default=[], metavar="SHARE")
	arguments = parser.parse_args()
	loans = read(arguments.portfolio)
	with Progress(console=Console(stderr=True), transient=True) as progress:
		steps = len(MODELS) * arguments.repeats * FOLDS
		task = progress.add_task("cross-validating", total=steps * (1 + len(arguments.learning)))
		for name in MODELS:
			for share in (1.0, *arguments.learning):
				repeats = [
					cross_validate(loans, name, repeat, share, lambda: progress.advance(task))
					for repeat in range(arguments.repeats)
				]
				show(name, repeats, share)


def read(path: Path) -> pd.DataFrame:
	"""Typed loans of a LoanTap file, CSV or Parquet; without addresses their pincode is missing."""
	raw = pd.read_parquet(path).astype("str") if path.suffix == ".parquet" else pd.read_csv(path, dtype="str")
	raw = raw.assign(address=raw.get("address", ""))
	today = pd.Timestamp(datetime.now(UTC).date())
	rows = parse(raw, portfolio_columns(), today).rows
	return rows.join(split_address(rows["address"])).assign(
		loan_id=[f"{number:06d}" for number in range(len(rows))], is_charged_off=mark_outcome(rows["loan_status"])
	)


def cross_validate(
	loans: pd.DataFrame, name: str, repeat: int, share: float, advance: Callable[[], object]
) -> pd.DataFrame:
	"""Outcome, PD and decision of every loan, by a model that knew nothing of it."""
	options = read_options(name)
	names = feature_names(options)
	rows = loans[["loan_id", "is_charged_off"]].join(build_features(loans, names))
	folds = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
	rng = np.random.default_rng(repeat)
	judged = []
	for inside, outside in folds.split(rows, rows["is_charged_off"]):
		kept = np.sort(rng.choice(inside, round(share * len(inside)), replace=False))
		fitted = train_logistic(rows.iloc[kept].reset_index(drop=True), options)
		pd_ = fitted.pipeline.predict_proba(rows.iloc[outside][names])[:, 1]
		judged.append(
			pd.DataFrame(
				{
					"is_charged_off": rows["is_charged_off"].iloc[outside].to_numpy("int64"),
					"probability_of_default": pd_,
					"declined": pd_ >= fitted.threshold,
				}
			)
		)
		advance()
	return pd.concat(judged, ignore_index=True)


def show(name: str, repeats: list[pd.DataFrame], share: float) -> None:
	"""Mean over the repeats, their spread, and the bootstrap interval of the first."""
	figures = pd.DataFrame([asdict(measure(*arrays(repeat))) for repeat in repeats])
	low, high = bootstrap_bounds(*arrays(repeats[0]), seed=42, resamples=1_000)
	bounds = [
		perfect_ece_bounds(repeat["probability_of_default"].to_numpy(), seed=42, resamples=1_000) for repeat in repeats
	]
	rows = []
	for figure in SHOWN:
		values = figures[figure]
		interval = f"{low[figure]:.4f} to {high[figure]:.4f}"
		rows.append((figure, f"{values.mean():.4f}", f"{values.std():.4f}", interval))
	least, most = np.mean(bounds, axis=0)
	rows.append(("ece of a perfect model", f"{least:.4f} to {most:.4f}", "", ""))
	rows.append(("f2, declining everybody", f"{figures['f2_decline_all'].mean():.4f}", "", ""))
	loans, charged_off = len(repeats[0]), int(repeats[0]["is_charged_off"].sum())
	title = f"{name}: {loans:,} loans, {charged_off:,} charged off, {len(repeats)} x {FOLDS} folds"
	headings = ("", "mean", "sd over repeats", "95% bootstrap interval of one repeat")
	print_table(f"{title}, {share:.0%} of the training loans", headings, rows)


def arrays(repeat: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
	"""Outcomes, PDs and decisions."""
	columns = ("is_charged_off", "probability_of_default", "declined")
	target, pds, declined = (repeat[name].to_numpy() for name in columns)
	return target, pds, declined


if __name__ == "__main__":
	main()
