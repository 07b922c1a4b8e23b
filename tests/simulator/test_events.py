import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.dictionary import Table, columns_of
from loantap.simulator import AS_OF_MONTH, iter_events, simulate_events

CENT = 0.0101  # balance and payment are each rounded to the cent


@pytest.fixture(scope="module")
def joined(events, loans):
	columns = ["loan_id", "interest_rate_pct", "instalment", "loan_status", "issue_month", "term_months"]
	rows = events.merge(loans[columns], on="loan_id", how="left", validate="many_to_one")
	return rows.assign(previous=rows.groupby("loan_id")["outstanding_balance"].shift())


@pytest.fixture(scope="module")
def last_months(joined):
	return joined.groupby("loan_id").tail(1)


def one_loan(**changes):
	loan = {
		"loan_id": "one",
		"loan_amount": 10_000.0,
		"term_months": 36.0,
		"interest_rate_pct": 12.0,
		"instalment": 332.14,
		"issue_month": pd.Timestamp("2012-01-01"),
		"loan_status": "Fully Paid",
		"dti_pct": 15.0,
		"revolving_utilisation_pct": 40.0,
	} | changes
	return pd.DataFrame([loan]).astype({"issue_month": "datetime64[s]"})


def test_columns_and_types_are_those_of_the_dictionary(events):
	names = [column.name for column in columns_of(Table.LOAN_EVENTS)]
	assert list(events.columns) == ["loan_id", *names]
	assert events["loan_id"].dtype == "str"
	assert events["month"].dtype == "datetime64[s]"
	assert (events.dtypes.iloc[2:] == "float64").all()


def test_every_loan_has_months_in_a_row_from_the_first_after_issue_to_the_snapshot(joined, loans):
	assert list(joined["loan_id"].unique()) == list(loans["loan_id"])
	months = joined["month"].dt.year * 12 + joined["month"].dt.month
	issued = joined["issue_month"].dt.year * 12 + joined["issue_month"].dt.month
	place = joined.groupby("loan_id").cumcount() + 1
	assert (months - issued == place).all()
	assert joined["month"].max() == pd.Timestamp("2017-03-01") == pd.Timestamp(AS_OF_MONTH)


def test_the_balance_follows_from_the_one_before(joined):
	rows = joined.dropna(subset="previous")
	growth = 1 + rows["interest_rate_pct"] / 1200
	expected = rows["previous"] * growth - rows["payment"]
	assert (rows["outstanding_balance"] - expected).abs().max() < CENT


def test_the_first_month_of_ten_thousand_at_twelve_percent():
	# Interest 100.00, instalment 332.14, hence 10,000 + 100 - 332.14.
	first = simulate_events(one_loan(), seed=1).iloc[0]
	assert first["month"] == pd.Timestamp("2012-02-01")
	assert first["payment"] == pytest.approx(332.14, abs=CENT)
	assert first["outstanding_balance"] == pytest.approx(9_767.86, abs=CENT)


def test_a_part_funded_loan_amortises_what_was_paid_out():
	# Half the instalment repays half the amount: 5,000 + 50 - 166.07. An instalment in cents
	# implies a principal to within 0.15 (half a cent times the annuity factor of 30.1).
	first = simulate_events(one_loan(instalment=166.07), seed=1).iloc[0]
	assert first["outstanding_balance"] == pytest.approx(4_883.93, abs=0.16)


def test_months_in_good_order_bring_the_instalment(joined):
	before = joined.groupby("loan_id")["days_past_due"].shift(fill_value=0)
	is_last = ~joined.duplicated("loan_id", keep="last")
	plain = joined[(before == 0) & (joined["days_past_due"] == 0) & ~is_last]
	# The instalment is rounded, the schedule is not.
	assert (plain["payment"] - plain["instalment"]).abs().max() < 0.0251


def test_a_paid_loan_ends_at_zero_and_not_before(joined, last_months):
	assert (last_months.query("loan_status == 'Fully Paid'")["outstanding_balance"] == 0).all()
	earlier = joined.drop(last_months.index)
	assert (earlier["outstanding_balance"] > 0).all()


def test_a_charged_off_loan_ends_owing_120_or_150_days_late(last_months):
	lost = last_months[last_months["loan_status"] == "Charged Off"]
	assert (lost["outstanding_balance"] > 0).all()
	assert (lost["payment"] == 0).all()
	# Loans issued up to November 2016 have had the five months that takes.
	old = lost[lost["issue_month"] < pd.Timestamp("2016-11-01")]
	assert set(old["days_past_due"]) == {120.0, 150.0}


def test_days_past_due_climb_by_thirty_once_payments_stop(joined):
	lost = joined[joined["loan_status"] == "Charged Off"]
	from_end = lost.groupby("loan_id").cumcount(ascending=False)
	final = lost.groupby("loan_id")["days_past_due"].transform("last")
	expected = (final - 30 * from_end).clip(lower=0)
	tail = expected > 0
	assert (lost["days_past_due"][tail] == expected[tail]).all()
	assert (lost["payment"][tail] == 0).all()


def test_defaults_are_centred_on_two_fifths_of_the_term():
	# Old enough for the month as of which they are known to hide none of them.
	many = pd.concat([one_loan(loan_status="Charged Off", loan_id=str(n)) for n in range(400)])
	events = simulate_events(many.reset_index(drop=True), seed=2)
	first_missed = events[events["days_past_due"] == 30].groupby("loan_id").tail(1)["month"]
	months = (first_missed.dt.year - 2012) * 12 + first_missed.dt.month - 1
	# Standard deviation 0.2 of the term, rounded up to whole months.
	assert (months / 36).mean() == pytest.approx(0.41, abs=4 * 0.2 / np.sqrt(400))


def test_arrears_of_paid_loans_are_rare_short_and_cured(joined):
	paid = joined[joined["loan_status"] == "Fully Paid"]
	late = paid[paid["days_past_due"] > 0]
	assert set(late["days_past_due"]) == {30.0}
	assert (late["payment"] == 0).all()
	assert late["loan_id"].is_unique
	share = late["loan_id"].nunique() / paid["loan_id"].nunique()
	assert 0.05 < share < 0.11
	after = paid.loc[late.index + 1]
	assert (after["days_past_due"] == 0).all()
	assert (after["payment"] > 2 * after["instalment"] - 0.05).all()


def test_long_loans_of_late_years_prepay(joined):
	too_late = joined[
		(joined["loan_status"] == "Fully Paid")
		& (joined["term_months"] == 60)
		& (joined["issue_month"] > pd.Timestamp("2012-03-01"))
	]
	final = too_late.groupby("loan_id").tail(1)
	assert len(final) > 300
	assert (final["payment"] > final["instalment"]).mean() > 0.99


def test_dti_and_utilisation_worsen_before_default(joined):
	lost = joined[joined["loan_status"] == "Charged Off"]
	missed = lost["days_past_due"].eq(30) & (lost["payment"] == 0)
	start = lost.index.to_series().where(missed).groupby(lost["loan_id"]).transform("max")
	months_before = start - lost.index
	strained = lost.set_index("loan_id")[["current_dti_pct", "current_utilisation_pct"]]
	now, earlier = (strained[(months_before == n).to_numpy()] for n in (0, 8))
	rise = (now - earlier).dropna().mean()
	# Average strain adds 4 and 12 points; clipping at zero and noise take or add a little.
	assert rise["current_dti_pct"] == pytest.approx(4, abs=1)
	assert rise["current_utilisation_pct"] == pytest.approx(12, abs=2.5)


def test_without_drift_defaults_do_not_announce_themselves(loans):
	bad = loans[loans["loan_status"] == "Charged Off"]
	calm = simulate_events(bad, seed=5, drift_strength=0)
	strained = simulate_events(bad, seed=5)
	last = calm.groupby("loan_id").tail(1)
	base = bad.set_index("loan_id")["revolving_utilisation_pct"]
	rise = (last.set_index("loan_id")["current_utilisation_pct"] - base).dropna()
	# A walk of 2 points a month over 18 months and noise: 9 points.
	assert abs(rise.mean()) < 4 * 9 / np.sqrt(len(rise)) + 0.5
	pd.testing.assert_series_equal(calm["payment"], strained["payment"])


def test_a_missing_utilisation_stays_missing():
	events = simulate_events(one_loan(revolving_utilisation_pct=np.nan), seed=1)
	assert events["current_utilisation_pct"].isna().all()
	assert events["current_dti_pct"].notna().all()


def test_a_loan_of_the_last_months_is_charged_off_at_the_snapshot():
	late = one_loan(loan_status="Charged Off", issue_month=pd.Timestamp("2016-12-01"))
	assert list(simulate_events(late, seed=1)["days_past_due"]) == [30.0, 60.0, 90.0]


@pytest.mark.parametrize(
	"changes",
	[
		{"issue_month": pd.Timestamp("2017-03-01")},
		{"issue_month": pd.NaT},
		{"loan_amount": -1.0},
		{"instalment": np.nan},
		{"interest_rate_pct": np.nan},
		{"term_months": 48.0},
		{"loan_status": "Frozen"},
	],
)
def test_a_loan_that_cannot_be_followed_has_no_months(changes):
	events = simulate_events(one_loan(**changes), seed=1)
	assert events.empty
	assert list(events.columns)[:2] == ["loan_id", "month"]


def test_an_interest_free_loan_amortises_in_equal_parts():
	events = simulate_events(one_loan(interest_rate_pct=0.0, instalment=277.78), seed=1)
	assert events["outstanding_balance"].iloc[0] == pytest.approx(9_722.22, abs=CENT)
	assert events["payment"].sum() == pytest.approx(10_000, abs=0.2)


def test_the_same_seed_gives_the_same_events_and_leaves_the_loans_as_they_were(loans, events):
	before = loans.copy()
	pd.testing.assert_frame_equal(simulate_events(loans, seed=5), events)
	pd.testing.assert_frame_equal(loans, before)
	assert not simulate_events(loans, seed=6)["payment"].equals(events["payment"])


@pytest.mark.parametrize("chunk_loans", [1_333, 50_000])
def test_chunks_join_to_the_whole(loans, events, chunk_loans):
	chunks = list(iter_events([loans], seed=5, chunk_loans=chunk_loans))
	assert len(chunks) == -(-len(loans) // chunk_loans)
	pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), events)


def test_an_empty_chunk_is_refused(loans):
	with pytest.raises(ValueError, match="chunk_loans = 0"):
		next(iter_events([loans], seed=5, chunk_loans=0))


@pytest.mark.parametrize(
	("status", "days"), [("Current", 0), ("In Grace Period", 0), ("Late (16-30 days)", 30), ("Default", 150)]
)
def test_a_running_loan_is_as_far_behind_in_the_last_month_as_its_status_says(status, days):
	loan = one_loan(loan_status=status, issue_month=pd.Timestamp("2015-09-01"))
	months = simulate_events(loan, seed=3)

	assert months["month"].max() == pd.Timestamp(AS_OF_MONTH)
	assert months["days_past_due"].iloc[-1] == days
	assert months["outstanding_balance"].iloc[-1] > 0
	before = months["days_past_due"].iloc[: len(months) - days // 30]
	assert before.isin([0, 30]).all()


def test_a_running_loan_that_should_have_ended_is_seen_until_the_month_before():
	months = simulate_events(one_loan(loan_status="Current"), seed=3)

	assert len(months) == 35
	assert months["outstanding_balance"].iloc[-1] > 0


def end_of(*statuses, loans=300):
	one = one_loan(issue_month=pd.Timestamp("2015-09-01"))
	named = [one.assign(loan_id=f"{status} {n}", loan_status=status) for status in statuses for n in range(loans)]
	return simulate_events(pd.concat(named), seed=3).groupby("loan_id").last()


def test_late_loans_are_as_many_days_behind_as_loans_on_the_way_to_a_charge_off():
	days = end_of("Late (31-120 days)", loans=1_000)["days_past_due"].value_counts(normalize=True)

	# 40% of those that reach 120 days are charged off there.
	assert days.to_dict() == pytest.approx({60: 1 / 2.6, 90: 1 / 2.6, 120: 0.6 / 2.6}, abs=0.03)


def test_dti_of_a_current_loan_does_not_drift():
	last = end_of("Current", "Default")["current_dti_pct"]
	current, late = last[last.index.str.startswith("Current")], last[last.index.str.startswith("D")]

	assert current.mean() == pytest.approx(15, abs=0.5)
	assert late.mean() > current.mean() + 2
