"""How well real monthly behaviour ranks card holders by the risk of the next month.

    python -m tools.early_warning.card_figures --data ../shared/data/uci_credit_card.parquet

5-fold cross-validation, every card holder scored by a model that never saw them, 95% bootstrap
intervals, beside the single raw column that ranks best. There is one label month: this measures
ranking, and can say nothing of lead time or of PDs over several months.
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from loantap.measures.auc import bootstrap_aucs, draw_resamples, quantile_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError
from tools.early_warning.cards import Cards, read_cards, tell_sign

TOP_SHARE: Final = 0.1
_SEED: Final = 0
_FOLDS: Final = 5
_RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """Who is ranked by what, and what has to be reached.

    Attributes:
        name: as the table says it.
        features: one row per card holder.
        rows: those who are ranked.
        least_auc: to be reached by the boosting; 0 where it is only told.
        least_capture: of the target in the top tenth; the same.
    """

    name: str
    features: pd.DataFrame
    rows: BoolArray
    least_auc: float = 0.0
    least_capture: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its 95% bootstrap bounds."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def main() -> int:
    """Read the cards, answer each question, print the table; 2 where the data is not there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Parquet file of the UCI data")
    arguments = parser.parse_args()
    try:
        cards = read_cards(arguments.data)
    except InputError as error:
        Console(stderr=True).print(str(error), markup=False)
        return 2
    table = Table(title="Real card holders, next month's payment missed; 5-fold, 95% bounds")
    for heading in ("", "n", "missed", "best raw column", "AUC of it", "AUC logistic",
                    "AUC boosting", "gain to raw", "top tenth captures", "to reach"):  # fmt: skip
        table.add_column(heading)
    for question in ask(cards):
        table.add_row(*answer(question, cards))
    Console(width=200).print(table)
    return 0


def ask(cards: Cards) -> list[Question]:
    """The questions, hardest premise last."""
    everybody = np.ones(len(cards.target), dtype=bool)
    history = pd.concat([cards.utilisation, cards.payments, cards.arrears], axis=1)
    no_codes = pd.concat([cards.utilisation, cards.payments], axis=1)
    return [
        Question("all history", history, everybody, 0.78, 0.31),
        Question("utilisation and payments, no delay codes", no_codes, everybody, 0.72),
        Question("not in arrears now, all history", history, cards.is_current, 0.67),
        Question("never late, all history", history, cards.never_late),
        Question("utilisation, levels and trend", cards.utilisation, everybody),
        Question("utilisation trend alone", cards.utilisation_trend, everybody),
        Question("never late, utilisation trend alone", cards.utilisation_trend, cards.never_late),
    ]


def answer(question: Question, cards: Cards) -> list[str]:
    """A row of the table."""
    target = cards.target[question.rows]
    features = question.features[question.rows].reset_index(drop=True)
    raw_name, raw = find_best_column(cards.raw[question.rows], target)
    logistic, boosting = (
        predict(model, features, target)
        for model in (make_logistic(), make_boosting(list(features.columns)))
    )
    scores = np.vstack([raw, logistic, boosting])
    aucs = [float(roc_auc_score(target, score)) for score in scores]
    drawn = bootstrap_aucs(target, scores, seed=_SEED, resamples=_RESAMPLES)
    of_raw, of_logistic, of_boosting = (
        Figure(auc, *quantile_bounds(drawn[:, place])) for place, auc in enumerate(aucs)
    )
    gain = Figure(aucs[2] - aucs[0], *quantile_bounds(drawn[:, 2] - drawn[:, 0]))
    captured = measure_capture(target, boosting)
    asked, reached = [], True
    if question.least_auc:
        asked.append(f"AUC {question.least_auc:g}")
        reached &= of_boosting.value >= question.least_auc
    if question.least_capture:
        asked.append(f"top tenth {question.least_capture:g}")
        reached &= captured.value >= question.least_capture
    verdict = f"{', '.join(asked)}: {'yes' if reached else 'NO'}" if asked else "told as it is"
    return [
        question.name, f"{len(target):,}", f"{target.mean():.1%}", raw_name, str(of_raw),
        str(of_logistic), str(of_boosting), str(gain), str(captured), verdict,
    ]  # fmt: skip


def find_best_column(raw: pd.DataFrame, target: IntArray) -> tuple[str, FloatArray]:
    """The raw column that ranks best in either direction, turned so that more is riskier.

    It is chosen on the very rows that it is judged on, which flatters it.
    """
    filled = raw.fillna(raw.median())
    areas = {str(name): float(roc_auc_score(target, filled[name])) for name in filled}
    best = max(areas, key=lambda name: abs(areas[name] - 0.5))
    values = filled[best].to_numpy(dtype=float)
    return best, values if areas[best] >= 0.5 else -values


def measure_capture(target: IntArray, score: FloatArray) -> Figure:
    """The share of the target that the top tenth holds."""
    order = np.argsort(-score, kind="stable")
    ranked = target[order]

    def capture(times: IntArray) -> float:
        is_top = np.cumsum(times) <= TOP_SHARE * times.sum()
        return float((times * ranked)[is_top].sum() / (times * ranked).sum())

    draws = islice(draw_resamples(target, _SEED), _RESAMPLES)
    drawn = np.array([capture(times[order]) for times in draws])
    return Figure(capture(np.ones(len(target), dtype=np.int64)), *quantile_bounds(drawn))


def predict(model: Pipeline, features: pd.DataFrame, target: IntArray) -> FloatArray:
    """Probabilities out of fold."""
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    found = cross_val_predict(model, features, target, cv=folds, method="predict_proba")
    return np.asarray(found[:, 1], dtype=float)


def make_logistic() -> Pipeline:
    """The plain model: a missing number counts as the mean."""
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.1, max_iter=500))


def make_boosting(names: list[str]) -> Pipeline:
    """Shallow trees that never hold against a card holder what speaks for them.

    The settings were chosen beforehand, and not tuned on these rows.
    """
    return make_pipeline(
        HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=150,
            max_leaf_nodes=8,
            min_samples_leaf=60,
            l2_regularization=10,
            max_features=0.5,
            monotonic_cst=[tell_sign(name) for name in names],
            early_stopping=False,
            random_state=_SEED,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
