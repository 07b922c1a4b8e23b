import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score

from loantap.measures.metrics import (
	decline_cross_fitted,
	f2_decline_all,
	f2_score,
	f2_variance,
	find_best_threshold,
	tabulate_thresholds,
)
from loantap.model.schemas import THRESHOLDS

TARGET = np.array([0, 0, 1, 0, 1])
PD = np.array([0.1, 0.2, 0.3, 0.4, 0.8])

loan_lists = st.lists(
	st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=40
)  # few distinct PDs, so that there are ties


def split(loans):
	target = np.array([outcome for outcome, _ in loans])
	assume(0 < target.sum() < len(target))
	return target, np.array([pd_ / 20 for _, pd_ in loans])


def test_f2_weighs_recall_twice_as_much_as_precision():
	assert float(f2_score(0.5, 1.0)) == pytest.approx(5 * 0.5 / (4 * 0.5 + 1))
	assert float(f2_score(1.0, 0.5)) == pytest.approx(5 * 0.5 / (4 + 0.5))


@given(loan_lists)
def test_f2_of_declining_everybody_is_what_it_says(loans):
	target, _ = split(loans)

	expected = fbeta_score(target, np.ones_like(target), beta=2)
	assert f2_decline_all(target.mean()) == pytest.approx(expected)


def test_the_variance_is_that_of_drawing_the_loans_again():
	# Of 2,000 loans: 260 losses caught, 120 missed, 500 paid loans declined, 1,120 approved.
	counts = np.array([260, 120, 500, 1_120])
	rng = np.random.default_rng(1)
	tp, fn, fp, _ = rng.multinomial(2_000, counts / 2_000, size=40_000).T

	drawn = 5 * tp / (5 * tp + 4 * fn + fp)

	assert f2_variance(*counts[:3]) == pytest.approx(drawn.var(), rel=0.03)


@pytest.mark.parametrize("counts", [(260.0, 120.0, 500.0), (5.0, 40.0, 3.0), (30.0, 4.0, 400.0)])
def test_the_variance_follows_from_the_slopes(counts):
	def f2(tp, fn, fp):
		return 5 * tp / (5 * tp + 4 * fn + fp)

	steps = np.eye(3) * 1e-4
	slopes = [(f2(*(counts + step)) - f2(*(counts - step))) / 2e-4 for step in steps]

	assert f2_variance(*counts) == pytest.approx(np.square(slopes) @ counts, rel=1e-6)


def test_the_variance_is_nothing_where_nothing_can_go_wrong():
	assert f2_variance(tp=2, fn=0, fp=0) == 0


# F2 from .1: .769, from .2: .833, from .3: .909, from .4: .5, from .8: .556.
def test_the_best_threshold_by_hand():
	assert find_best_threshold(TARGET, PD) == pytest.approx((0.3, 10 / 11))


def test_a_loan_at_the_threshold_is_declined():
	threshold, f2 = find_best_threshold(np.array([0, 1]), np.array([0.2, 0.7]))

	assert (threshold, f2) == (0.7, 1.0)


@given(loan_lists)
def test_no_other_threshold_is_better(loans):
	target, pd_ = split(loans)

	threshold, f2 = find_best_threshold(target, pd_)

	every = [fbeta_score(target, pd_ >= t, beta=2) for t in np.unique(pd_)]
	assert f2 == pytest.approx(max(every))
	assert fbeta_score(target, pd_ >= threshold, beta=2) == pytest.approx(f2)


@pytest.fixture
def folds():
	rng = np.random.default_rng(5)
	pd_ = rng.beta(1.6, 6.8, 900)
	return (rng.random(900) < pd_).astype(int), pd_, np.arange(900) % 3


def test_each_fold_is_decided_at_the_threshold_of_the_others(folds):
	target, pd_, fold = folds

	declined = decline_cross_fitted(target, pd_, fold)

	for held_out in range(3):
		others, own = fold != held_out, fold == held_out
		threshold, _ = find_best_threshold(target[others], pd_[others])
		assert list(declined[own]) == list(pd_[own] >= threshold)


@pytest.fixture(scope="module")
def loans():
	rng = np.random.default_rng(7)
	pd_ = rng.beta(1.6, 6.8, 500).round(2)
	return (rng.random(500) < pd_).astype("int64"), pd_


@pytest.fixture(scope="module")
def table(loans):
	return tabulate_thresholds(*loans)


def test_the_trade_off_agrees_with_declining_at_each_threshold(loans, table):
	target, pd_ = loans
	for row in table.itertuples():
		declined = pd_ >= row.threshold
		assert row.approval_rate == pytest.approx((~declined).mean())
		assert row.precision == pytest.approx(target[declined].mean())
		assert row.recall == pytest.approx(target[declined].sum() / target.sum())
		assert row.f2 == pytest.approx(fbeta_score(target, declined, beta=2))
		approved = target[~declined]
		expected = approved.mean() if len(approved) else 0
		assert row.default_rate_approved == pytest.approx(expected)


def test_the_bounds_of_f2_are_those_of_the_loans_declined(loans, table):
	target, pd_ = loans
	row = table.iloc[40]
	declined = pd_ >= row["threshold"]
	counts = [float(c.sum()) for c in (target[declined], target[~declined], 1 - target[declined])]

	assert row["f2_high"] - row["f2_low"] == pytest.approx(2 * 1.96 * f2_variance(*counts) ** 0.5, rel=1e-3)


def test_a_held_out_loan_at_the_threshold_is_declined():
	twice = decline_cross_fitted(np.array([0, 1] * 2), np.array([0.2, 0.7] * 2), np.array([0, 0, 1, 1]))

	assert list(twice) == [False, True] * 2


def test_thresholds_are_99_quantiles(loans):
	pd_ = np.random.default_rng(7).random(500)

	assert len(tabulate_thresholds(loans[0], pd_)) == 99


def test_thresholds_rise_and_with_them_approvals(table):
	assert table["threshold"].is_monotonic_increasing
	assert table["threshold"].is_unique
	assert table["approval_rate"].is_monotonic_increasing
	assert table["recall"].is_monotonic_decreasing
	THRESHOLDS.validate(table)


def test_the_trade_off_has_as_many_points_as_there_are_distinct_pds():
	target, pd_ = np.array([0, 1, 0, 1]), np.full(4, 0.2)

	table = tabulate_thresholds(target, pd_)

	figures = ["threshold", "n", "f2", "precision", "recall", "approval_rate", "default_rate_approved"]
	assert table[figures].to_numpy().tolist() == [[0.2, 4, pytest.approx(5 * 0.5 / 3), 0.5, 1, 0, 0]]
	THRESHOLDS.validate(table)


def test_every_figure_lies_within_its_interval(table):
	for name in ("f2", "precision", "recall", "approval_rate", "default_rate_approved"):
		assert (table[f"{name}_low"] <= table[name]).all()
		assert (table[name] <= table[f"{name}_high"]).all()
		assert ((table[f"{name}_high"] - table[f"{name}_low"]) > 0).all()
