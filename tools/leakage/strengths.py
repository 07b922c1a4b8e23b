"""How well each column of honest loans separates outcomes: what the limits in `expected.py` are set by.

	python -m tools.leakage.strengths ../shared/data/loantap_sample.csv ../shared/data/lendingclub_2007_2010.parquet

60,000 simulated loans follow. Each AUC is cross-fitted; what a column adds is to an additive model of all others, and
"at least" its lower bound (99.9%, DeLong).
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pandas as pd

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES
from loantap.model.leakage.additive import CrossFitted, Gain, cross_fit
from loantap.model.leakage.evidence import make_context
from loantap.model.leakage.expected import Z
from loantap.model.leakage.gate import examine_feature
from loantap.model.leakage.impact import draw_loans
from loantap.model.leakage.readings import Reading, cross, fold_by_content, read_columns
from tools.benchmarks.bench_figures import read
from tools.benchmarks.configured import read_leakage
from tools.benchmarks.measured import print_table
from tools.leakage.honest import simulate

OPTIONS = read_leakage()
MOST_SURPRISING = 20  # as many pairs as the gate asks


def main() -> None:
	"""Print a table for each file."""
	parser = ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("files", type=Path, nargs="*")
	for file in parser.parse_args().files:
		show(file.name, read(file))
	show("simulated", simulate(60_000, 42))


def show(name: str, loans: pd.DataFrame) -> None:
	"""The table of one portfolio."""
	features = build_features(loans).drop(columns="pincode")
	known = [name for name in map(str, features) if FEATURES[name].known_at_decision]
	context = make_context(loans, OPTIONS)
	alone = {f: examine_feature(features[f], context, OPTIONS) for f in known}
	drawn = draw_loans(len(loans), OPTIONS)
	readings = read_columns(loans.iloc[drawn], features.iloc[drawn], known)
	target = loans["is_charged_off"].iloc[drawn].to_numpy(dtype="int64")
	model = cross_fit(readings, target, fold_by_content(readings, target, OPTIONS.folds))
	columns = {f: r.name for r in readings.values() for f in r.features}
	rows = [
		(f, f"{a.auc:.3f}", columns[f], *_tell(model.gain_of(columns[f])))
		for f, a in sorted(alone.items(), key=lambda item: -item[1].auc)
	]
	pairs = sorted(pair_gains(readings, model), key=lambda found: found[0].auc)[-3:]
	rows += [(" with ".join(pair), "", "", *_tell(gain)) for gain, pair in pairs]
	print_table(
		f"{name}, {len(loans):,} loans", ("feature", "AUC alone", "column", "adds to all others", "at least"), rows
	)


def _tell(gain: Gain) -> tuple[str, str]:
	return f"{gain.auc:+.4f}", f"{gain.at_least(Z):+.4f}"


def pair_gains(readings: dict[str, Reading], model: CrossFitted) -> Iterator[tuple[Gain, tuple[str, str]]]:
	"""What the pairs that surprise an additive model most add to it."""
	tables = {
		(one.name, other.name): cross(one.coarse, other.coarse) for one, other in combinations(readings.values(), 2)
	}
	for pair in sorted(tables, key=lambda pair: -model.surprise(tables[pair]))[:MOST_SURPRISING]:
		yield model.gain_by(tables[pair]), pair


if __name__ == "__main__":
	main()
