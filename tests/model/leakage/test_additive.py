import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.model.leakage.additive import BORROWER, LINKED, CrossFitted, Gain, cross_fit
from loantap.model.leakage.readings import read


def test_the_model_is_a_ridge_of_a_line_and_bins_and_lacks_a_column_as_its_quadratic_does():
	rng, loans = np.random.default_rng(2), np.arange(240)
	columns = {n: rng.integers(0, 4, 240) for n in ("annual_income", "dti_pct", "interest_rate_pct")}
	readings = {n: read(pd.Series(v, dtype=float), n) for n, v in columns.items()}
	target = (rng.random(240) < expit(0.7 * columns["dti_pct"] - 0.4 * columns["annual_income"] - 1)).astype(np.int64)
	folds = [(np.flatnonzero(loans % 3 != k), np.flatnonzero(loans % 3 == k)) for k in range(3)]
	# By column a line, of which a variance of 1 is believed, and four bins, of 1/20 each.
	design = np.hstack([np.ones((240, 1)), *(np.c_[r.score, r.codes[:, None] == range(4)] for r in readings.values())])
	penalty = np.array([1e-6, *[1, 20, 20, 20, 20] * 3])
	model = cross_fit(readings, target, folds)
	dropped = {"dti_pct": [1], BORROWER: [0, 1], "annual_income and dti_pct": [0, 1], "interest_rate_pct": [2]}

	for number, (inside, outside) in enumerate(folds):
		x, beta = design[inside], np.zeros(16)
		for _ in range(20):
			share = expit(x @ beta)
			information = x.T @ (x * (share * (1 - share))[:, None]) + np.diag(penalty)
			beta = beta + np.linalg.solve(information, x.T @ (target[inside] - share) - penalty * beta)
		assert model.scores[outside] == pytest.approx(design[outside] @ beta, abs=1e-4)
		assert set(model.fold[outside]) == {number}
		for name, left_out in dropped.items():
			own = np.isin((np.arange(16) - 1) // 5, left_out)
			rest = information[~own]
			fewer = beta[~own] + np.linalg.solve(rest[:, ~own], rest[:, own] @ beta[own])
			assert model.without[name][outside] == pytest.approx(design[outside][:, ~own] @ fewer, abs=1e-3)
	assert set(model.without) == {*readings, *dropped}
	del readings["interest_rate_pct"]
	assert "annual_income and dti_pct" in cross_fit(readings, target, folds).without
	assert all(0 < most < 0.02 for most in LINKED.values())


def made(scores, target, fold=0):
	return CrossFitted(np.array(target), scores, {}, np.zeros(len(target)) + fold)


def test_cells_are_held_against_what_the_model_expects_of_them():
	# Even odds: of 40 loans 20 are expected, with a variance of 10; of 3 or 4 loans too little to tell.
	model = made(np.zeros(83), [1] * 30 + [0] * 10 + [1] * 15 + [0] * 25 + [1] * 3)
	cells = [np.repeat([0, 1, 2], sizes) for sizes in ([40, 40, 3], [40, 39, 4], [40, 36, 7])]
	seen, expected, variance = model.excess(cells[0])

	assert (seen.tolist(), expected.tolist(), variance.tolist()) == ([30, 15, 3], [20, 20, 1.5], [10, 10, 0.75])
	# Squares of 10 and 2.5, beyond the 2 expected, of which the error is 2.
	found = [model.surprise(c) for c in (*cells, cells[0] * 0)]
	told = (12.5 - 2) / 2, (10 + 4.5**2 / 9.75 - 2) / 2, (11 + 1 / 7 - 3) / 6**0.5, (6.5**2 / 20.75 - 1) / 2**0.5
	assert found == pytest.approx(told)
	# Nor do loans of one outcome tell anything.
	one = CrossFitted(np.array([0, 1]), np.zeros(2), {"x": np.zeros(2)}, np.zeros(2))
	assert one.gain_of("x", np.array([True, False])) == Gain(0.0, np.inf)
	assert made(np.zeros(3), [1, 1, 1]).surprise(np.zeros(3, dtype=int)) == 0


def test_an_effect_of_a_cell_is_learned_on_other_folds_and_shrunk():
	rng = np.random.default_rng(1)
	# The last cell has loans in one fold only, so that nothing is known of it.
	cells, fold = np.append(rng.integers(0, 9, 297), [9] * 3), np.append(rng.integers(0, 3, 297), [2] * 3)
	model = made(rng.normal(size=300), (rng.random(300) < 0.1 + cells / 12).astype(int), fold)
	effects, share = np.zeros(300), expit(model.scores)
	for place in range(300):
		taught = (cells == cells[place]) & (fold != fold[place])
		effects[place] = (model.target - share)[taught].sum() / ((share * (1 - share))[taught].sum() + 10)
	more = made(model.scores + effects, model.target).area.minus(model.area)
	found = model.gain_by(cells)

	assert (found.auc, found.standard_error) == pytest.approx((more.value, more.standard_error), abs=1e-12)
	assert (Gain(0.05, 0.01).at_least(2), Gain(0.05, 0.01).at_most(2)) == pytest.approx((0.03, 0.07))
