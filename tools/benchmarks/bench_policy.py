"""What each policy would have earned on real loans: repeated 5-fold cross-validation.

	python -m tools.benchmarks.bench_policy --portfolio ../shared/data/loantap_sample.csv \
		--external ../shared/data/lendingclub_2007_2010.parquet

The lending model is fitted anew in each fold, with hyperparameters searched once on the whole
portfolio; rules are learnt on the other folds. Profit is imputed from outcomes. Gains are paired
by loan, as means over the repeats, with the 95% interval of the mean over loans. The external
loans, of 36 months, meet the model and rules of the whole portfolio.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from loantap.features.build import build_features, columns_used
from loantap.measures.intervals import Z95
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import CROSS_VALIDATION, TEST, cross_validate
from loantap.model.training.search import SearchOutcome, fit_candidate, search
from loantap.model.training.train import feature_names, finish_logistic
from loantap.policy.comparison.comparison import Decided, decide_portfolio, slice_portfolio
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import impute_flows
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.loantap_format import parse
from tools.benchmarks.bench_figures import read
from tools.benchmarks.configured import read_comparison, read_economics, read_options
from tools.benchmarks.measured import print_table

ECONOMICS, OPTIONS = read_economics(), read_comparison()
TERM_MONTHS = 36
CAP = "capped_default_rate"


def main() -> None:
	"""Cross-validate, decide, print what was gained."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--portfolio", type=Path, required=True)
	parser.add_argument("--external", type=Path)
	parser.add_argument("--repeats", type=int, default=10)
	arguments = parser.parse_args()
	steps = Console(stderr=True)
	loans = read(arguments.portfolio)
	options = read_options("lending")
	names = feature_names(options)
	rows = loans[["loan_id", "is_charged_off"]].join(build_features(loans, names))
	outcome = search(rows[names], rows["is_charged_off"], options)
	numbers = track(range(arguments.repeats), "cross-validating", console=steps, transient=True)
	repeats = [predict(rows, outcome, options, number) for number in numbers]
	decided = [decide(repeat.assign(sample=CROSS_VALIDATION), loans) for repeat in repeats]
	size = f"{len(loans):,} loans, {len(repeats)} x {options.folds} folds, {outcome.best.label}"
	for scenario in ECONOMICS.scenarios:
		for life in PaidLife:
			title = f"{scenario}, paid life {life.value}: {size}"
			show(title, decided, loans, scenario, life)
	if arguments.external:
		external = read_external(arguments.external, names)
		features = build_features(external, names)
		model = finish_logistic(outcome, repeats[0], options).pipeline
		scored = external[["loan_id", "is_charged_off"]].assign(
			fold=-1, probability_of_default=model.predict_proba(features)[:, 1], declined=False
		)
		both = pd.concat([repeats[0].assign(sample=CROSS_VALIDATION), scored.assign(sample=TEST)])
		show_external(decide(both, pd.concat([loans, external], ignore_index=True)))


def predict(rows: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions, number: int) -> pd.DataFrame:
	"""Out-of-fold PDs of one repeat, whose number is the seed of its folds."""
	own = options.model_copy(update={"seed": number})
	names = feature_names(options)
	return cross_validate(rows, names, lambda x, y, _: fit_candidate(x, y, outcome.best, own), own)


def read_external(path: Path, names: list[str]) -> pd.DataFrame:
	"""Typed loans of 36 months of another file."""
	raw = pd.read_parquet(path)
	needed = dict.fromkeys(
		[*columns_used(names), "loan_amount", "interest_rate_pct", "grade", "term_months", "issue_month", "loan_status"]
	)
	today = pd.Timestamp(datetime.now(UTC).date())
	rows = parse(raw, [COLUMNS[name] for name in needed], today).rows
	loans = rows.assign(
		loan_id=[f"external-{number:06d}" for number in range(len(rows))], is_charged_off=mark_outcome(rows["loan_status"])
	)
	return loans[loans["term_months"].eq(TERM_MONTHS)].reset_index(drop=True)


def decide(predictions: pd.DataFrame, loans: pd.DataFrame) -> Decided:
	"""Whom each policy approves."""
	nothing_later = pd.Series(pd.NaT, loans.index)
	splits = loans[["loan_id"]].assign(known_from=nothing_later, judged_at=nothing_later)
	return decide_portfolio(predictions, loans, splits, ECONOMICS, OPTIONS)


def show(title: str, decided: list[Decided], loans: pd.DataFrame, scenario: str, life: PaidLife) -> None:
	"""Figures of every policy in one scenario, over all repeats."""
	profit = impute(loans, scenario, life)
	bad = loans["is_charged_off"].to_numpy() == 1
	references = (1, share(decided, scenario, "grade_term_npv"), share(decided, scenario, "npv"))
	rows = []
	for policy in decided[0].approved[scenario]:
		approved = share(decided, scenario, policy)
		rows.append(
			(
				policy,
				f"{approved.mean():.1%}",
				f"{(approved @ bad) / approved.sum():.1%}",
				tell((1 - approved[bad]) * 100, "{:.1f}"),
				tell(profit * approved),
				*(tell(profit * (approved - other)) for other in references),
			)
		)
	headings = (
		"",
		"approved",
		"default rate",
		"charge-offs avoided",
		"profit",
		"gain to approve all",
		"gain to grade and term",
		"gain to NPV",
	)
	print_table(title, headings, rows)


def show_external(decided: Decided) -> None:
	"""Gains on the external loans, of rules learnt on the portfolio."""
	parts = [part for part in slice_portfolio(decided, ECONOMICS) if part.sample == TEST]
	loans, rows = len(parts[0].values), []
	for part in parts:
		outcomes = part.outcomes[PaidLife.CONTRACTUAL]
		for policy in ("npv", "profit_score", "grade_term_npv", CAP, "pd_cutoff", "bands"):
			own = part.approved[policy]
			kept = outcomes.is_charged_off[own]
			rows.append(
				(
					part.scenario,
					policy,
					f"{own.mean():.1%}",
					f"{kept.mean():.1%}" if len(kept) else "-",
					tell(outcomes.profit * own - outcomes.profit),
				)
			)
	headings = ("", "policy", "approved", "default rate", "gain to approve all")
	print_table(f"external: {loans:,} loans of {TERM_MONTHS} months", headings, rows)


def impute(loans: pd.DataFrame, scenario: str, life: PaidLife) -> FloatArray:
	"""Imputed profit of each loan."""
	return impute_flows(loans, ECONOMICS.scenarios[scenario], ECONOMICS, life).npv


def share(decided: list[Decided], scenario: str, policy: str) -> FloatArray:
	"""In which share of the repeats each loan is approved."""
	approvals = [one.approved[scenario][policy] for one in decided]
	return np.asarray(np.mean(approvals, axis=0), dtype=float)


def tell(values: FloatArray, form: str = "{:.0f}") -> str:
	"""Mean over loans and its 95% interval, written."""
	mean, half = values.mean(), Z95 * values.std(ddof=1) / np.sqrt(len(values))
	low, high = form.format(mean - half), form.format(mean + half)
	return f"{form.format(mean)} [{low}, {high}]"


if __name__ == "__main__":
	main()
