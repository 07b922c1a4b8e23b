import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loantap.model.schemas import SPLITS
from loantap.model.training.options import OutOfTimeOptions, SplitOptions
from loantap.model.training.splits import (
	TrainingDigests,
	date_loans,
	digest_loans,
	plan_origins,
	require_enough,
	split_loans,
)
from loantap.portfolio.dictionary import COLUMNS, portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import parse, render
from tests.conftest import AS_OF, OUT_OF_TIME


def options(seed=42, test_share=0.1):
	return SplitOptions.model_validate({"seed": seed, "test_share": test_share, "out_of_time": OUT_OF_TIME})


def make_loans(outcomes, issued="2014-01-01", term=36):
	return pd.DataFrame(
		{
			"loan_id": pd.Series([str(n) for n in range(len(outcomes))], dtype="str"),
			"is_charged_off": np.array(outcomes, dtype="int8"),
			"issue_month": pd.Series(pd.Timestamp(issued), range(len(outcomes))).astype("datetime64[s]"),
			"term_months": term,
		}
	)


@pytest.fixture
def thousand_loans():
	return make_loans([1, 0, 0, 0, 0] * 200)


def test_the_seed_decides(thousand_loans):
	one, again, other = (split_loans(thousand_loans, options(seed)) for seed in (1, 1, 2))

	pd.testing.assert_frame_equal(one, again)
	assert not one["split"].equals(other["split"])


@given(charged_off=st.integers(0, 60), paid=st.integers(0, 60), test_share=st.floats(0.05, 0.95))
@example(charged_off=2, paid=2, test_share=0.7)  # one loan would be left to train on
@example(charged_off=7, paid=36, test_share=0.921875)  # three would, all of them paid
def test_both_outcomes_are_on_both_sides_or_the_split_is_refused(charged_off, paid, test_share):
	loans = make_loans([1] * charged_off + [0] * paid)
	try:
		split = split_loans(loans, options(test_share=test_share))["split"]
	except InputError:
		tested = math.ceil(len(loans) * test_share)
		smaller = min(tested, len(loans) - tested)
		assert smaller < 2 or min(charged_off, paid) * smaller / len(loans) <= 0.5 + 1e-9
		return
	counts = loans["is_charged_off"].groupby(split).agg(["sum", "size"])
	assert sorted(counts.index) == ["test", "train"]
	assert (counts["sum"] > 0).all()
	assert (counts["sum"] < counts["size"]).all()


@pytest.mark.parametrize("outcomes", [[0] * 50, [1] * 50, [1] * 5 + [0] * 95])
def test_a_portfolio_too_small_to_split_is_refused_with_its_outcomes(outcomes):
	with pytest.raises(InputError, match=r"loans: \d+ loans with outcomes .* cannot be split"):
		split_loans(make_loans(outcomes), options())


def test_each_loan_gets_its_place_in_the_rolling_origin(simulated_loans):
	split = split_loans(simulated_loans, options())

	dated = date_loans(simulated_loans, options().out_of_time)
	pd.testing.assert_frame_equal(split[["known_from", "judged_at"]], dated)
	judged = simulated_loans[split["judged_at"].notna()]
	assert len(judged)
	assert judged["term_months"].eq(36).all()
	assert judged["issue_month"].max() <= pd.Timestamp("2013-12-01")
	SPLITS.validate(split)


@pytest.mark.parametrize(
	("charged_off", "paid", "said"),
	[
		(50, 50, ""),
		(49, 196, "it has 245 loans, 49 of them charged off and 196 paid: too few to train a model"),
		(12, 48, "which needs 50 of each. Give about 250 loans"),
		(200, 49, "which needs 50 of each. Give about 255 loans"),
		(0, 500, "Give a portfolio that holds loans of both outcomes"),
	],
)
def test_a_portfolio_too_small_to_train_on_is_told_how_many_loans_it_needs(charged_off, paid, said):
	loans = pd.DataFrame({"is_charged_off": [1] * charged_off + [0] * paid})

	if not said:
		require_enough(loans, 50)
	else:
		with pytest.raises(InputError, match=re.escape(said)):
			require_enough(loans, 50)


def window(**changes):
	return OutOfTimeOptions.model_validate(OUT_OF_TIME | {"min_outcomes": 10} | changes)


def issue_loans(*groups):
	return pd.concat(
		[
			pd.DataFrame(
				{"is_charged_off": [1] * bad + [0] * (loans - bad), "issue_month": pd.Timestamp(issued), "term_months": term}
			)
			for issued, term, loans, bad in groups
		],
		ignore_index=True,
	).astype({"is_charged_off": "int8", "issue_month": "datetime64[s]"})


# Enough to train on at every origin, and to judge at the first.
BEFORE = ("2012-01-01", 36.0, 100, 20)
JUDGED = ("2012-07-01", 36.0, 100, 20)


def place(issued, term=36.0, **changes):
	loans = issue_loans(BEFORE, JUDGED, (issued, term, 1, 0))
	at = date_loans(loans, window(**changes))["judged_at"].iloc[-1]
	return None if pd.isna(at) else f"{at:%Y-%m}"


@pytest.mark.parametrize(
	("issued", "origin"),
	[
		("2012-06-01", None),
		("2012-07-01", "2012-07"),
		("2012-12-01", "2012-07"),
		("2013-01-01", "2013-01"),
		("2013-07-01", "2013-07"),
		("2013-12-01", "2013-07"),
		("2014-01-01", None),
	],
)
def test_a_loan_is_judged_at_the_last_origin_before_it_or_in_its_month(issued, origin):
	assert place(issued) == origin


def test_a_loan_that_had_not_run_its_course_is_never_judged():
	assert place("2013-06-01", term=60.0) is None
	# Issued within the window of a step that reaches beyond the last month.
	assert place("2014-02-01", step_months=24) is None


@pytest.mark.parametrize(
	("settled_only", "known_from"),
	[(False, "2010-03-01"), (True, "2013-03-01")],
	ids=["outcomes taken as known", "settled loans only"],
)
def test_a_loan_may_train_from_the_month_after_it_was_issued_or_settled(*, settled_only, known_from):
	loans = issue_loans(("2010-02-01", 36.0, 1, 0))

	dated = date_loans(loans, window(settled_only=settled_only))

	assert dated["known_from"].tolist() == [pd.Timestamp(known_from)]


def test_no_loan_trains_the_model_that_judges_it(simulated_loans):
	for settled_only in (False, True):
		dated = date_loans(simulated_loans, window(settled_only=settled_only)).dropna()
		assert (dated["known_from"] > dated["judged_at"]).all()


def test_the_plan_counts_what_each_origin_has():
	loans = issue_loans(
		("2009-06-01", 36.0, 30, 3),  # settled in June 2012
		("2009-07-01", 36.0, 7, 1),  # settled in July 2012: known at the second origin
		("2012-06-01", 60.0, 60, 12),
		("2012-07-01", 36.0, 40, 11),
		("2013-12-01", 36.0, 50, 10),
		("2013-12-01", 60.0, 99, 50),
	)

	plan = plan_origins(loans, window()).set_index("origin")

	assert [f"{origin:%Y-%m}" for origin in plan.index] == ["2012-07", "2013-01", "2013-07"]
	assert [f"{until:%Y-%m}" for until in plan["until"]] == ["2012-12", "2013-06", "2013-12"]
	assert plan["trained_loans"].tolist() == [97, 137, 137]
	assert plan["trained_charge_offs"].tolist() == [16, 27, 27]
	assert plan["settled_loans"].tolist() == [30, 37, 37]
	assert plan["settled_charge_offs"].tolist() == [3, 4, 4]
	assert plan["judged_loans"].tolist() == [40, 0, 50]
	assert plan["skipped"].tolist() == ["", "no loan to judge", ""]


def test_an_origin_with_too_few_charge_offs_before_it_is_skipped_with_the_reason():
	loans = issue_loans(("2012-01-01", 36.0, 80, 9), JUDGED, ("2013-01-01", 36.0, 50, 10))

	plan = plan_origins(loans, window())
	dated = date_loans(loans, window())

	assert plan["skipped"].tolist()[:2] == [
		"9 charge-offs among the 80 loans issued before it: fewer than 10 of an outcome",
		"",
	]
	assert set(dated["judged_at"].dropna()) == {pd.Timestamp("2013-01-01")}


def test_nothing_is_judged_when_all_origins_together_have_too_few_losses():
	loans = issue_loans(BEFORE, ("2012-07-01", 36.0, 100, 9))

	assert date_loans(loans, window())["judged_at"].isna().all()
	assert "9 loans of the rarer outcome" in plan_origins(loans, window())["skipped"].iloc[0]


@pytest.fixture(scope="module")
def training(simulated_loans):
	return digest_loans(simulated_loans.head(3_000), "lending")


def test_loans_it_was_trained_on_are_counted(training, simulated_loans):
	assert training.count_shared(simulated_loans) == 3_000
	assert training.count_shared(simulated_loans.tail(1_000)) == 0
	assert training.count_shared(simulated_loans.iloc[2_995:3_005]) == 5


def test_a_loan_is_recognised_through_a_file(training, simulated_loans):
	text = render(simulated_loans.head(40), portfolio_columns()).astype("str")
	read = parse(text, [COLUMNS[name] for name in training.columns], AS_OF).rows

	assert training.count_shared(read) == 40


@pytest.mark.parametrize("column", ["loan_amount", "issue_month"])
def test_another_figure_makes_another_loan(column, training, simulated_loans):
	rows = simulated_loans.head(100)
	other = rows[column] + (pd.DateOffset(months=1) if column == "issue_month" else 1)

	assert training.count_shared(rows.assign(**{column: other})) == 0


def test_they_are_eight_bytes_a_loan_and_read_as_written(training, tmp_path):
	path = tmp_path / "training_loans.npz"
	training.save(path)

	read = TrainingDigests.load(path)
	assert (read.columns, read.key) == (training.columns, training.key)
	assert np.array_equal(read.digests, training.digests)
	assert path.stat().st_size < 8 * 3_000 + 3_000


def test_the_same_loans_give_the_same_digests_in_any_order(simulated_loans):
	one, other = (digest_loans(rows, "lending") for rows in (simulated_loans, simulated_loans[::-1]))

	assert one.key == other.key
	assert np.array_equal(one.digests, other.digests)
	assert (np.diff(one.digests) >= 0).all()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_file_is_no_silent_yes(content, tmp_path):
	path = tmp_path / "training_loans.npz"
	path.write_bytes(content)

	with pytest.raises(ValueError, match=r"holds no digests|pickled"):
		TrainingDigests.load(path)
