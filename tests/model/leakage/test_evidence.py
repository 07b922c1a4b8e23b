import numpy as np
import pandas as pd
import pytest

from loantap.measures.auc import auc_standard_error
from loantap.model.leakage.evidence import (
	Context,
	check_auc,
	check_gap,
	check_group_means,
	check_outcome_date,
	check_vintage,
	make_context,
	read_signal,
)
from loantap.model.leakage.statistics import Bins, bin_values, group_outcomes, measure_group_excess
from tests.model.leakage.limits import OPTIONS

TARGET = pd.Series([0, 1] * 50)


def limit(**changes):
	return OPTIONS.model_copy(update=changes)


def told(evidence):
	return evidence.verdict, evidence.figures


def test_the_context_holds_months_groups_and_days_to_later_dates():
	issued = pd.Series(pd.to_datetime(["2014-01-01"] * 5 + ["2014-02-01"] * 3))
	loans = pd.DataFrame({"is_charged_off": [0, 0, 1, 1, 1, 0, 0, 0], "term_months": [36] * 7 + [60]})

	def look(*days, **columns):
		later = issued + pd.to_timedelta(pd.Series(days), unit="D")
		return make_context(loans.assign(updated_at=later, **columns), limit(folds=2))

	context = look(10, 14, 30, 33, np.nan, 7, 7, 1, issue_month=issued)
	assert context.months.tolist() == [0] * 5 + [1] * 3
	# Each less the mean of the same month, term and outcome.
	assert context.lags["updated_at"].tolist() == [-2, 2, -1.5, 1.5, 0, 0, 0, 0]
	# A day to either side is the least that counts.
	assert [len(look(0, days, *[0] * 6, issue_month=issued).lags) for days in (1, 2)] == [0, 1]
	assert (look(*range(8)).months, look(*range(8)).lags) == (None, {})
	named = {n: [*range(30)] * 2 for n in ("loan_id", "loan_status", "state", "dti_pct", "pincode")}
	context = make_context(pd.DataFrame(named).assign(is_charged_off=[0, 1] * 30, purpose="car"), OPTIONS)
	assert [*context.groups] == ["state", "pincode"]


def test_an_area_or_a_gap_counts_beyond_chance_above_its_limit():
	error, other = auc_standard_error(0.9, TARGET), auc_standard_error(0.6, TARGET)
	least, gap = 0.9 - 1.6448536 * error, 0.3 - 1.6448536 * np.hypot(error, other)

	for by, verdict in ((1e-6, "passed"), (-1e-6, "caught")):
		found = check_auc(0.9, TARGET, limit(max_auc=least + by)), check_gap(0.9, 0.6, TARGET, gap + by)
		assert told(found[0]) == (verdict, pytest.approx({"auc": 0.9, "auc_at_least": least}))
		assert told(found[1]) == (verdict, pytest.approx({"auc_in_sample": 0.9, "gap": 0.3, "gap_at_least": gap}))
	# Above a half, not above less than chance.
	assert check_gap(0.9, 0.4, TARGET, 1).figures["gap"] == pytest.approx(0.4)


def test_a_number_is_read_by_its_rank_and_a_category_by_its_default_rate():
	numbers, words = pd.Series([3.0, np.nan, 1.0]), pd.Series(["a", "b", "b", "a", None])

	assert read_signal(numbers, bin_values(numbers), TARGET[:3]).tolist() == [1, 0.5, 0.5]
	assert read_signal(words, bin_values(words), pd.Series([1, 0, 1, 1, 0])).tolist() == [1, 0.5, 0.5, 1, 0]


MONTHS = np.repeat([0, 1], 50)
FLAG = pd.Series(MONTHS.astype(float))


@pytest.mark.parametrize(
	("values", "target", "verdict", "what"),
	[
		(FLAG, MONTHS, "caught", "its values mark"),
		(FLAG, TARGET, "warned", "its values mark"),
		(FLAG.where(MONTHS == 1), MONTHS, "warned", "its missing values mark"),
		(FLAG.map({0: "some", 1: "missing"}), MONTHS, "caught", "its missing values mark"),
		(TARGET.astype(float), TARGET, "passed", ""),
	],
)
def test_what_marks_a_vintage_is_caught_where_a_model_can_read_it_and_rates_differ(values, target, verdict, what):
	signal = np.zeros(100) if "missing" in what else values.to_numpy()
	found = check_vintage(values, signal, Context(pd.Series(target), [], MONTHS), OPTIONS)

	assert (found.verdict, "default rates differ" in found.statement) == (verdict, target is MONTHS)
	assert found.statement.startswith(what)


def test_the_grouping_that_gives_most_of_an_outcome_away_is_named():
	rng = np.random.default_rng(0)
	outcome, pairs = pd.Series(rng.integers(0, 2, 400)), np.repeat(np.arange(200), 2)
	signal, other = outcome.groupby(pairs).transform("mean").to_numpy(), rng.permutation(pairs)
	groups = {n: group_outcomes(g, outcome) for n, g in (("state", other), ("profession", pairs), ("title", other))}
	excess, context = measure_group_excess(signal, groups["profession"]), Context(outcome, [], groups=groups)
	found = check_group_means(signal, context, OPTIONS)

	assert told(found) == ("caught", {"z": excess.z, "excess_share": excess.share, "loans": 400.0})
	assert f"same profession it tells {excess.share:.1%} more" in found.statement
	assert told(check_group_means(signal, context, limit(max_group_z=excess.z))) == ("passed", found.figures)
	assert told(check_group_means(signal, Context(outcome, []), OPTIONS)) == ("passed", {})


def test_a_feature_may_go_with_a_later_date_up_to_the_limit():
	lags = {"updated_at": np.array([-1.0, 0, 0, 1]), "closed_at": np.zeros(4)}
	bins, context = Bins(np.array([0, 0, 1, 1]), ("a", "b")), Context(TARGET, [], lags=lags)
	# Of 2 squares 1 within the bins: 1 - 1/2 x 3/2.
	for most, verdict in ((0.25, "passed"), (0.2499, "caught")):
		found = check_outcome_date(bins, context, limit(max_outcome_date_share=most))
		assert told(found) == (verdict, {"updated_at": 0.25, "closed_at": 0})
	assert "25% of the variance of updated_at among" in found.statement
