"""What each policy would have earned on real loans: repeated 5-fold cross-validation.

    python -m tools.benchmarks.bench_policy --portfolio ../shared/data/loantap_sample.csv \
        --external ../shared/data/lendingclub_2007_2010.parquet

The lending model is fitted anew in each fold, with the hyperparameters that one search on the whole
portfolio chose; rules are learnt on the other folds. Profit is imputed from outcomes. Gains are
paired by loan: a loan's gain is its mean over the repeats, and the 95% interval is that of the mean
over loans. The external loans, of 36 months, are scored by the model of the whole portfolio, and
decided by rules learnt on it.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from loantap.features.build import build_features, columns_used
from loantap.measures.intervals import Z95
from loantap.model.training.options import TrainingOptions
from loantap.model.training.predictions import CROSS_VALIDATION, TEST, cross_validate
from loantap.model.training.search import SearchOutcome, fit_candidate, search
from loantap.model.training.train import feature_names, finish_logistic
from loantap.policy.comparison.comparison import Decided, decide_portfolio, slice_portfolio
from loantap.policy.comparison.portfolio import Lesson
from loantap.policy.comparison.profit_score import prepare_features
from loantap.policy.money.imputed import impute_flows
from loantap.policy.money.scenarios import PaidLife
from loantap.portfolio.arrays import BoolArray, FloatArray
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.loantap_format import parse
from tools.benchmarks.bench_figures import read
from tools.benchmarks.configured import read_comparison, read_economics, read_options

ECONOMICS, OPTIONS = read_economics(), read_comparison()
TERM_MONTHS = 36
CAP = "capped_default_rate"
# Ways to learn returns: of nothing but features, or of what they add to the NPV of the PD.
Learner = Callable[[], Ridge | HistGradientBoostingRegressor]
LEARNERS: dict[str, tuple[Learner, bool]] = {
    "ridge": (lambda: Ridge(100.0), False),
    "ridge on top of NPV": (lambda: Ridge(OPTIONS.profit_score_penalty), True),
    "boosting": (lambda: make_boosting(100), False),
    "boosting on top of NPV": (lambda: make_boosting(50), True),
}


def main() -> None:
    """Cross-validate, decide, print what was gained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portfolio", type=Path, required=True)
    parser.add_argument("--external", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    console, steps = Console(width=140), Console(stderr=True)
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
            console.print(tabulate(title, decided, loans, scenario, life))
        console.print(
            compare_scores(f"{scenario}, profit scores: {size}", decided, loans, scenario)
        )
    console.print(check(decided, loans))
    if arguments.external:
        external = read_external(arguments.external, names)
        features = build_features(external, names)
        model = finish_logistic(outcome, repeats[0], options).pipeline
        scored = external[["loan_id", "is_charged_off"]].assign(
            fold=-1, probability_of_default=model.predict_proba(features)[:, 1], declined=False
        )
        both = pd.concat([repeats[0].assign(sample=CROSS_VALIDATION), scored.assign(sample=TEST)])
        everybody = pd.concat([loans, external], ignore_index=True)
        console.print(tabulate_external(decide(both, everybody)))


def predict(
    rows: pd.DataFrame, outcome: SearchOutcome, options: TrainingOptions, number: int
) -> pd.DataFrame:
    """Out-of-fold PDs of one repeat, whose number is the seed of its folds."""
    own = options.model_copy(update={"seed": number})
    names = feature_names(options)
    return cross_validate(rows, names, lambda x, y, _: fit_candidate(x, y, outcome.best, own), own)


def read_external(path: Path, names: list[str]) -> pd.DataFrame:
    """Typed loans of 36 months of another file."""
    raw = pd.read_parquet(path)
    needed = dict.fromkeys([*columns_used(names), "loan_amount", "interest_rate_pct", "grade",
                            "term_months", "issue_month", "loan_status"])  # fmt: skip
    today = pd.Timestamp(datetime.now(UTC).date())
    rows = parse(raw, [COLUMNS[name] for name in needed], today).rows
    loans = rows.assign(
        loan_id=[f"external-{number:06d}" for number in range(len(rows))],
        is_charged_off=mark_outcome(rows["loan_status"]),
    )
    return loans[loans["term_months"].eq(TERM_MONTHS)].reset_index(drop=True)


def decide(predictions: pd.DataFrame, loans: pd.DataFrame) -> Decided:
    """Whom each policy approves."""
    nothing_later = pd.Series(pd.NaT, loans.index)
    splits = loans[["loan_id"]].assign(known_from=nothing_later, judged_at=nothing_later)
    return decide_portfolio(predictions, loans, splits, ECONOMICS, OPTIONS)


def tabulate(
    title: str, decided: list[Decided], loans: pd.DataFrame, scenario: str, life: PaidLife
) -> Table:
    """Figures of every policy in one scenario, over all repeats."""
    profit = impute(loans, scenario, life)
    bad = loans["is_charged_off"].to_numpy() == 1
    table = make_table(title, "approved", "default rate", "charge-offs avoided", "profit",
                       "gain to approve all", "gain to grade and term")  # fmt: skip
    reference = share(decided, scenario, "grade_term_npv")
    for policy in decided[0].approved[scenario]:
        approved = share(decided, scenario, policy)
        table.add_row(
            policy, f"{approved.mean():.1%}", f"{(approved @ bad) / approved.sum():.1%}",
            tell((1 - approved[bad]) * 100, "{:.1f}"), tell(profit * approved),
            tell(profit * (approved - 1)), tell(profit * (approved - reference)),
        )  # fmt: skip
    return table


def compare_scores(title: str, decided: list[Decided], loans: pd.DataFrame, scenario: str) -> Table:
    """Gain of each profit score to the NPV policy, over all repeats."""
    profit = impute(loans, scenario, PaidLife.CONTRACTUAL)
    npv = share(decided, scenario, "npv")
    features = prepare_features(loans)
    table = make_table(title, "approved", "gain to NPV policy", "gain to approve all")
    for name, (make, is_on_top) in LEARNERS.items():
        chosen = [learn(features, one, scenario, make, is_on_top=is_on_top) for one in decided]
        approved = np.mean(chosen, axis=0)
        table.add_row(name, f"{approved.mean():.1%}", tell(profit * (approved - npv)),
                      tell(profit * (approved - 1)))  # fmt: skip
    return table


def learn(
    features: FloatArray, decided: Decided, scenario: str, make: Learner, *, is_on_top: bool
) -> BoolArray:
    """Whom a profit score approves that is learnt on the other folds."""
    values = decided.values[scenario]
    returns = values.realised / decided.portfolio["loan_amount"].to_numpy()
    known = values.margin if is_on_top else np.zeros(len(values))
    scores = known.copy()
    for lesson in decided.lessons:
        scores[lesson.decided] += fit(features, returns - known, lesson, make)
    return scores > 0


def fit(features: FloatArray, returns: FloatArray, lesson: Lesson, make: Learner) -> FloatArray:
    """What a model of the past loans predicts of the others."""
    model = make().fit(features[lesson.past], returns[lesson.past])
    return np.asarray(model.predict(features[lesson.decided]), dtype=float)


def make_boosting(trees: int) -> HistGradientBoostingRegressor:
    """Shallow trees, as those of the challenger of the lending model."""
    return HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=trees, max_leaf_nodes=4, min_samples_leaf=60,
        l2_regularization=10, early_stopping=False,
    )  # fmt: skip


def check(decided: list[Decided], loans: pd.DataFrame) -> Table:
    """The figures that the policy has to reach on real loans, and what it reaches."""
    bad = loans["is_charged_off"].to_numpy() == 1
    cap = f"cap {OPTIONS.shown_cap:.0%}"

    def gain(scenario: str, policy: str, to: str) -> FloatArray:
        difference = share(decided, scenario, policy) - share(decided, scenario, to)
        return np.asarray(impute(loans, scenario, PaidLife.CONTRACTUAL) * difference)

    table = make_table("What has to be reached", "figure", "reached")
    judge(table, "NPV to approve all, mid: at least 100", gain("mid", "npv", "approve_all"), 100)
    judge(table, "NPV to approve all, mild: at least -10", gain("mild", "npv", "approve_all"), -10)
    judge(table, "NPV to grade and term, mid: above 0", gain("mid", "npv", "grade_term_npv"), 0)
    judge(table, f"{cap} to approve all, mid: above 0", gain("mid", CAP, "approve_all"), 0)
    avoided = 100 * (1 - share(decided, "mid", CAP)[bad])
    judge(table, f"{cap}, mid: at least 40% of charge-offs avoided", avoided, 40)
    approved = share(decided, "hard", "npv").mean()
    hard = gain("hard", "npv", "approve_all")
    table.add_row(f"NPV to approve all, hard: approves {approved:.1%}", tell(hard, "{:.1f}"), "")
    return table


def judge(table: Table, target: str, values: FloatArray, least: float) -> None:
    """Whether the mean of the values reaches its target."""
    mean, _ = estimate(values)
    table.add_row(target, tell(values, "{:.1f}"), "yes" if mean >= least else "NO")


def tabulate_external(decided: Decided) -> Table:
    """Gains on the external loans, of rules learnt on the portfolio."""
    parts = [part for part in slice_portfolio(decided, ECONOMICS) if part.sample == TEST]
    loans = len(parts[0].values)
    table = make_table(f"external: {loans:,} loans of {TERM_MONTHS} months", "policy", "approved",
                       "default rate", "gain to approve all")  # fmt: skip
    for part in parts:
        outcomes = part.outcomes[PaidLife.CONTRACTUAL]
        for policy in ("npv", "profit_score", "grade_term_npv", CAP, "pd_cutoff", "bands"):
            own = part.approved[policy]
            kept = outcomes.is_charged_off[own]
            table.add_row(part.scenario, policy, f"{own.mean():.1%}",
                          f"{kept.mean():.1%}" if len(kept) else "-",
                          tell(outcomes.profit * own - outcomes.profit))  # fmt: skip
    return table


def impute(loans: pd.DataFrame, scenario: str, life: PaidLife) -> FloatArray:
    """Imputed profit of each loan."""
    return impute_flows(loans, ECONOMICS.scenarios[scenario], ECONOMICS, life).npv


def share(decided: list[Decided], scenario: str, policy: str) -> FloatArray:
    """In which share of the repeats each loan is approved."""
    approvals = [one.approved[scenario][policy] for one in decided]
    return np.asarray(np.mean(approvals, axis=0), dtype=float)


def estimate(values: FloatArray) -> tuple[float, float]:
    """Mean over loans, and half of its 95% interval."""
    return float(values.mean()), Z95 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))


def tell(values: FloatArray, form: str = "{:.0f}") -> str:
    """Mean and 95% interval, written."""
    mean, half = estimate(values)
    low, high = form.format(mean - half), form.format(mean + half)
    return f"{form.format(mean)} [{low}, {high}]"


def make_table(title: str, *headings: str) -> Table:
    """A table whose first column names what the others measure."""
    table = Table(title=title)
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


if __name__ == "__main__":
    main()
