"""How well six months of card holders rank who does not pay in the next one: real data (UCI).

python -m tools.early_warning.card_figures --data uci_credit_card.parquet
"""

import argparse
from itertools import islice
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

from loantap.measures.auc import bootstrap_aucs, draw_resamples, quantile_bounds
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from tools.benchmarks.measured import print_table

_TARGET: Final = "default.payment.next.month"
_BILLS, _PAID = ([f"{name}_AMT{month}" for month in range(1, 7)] for name in ("BILL", "PAY"))
_CODES: Final = [f"PAY_{month}" for month in (0, 2, 3, 4, 5, 6)]
# All that is read: age, sex, marriage and education may not be used.
USED: Final = ["LIMIT_BAL", *_BILLS, *_PAID, *_CODES, _TARGET]
_SEED, _RESAMPLES = 42, 1_000


def make_features(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
	"""Utilisation and payments, and arrears, of each customer; 0 is the latest month."""
	limit = rows[["LIMIT_BAL"]].to_numpy(dtype=float)
	bills, paid = (rows[names].fillna(0).to_numpy(dtype=float) for names in (_BILLS, _PAID))
	# In the file -1, paid in full, is missing.
	codes = rows[_CODES].fillna(-1).clip(upper=4).to_numpy(dtype=float)
	used, late = bills / limit, np.maximum(codes, 0)
	habits = _name(
		utilisation=used,
		payment=np.log1p(paid),
		payment_to_limit=paid / limit,
		change=used[:, [0]] - used,
		payment_to_bill=np.clip(paid[:, :-1] / np.maximum(bills[:, 1:], 1), 0, 2),
		sum=np.column_stack([np.log(limit), used.mean(1), used.max(1), np.log1p(paid.mean(1)), (paid == 0).sum(1)]),
	).drop(columns="change_0")
	sums = np.column_stack([late[:, :3].max(1), late.max(1), late.sum(1), (codes > 0).sum(1)])
	return habits, _name(arrears=codes, late_sum=sums)


def _name(**parts: FloatArray) -> pd.DataFrame:
	return pd.DataFrame({f"{name}_{at}": column for name, of in parts.items() for at, column in enumerate(of.T)})


def rank_out_of_fold(columns: pd.DataFrame, defaults: IntArray) -> dict[str, FloatArray]:
	"""Scores of a logistic regression on splines of ranks, and of boosted trees."""
	splines = (QuantileTransformer(n_quantiles=200, subsample=None), SplineTransformer(n_knots=5, degree=2))
	trees = {"max_iter": 250, "max_leaf_nodes": 15, "min_samples_leaf": 50, "max_features": 0.3}
	models = {
		"logistic": make_pipeline(*splines, StandardScaler(), LogisticRegression(C=0.01, max_iter=3_000)),
		"boosting": HistGradientBoostingClassifier(learning_rate=0.03, l2_regularization=10, random_state=_SEED, **trees),
	}
	folds = StratifiedKFold(5, shuffle=True, random_state=_SEED)
	return {
		name: cross_val_predict(model, columns, defaults, cv=folds, method="predict_proba")[:, 1]
		for name, model in models.items()
	}


def rank_by_best_column(columns: pd.DataFrame, defaults: IntArray) -> dict[str, FloatArray]:
	"""The column of a month that ranks these very customers best, turned so that high is bad."""
	raw = columns.drop(columns=columns.filter(like="sum_"))
	gaps = {name: roc_auc_score(defaults, raw[name]) - 0.5 for name in raw}
	best = max(gaps, key=lambda name: abs(gaps[name]))
	return {f"{'high' if gaps[best] > 0 else 'low'} {best}": np.sign(gaps[best]) * raw[best].to_numpy()}


def find_top(score: FloatArray, share: float, seed: int = _SEED) -> BoolArray:
	"""Whether each is among the highest so many; of equal ones chance decides."""
	shuffled = np.random.default_rng(seed).permutation(len(score))
	listed = np.zeros(len(score), dtype=bool)
	listed[shuffled[np.argsort(-score[shuffled], kind="stable")][: round(share * len(score))]] = True
	return listed


def capture(defaults: IntArray, listed: BoolArray) -> FloatArray:
	"""Share of defaults that are listed, then the same in bootstrap resamples."""
	times = np.array([np.ones(len(defaults)), *islice(draw_resamples(defaults, _SEED), _RESAMPLES)])
	return np.asarray(times @ (defaults * listed) / (times @ defaults))


def show(drawn: FloatArray) -> str:
	"""A figure and its 95% interval, out of the figure and its resamples."""
	low, high = quantile_bounds(drawn[1:])
	return f"{drawn[0]:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
	"""Print AUC and share of defaults in the top decile, by what ranks."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--data", required=True)
	rows = pd.read_parquet(parser.parse_args().data, columns=USED)
	target = rows[_TARGET].to_numpy(dtype=np.int64)
	habits, arrears = make_features(rows)
	is_current = arrears["arrears_0"].to_numpy() <= 0
	table = []
	changes = habits.filter(like="change")
	histories = {"all history": habits.join(arrears), "no delay codes": habits, "change of utilisation": changes}
	for history, columns in histories.items():
		ranked = rank_out_of_fold(columns, target)
		for who, chosen in (("", is_current | True), (", not in arrears", is_current)):
			defaults = target[chosen]
			scores = {name: score[chosen] for name, score in ranked.items()}
			scores |= rank_by_best_column(columns[chosen], defaults)
			areas = bootstrap_aucs(defaults, np.array([*scores.values()]), seed=_SEED, resamples=_RESAMPLES)
			for (name, score), drawn in zip(scores.items(), areas.T, strict=True):
				area = show(np.append(roc_auc_score(defaults, score), drawn))
				top = show(capture(defaults, find_top(score, 0.1)))
				table.append((f"{history}{who}", name, f"{len(defaults):,}, {defaults.sum():,}", area, top))
	headings = ("ranked by", "how", "customers, defaults", "AUC", "captured by a tenth")
	print_table("Card holders, real data", headings, table)


if __name__ == "__main__":
	main()
