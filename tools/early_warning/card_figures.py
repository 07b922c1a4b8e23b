"""How well months of card holders rank who will not pay next month: real data.

    python -m tools.early_warning.card_figures --data uci_credit_card.parquet

Source of the data: UCI, "Default of credit card clients", 20,000 customers, six months, one label
month: it supports ranking, not lead time. Age, sex, marriage and education are not read.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

from loantap.measures.auc import bootstrap_aucs, draw_resamples
from loantap.portfolio.arrays import FloatArray, IntArray
from loantap.portfolio.errors import InputError
from tools.benchmarks.measured import print_table
from tools.early_warning.ranks import capture, find_top, show

_MONTHS: Final = 6
_LIMIT, _TARGET = "LIMIT_BAL", "default.payment.next.month"
_BILLS, _PAYMENTS = ([f"{name}_AMT{month}" for month in range(1, _MONTHS + 1)] for name in ("BILL", "PAY"))
_CODES: Final = ["PAY_0", *(f"PAY_{month}" for month in range(2, _MONTHS + 1))]
# A code of -1, paid in full, is missing in the file.
_PAID_IN_FULL: Final = -1
_FOLDS, _SEED, _RESAMPLES = 5, 42, 1_000


@dataclass(frozen=True, slots=True)
class Cards:
    """Customers, one row each; columns end with the month: 0 is the latest.

    Attributes:
        habits: limit, utilisation, payments, and what changes in them.
        arrears: months overdue: -2 nothing drawn, -1 paid in full, 0 a part is paid.
        defaults: 1 for who does not pay next month.
    """

    habits: pd.DataFrame
    arrears: pd.DataFrame
    defaults: IntArray


def read_cards(rows: pd.DataFrame) -> Cards:
    """The columns that may be used, as features; InputError where one is missing."""
    used = [_LIMIT, _TARGET, *_BILLS, *_PAYMENTS, *_CODES]
    if missing := [name for name in used if name not in rows]:
        raise InputError(
            "--data", f"it has no column {', '.join(missing)}", "Give UCI's table with the names of its columns"
        )
    limit = rows[_LIMIT].to_numpy(dtype=float)[:, None]
    bills, payments = (rows[names].fillna(0).to_numpy(dtype=float) for names in (_BILLS, _PAYMENTS))
    codes = rows[_CODES].fillna(_PAID_IN_FULL).to_numpy(dtype=float)
    utilisation, late = bills / limit, np.clip(codes, 0, 4)
    # What is paid in a month answers the bill of the month before.
    answered = np.clip(payments[:, :-1] / np.maximum(bills[:, 1:], 1), 0, 2)
    habits = {
        **_by_month("utilisation", utilisation),
        **_by_month("payment", np.log1p(payments)),
        **_by_month("payment_to_limit", payments / limit),
        **_by_month("payment_to_bill", answered),
        **{f"utilisation_change_{back}m": utilisation[:, 0] - utilisation[:, back] for back in (1, 3, 5)},
        "limit": np.log(limit[:, 0]),
        "utilisation_mean": utilisation.mean(axis=1),
        "utilisation_max": utilisation.max(axis=1),
        "payment_mean": np.log1p(payments.mean(axis=1)),
        "months_without_payment_3m": (payments[:, :3] == 0).sum(axis=1),
        "months_without_payment_6m": (payments == 0).sum(axis=1),
    }
    arrears = {
        **_by_month("arrears", np.minimum(codes, 4)),
        "arrears_max_3m": late[:, :3].max(axis=1),
        "arrears_max_6m": late.max(axis=1),
        "arrears_sum": late.sum(axis=1),
        "months_late": (codes > 0).sum(axis=1),
    }
    return Cards(pd.DataFrame(habits), pd.DataFrame(arrears), rows[_TARGET].to_numpy(dtype=np.int64))


def make_models(seed: int) -> dict[str, Any]:
    """What ranks: a logistic regression on splines of the ranks of each column, and boosted trees."""
    splines = (QuantileTransformer(n_quantiles=200, subsample=None), SplineTransformer(n_knots=5, degree=2))
    return {
        "logistic, splines": make_pipeline(*splines, StandardScaler(), LogisticRegression(C=0.01, max_iter=3_000)),
        "boosting": HistGradientBoostingClassifier(
            learning_rate=0.03, max_iter=250, max_leaf_nodes=15, min_samples_leaf=50,
            l2_regularization=10, max_features=0.3, random_state=seed,
        ),
    }  # fmt: skip


def score_cards(cards: Cards, columns: pd.DataFrame, seed: int = _SEED) -> dict[str, FloatArray]:
    """Of each model on some columns the scores out of fold."""
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    return {
        name: np.asarray(cross_val_predict(model, columns, cards.defaults, cv=folds, method="predict_proba")[:, 1])
        for name, model in make_models(seed).items()
    }


def score_best_column(columns: pd.DataFrame, defaults: IntArray) -> dict[str, FloatArray]:
    """The column of one month that ranks these customers best, turned so that high is bad."""
    raw = columns.filter(regex=r"_(\d|change_\dm)$")
    areas = {name: roc_auc_score(defaults, raw[name]) for name in raw}
    best = max(areas, key=lambda name: abs(areas[name] - 0.5))
    sign, word = (1, "high") if areas[best] > 0.5 else (-1, "low")
    return {f"best raw column: {word} {best}": sign * raw[best].to_numpy(dtype=float)}


def measure_ranks(
    defaults: IntArray, scores: Mapping[str, FloatArray], seed: int = _SEED, resamples: int = _RESAMPLES
) -> list[tuple[str, str, str]]:
    """Of each score its name, AUC and share of defaults in its top decile, with 95% bootstrap bounds."""
    drawn = bootstrap_aucs(defaults, np.array(list(scores.values())), seed=seed, resamples=resamples)
    rows = []
    for (name, score), areas in zip(scores.items(), drawn.T, strict=True):
        in_top = find_top(score, 0.1, seed)
        shares = [capture(defaults, in_top, times) for times in islice(draw_resamples(defaults, seed), resamples)]
        area = roc_auc_score(defaults, score)
        rows.append((name, show(area, areas), show(capture(defaults, in_top), np.array(shares))))
    return rows


def _by_month(name: str, values: FloatArray) -> dict[str, FloatArray]:
    return {f"{name}_{month}": values[:, month] for month in range(values.shape[1])}


def main() -> None:
    """Print the figures of each question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    cards = read_cards(pd.read_parquet(parser.parse_args().data))
    is_current = cards.arrears["arrears_0"].to_numpy() <= 0
    trends = cards.habits.filter(like="_change_")
    histories = [
        ("all history", cards.habits.join(cards.arrears), (".78, .31", ".67")),
        ("utilisation and payments, no delay codes", cards.habits, (".72", "")),
        ("changes of utilisation alone", trends, ("", "")),
    ]
    rows = []
    for history, columns, targets in histories:
        scores = score_cards(cards, columns)
        for chosen, who, asked in zip(
            (is_current | True, is_current), ("", "; not in arrears now"), targets, strict=True
        ):
            defaults = cards.defaults[chosen]
            of_these = {name: score[chosen] for name, score in scores.items()}
            found = measure_ranks(defaults, of_these | score_best_column(columns[chosen], defaults))
            sample = f"{len(defaults):,}, {int(defaults.sum()):,}"
            rows += [(f"{history}{who}", name, sample, *figures, asked) for name, *figures in found]
    headings = ("ranked by", "how", "customers, defaults", "AUC", "in the top decile", "asked")
    print_table("Card holders, real data: who does not pay next month", headings, rows)


if __name__ == "__main__":
    main()
