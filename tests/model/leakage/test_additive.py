import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from loantap.model.leakage.additive import BORROWER, LINKED, CrossFitted, cross_fit
from loantap.model.leakage.readings import read


def table(loans=240):
  """Three columns, two of them linked, and outcomes that go with them."""
  rng = np.random.default_rng(2)
  columns = {n: rng.integers(0, 4, loans).astype(float) for n in ("annual_income", "dti_pct", "interest_rate_pct")}
  target = (rng.random(loans) < expit(-1 + 0.7 * columns["dti_pct"] - 0.4 * columns["annual_income"])).astype(np.int64)
  folds = [(np.flatnonzero(np.arange(loans) % 3 != k), np.flatnonzero(np.arange(loans) % 3 == k)) for k in range(3)]
  return {n: read(pd.Series(v), n) for n, v in columns.items()}, target, folds


def test_the_model_is_a_ridge_of_a_line_and_bins_and_lacks_a_column_as_its_quadratic_does():
  readings, target, folds = table()
  # By column a line, of which a variance of 1 is believed, and four bins, of 1/20 each.
  parts = [np.column_stack([r.score, r.codes[:, None] == np.arange(4)]) for r in readings.values()]
  design = np.column_stack([np.ones(240), *parts])
  penalty = np.array([1e-6, *[1, 20, 20, 20, 20] * 3])
  model = cross_fit(readings, target, folds)
  dropped = {"dti_pct": [1], BORROWER: [0, 1], "annual_income and dti_pct": [0, 1], "interest_rate_pct": [2]}

  for number, (inside, outside) in enumerate(folds):
    x, y = design[inside], target[inside]

    def loss(beta, x=x, y=y):
      return np.logaddexp(0, x @ beta).sum() - y @ x @ beta + penalty @ beta**2 / 2

    def slope(beta, x=x, y=y):
      return x.T @ (expit(x @ beta) - y) + penalty * beta

    best = minimize(loss, np.zeros(16), jac=slope, tol=1e-12).x
    assert model.scores[outside] == pytest.approx(design[outside] @ best, abs=1e-3)
    assert set(model.fold[outside]) == {number}
    share = expit(x @ best)
    information = (x * (share * (1 - share))[:, None]).T @ x + np.diag(penalty)
    for name, columns in dropped.items():
      kept = [place for place in range(16) if not place or (place - 1) // 5 not in columns]
      others = [place for place in range(16) if place not in kept]
      fewer = best[kept] + np.linalg.solve(
        information[np.ix_(kept, kept)], information[np.ix_(kept, others)] @ best[others]
      )
      assert model.without[name][outside] == pytest.approx(design[np.ix_(outside, kept)] @ fewer, abs=2e-3)
  assert set(model.without) == {*readings, BORROWER, "annual_income and dti_pct"}


def made(scores, target, fold=None, without=None):
  outcome = np.array(target)
  return CrossFitted(
    outcome, np.array(scores, dtype=float), without or {}, np.zeros(len(outcome)) if fold is None else fold
  )


def test_a_gain_may_be_asked_for_a_part_of_the_loans():
  model = made([1, 2, 3, 4, 4, 3], [0, 1, 0, 1, 0, 0], without={"x": np.array([1.0, 2, 3, 3, 2, 1])})
  part = np.array([True] * 4 + [False] * 2)

  # Of 8 pairs 4.5 in order, then 6; among the first four of 4 pairs 3, then 2.5.
  assert model.gain_of("x").auc == pytest.approx((4.5 - 6) / 8)
  assert model.gain_of("x", part).auc == pytest.approx((3 - 2.5) / 4)
  assert model.gain_of("x", ~part).at_least(1) == -np.inf
  assert model.gain_of("x", ~part).auc == 0
  assert model.before("x").scores.tolist() == [1, 2, 3, 3, 2, 1]
  assert model.before("x").without == {}


def test_cells_are_held_against_what_the_model_expects_of_them():
  # Even odds: of 40 loans 20 are expected, with a variance of 10; of 3 loans too little to tell.
  cells = np.repeat([0, 1, 2], [40, 40, 3])
  model = made(np.zeros(83), [1] * 30 + [0] * 10 + [1] * 15 + [0] * 25 + [1] * 3)
  seen, expected, variance = model.excess(cells)

  assert (seen.tolist(), expected.tolist(), variance.tolist()) == ([30, 15, 3], [20, 20, 1.5], [10, 10, 0.75])
  # Squares of 10 and 2.5, beyond the 2 expected, of which the error is 2.
  assert model.surprise(cells) == pytest.approx((12.5 - 2) / 2)
  # A variance of 1 is too little as well, and one of 1.75 is not.
  assert model.surprise(np.repeat([0, 1, 2], [40, 39, 4])) == pytest.approx((10 + 4.5**2 / 9.75 - 2) / 2)
  assert model.surprise(np.repeat([0, 1, 2], [40, 36, 7])) == pytest.approx((10 + 1 + 1 / 7 - 3) / 6**0.5)
  assert model.surprise(np.zeros(83, dtype=int)) == pytest.approx((6.5**2 / 20.75 - 1) / 2**0.5)
  assert made([0] * 3, [1, 1, 1]).surprise(np.zeros(3, dtype=int)) == 0


def test_an_effect_of_a_cell_is_learned_on_other_folds_and_shrunk():
  rng = np.random.default_rng(1)
  # The last cell has loans in one fold only, so that nothing is known of it.
  cells, fold = np.append(rng.integers(0, 9, 297), [9] * 3), np.append(rng.integers(0, 3, 297), [2] * 3)
  model = made(rng.normal(size=300), (rng.random(300) < 0.1 + cells / 12).astype(int), fold)
  effects = np.zeros(300)
  share = expit(model.scores)
  for place in range(300):
    taught = (cells == cells[place]) & (fold != fold[place])
    excess, variance = (model.target - share)[taught].sum(), (share * (1 - share))[taught].sum()
    effects[place] = excess / (variance + 10)
  gained, found = made(model.scores + effects, model.target), model.gain_by(cells)

  assert found.auc == pytest.approx(gained.area.value - model.area.value, abs=1e-12)
  assert found.standard_error == pytest.approx(gained.area.minus(model.area).standard_error)


def test_two_linked_columns_are_left_out_together_and_may_add_next_to_nothing():
  readings, target, folds = table()
  both = {n: readings[n] for n in ("annual_income", "dti_pct")}

  assert "annual_income and dti_pct" in cross_fit(both, target, folds).without
  del both["dti_pct"]
  assert set(cross_fit(both, target, folds).without) == {"annual_income", BORROWER}
  assert all(0 < most < 0.02 for most in LINKED.values())
