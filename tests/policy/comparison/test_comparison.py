import numpy as np
import pandas as pd
import pytest

from loantap.policy import schemas
from loantap.policy.comparison.comparison import Slice, decide_portfolio, list_approvals, measure_slice
from loantap.policy.comparison.frontier import compare_policies
from loantap.policy.comparison.measures import Outcomes
from loantap.policy.comparison.portfolio import join_portfolio, number_cells, plan_lessons
from loantap.policy.comparison.rules import POLICIES, make_rules
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import ImputedFlows, name_profit, tabulate_profits
from loantap.portfolio.errors import InputError
from tests.policy.comparison.loans import make_options, make_portfolio, make_values
from tests.policy.shipped import ECONOMICS

OPTIONS = make_options(caps=(0.01, 0.15, 0.17))
PREDICTIONS, LOANS, SPLITS = make_portfolio()


def decide(predictions=PREDICTIONS):
	return decide_portfolio(predictions, LOANS, SPLITS, ECONOMICS, OPTIONS)


def compare(decided):
	return compare_policies(decided, ECONOMICS, OPTIONS, min_loans=30)


@pytest.fixture(scope="module")
def decided():
	return decide()


@pytest.fixture(scope="module")
def compared(decided):
	return compare(decided)


@pytest.fixture(scope="module")
def approvals(decided):
	return list_approvals(decided, ECONOMICS)


def test_every_loan_is_decided_once_and_never_by_what_was_learnt_from_it():
	portfolio = join_portfolio(PREDICTIONS, LOANS, SPLITS)
	lessons = plan_lessons(portfolio)
	ids = portfolio["loan_id"].to_numpy()

	decided = np.concatenate([lesson.decided for lesson in lessons])
	assert sorted(decided) == list(range(len(portfolio)))
	for lesson in lessons:
		assert set(portfolio["sample"].iloc[lesson.past]) == {"cv"}
	for lesson in lessons[:4]:
		assert not set(ids[lesson.past]) & set(ids[lesson.decided])


def test_out_of_time_only_outcomes_known_at_that_month_are_learnt_from():
	portfolio = join_portfolio(PREDICTIONS, LOANS, SPLITS)
	early, late = plan_lessons(portfolio)[-2:]

	for lesson, month in ((early, "2013-01-01"), (late, "2013-07-01")):
		assert portfolio["judged_at"].iloc[lesson.decided].eq(month).all()
		assert portfolio["known_from"].iloc[lesson.past].max() <= pd.Timestamp(month)
	assert 0 < len(early.past) < len(late.past) < portfolio["sample"].eq("cv").sum()


def test_an_outcome_known_in_the_very_month_is_learnt_from():
	dated = SPLITS.assign(known_from=pd.Timestamp("2013-01-01"))
	portfolio = join_portfolio(PREDICTIONS, LOANS, dated)

	for lesson in plan_lessons(portfolio)[-2:]:
		assert len(lesson.past) == portfolio["sample"].eq("cv").sum()


@pytest.mark.parametrize(
	("loans", "splits", "said"),
	[
		(LOANS[1:], SPLITS, "1 of 700 loans .* not in 03_primary/loans: another"),
		(LOANS, SPLITS[1:], "1 of 700 loans .* not in 05_model_input/splits: another"),
		(LOANS, SPLITS.assign(judged_at=pd.NaT), "100 loans were judged out of time, but"),
	],
)
def test_another_portfolio_or_a_loan_judged_at_no_known_month_is_refused(loans, splits, said):
	with pytest.raises(InputError, match=said):
		join_portfolio(PREDICTIONS, loans, splits)


def test_loans_meet_their_terms_and_dates_in_the_order_of_the_predictions():
	shuffled = PREDICTIONS.sample(frac=1, random_state=1)

	portfolio = join_portfolio(shuffled, LOANS, SPLITS)

	terms = ["loan_amount", "interest_rate_pct", "term_months", "issue_month", "grade"]
	ids = shuffled["loan_id"]
	assert portfolio["loan_id"].tolist() == ids.tolist()
	for table, columns in ((LOANS, terms), (SPLITS, ["known_from", "judged_at"])):
		own = table.set_index("loan_id").loc[ids, columns].reset_index(drop=True)
		assert portfolio[columns].equals(own)
	assert LOANS["loan_id"].iloc[portfolio["place"]].tolist() == ids.tolist()


def test_loans_without_a_grade_share_a_cell_of_their_own():
	rows = pd.DataFrame({"grade": ["A", None, "A", None], "term_months": [36.0, 36, 60, 36]})

	numbers = number_cells(rows.astype({"grade": "str"}))

	assert numbers[1] == numbers[3]
	assert len(set(numbers)) == 3


def test_a_model_that_was_cross_validated_only_is_compared_on_that():
	alone = PREDICTIONS[PREDICTIONS["sample"].eq("cv")]

	compared = compare(decide(alone))

	assert set(compared.policies["sample"]) == {"cv"}
	assert compared.policies["n"].eq(500).all()


# The F2 flags come with the predictions; the oracle knows the outcome.
LEARNT = tuple(name for name in POLICIES if name not in {"f2_threshold", "oracle"})


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_outcomes_of_a_fold_do_not_change_approvals_in_it(approvals, fold):
	inside = PREDICTIONS["sample"].eq("cv") & PREDICTIONS["fold"].eq(fold)
	again = decide_flipped(inside)

	assert again.loc[inside, [*LEARNT]].equals(approvals.loc[inside, [*LEARNT]])
	others = PREDICTIONS["sample"].eq("cv") & ~inside
	for learnt in ("grade_term_npv", "pd_cutoff", "profit_score"):
		assert not again.loc[others, learnt].equals(approvals.loc[others, learnt])


@pytest.mark.parametrize("sample", ["test", "out_of_time"])
def test_outcomes_of_other_samples_change_nothing(approvals, sample):
	again = decide_flipped(PREDICTIONS["sample"].eq(sample))

	assert again[[*LEARNT]].equals(approvals[[*LEARNT]])


def decide_flipped(rows):
	outcomes = PREDICTIONS["is_charged_off"].where(~rows, 1 - PREDICTIONS["is_charged_off"])
	return list_approvals(decide(PREDICTIONS.assign(is_charged_off=outcomes)), ECONOMICS)


def test_approvals_have_a_row_for_each_judged_loan_in_the_order_given_of_the_main_scenario(approvals, decided):
	schemas.APPROVALS.validate(approvals)
	assert approvals[["loan_id", "sample"]].equals(PREDICTIONS[["loan_id", "sample"]])
	for policy in POLICIES:
		assert approvals[policy].tolist() == decided.approved["mid"][policy].tolist()
	assert not np.array_equal(decided.approved["mid"]["npv"], decided.approved["hard"]["npv"])


def test_tables_are_what_their_schemas_say(compared):
	schemas.POLICY_COMPARISON.validate(compared.policies)
	schemas.FRONTIER.validate(compared.frontier)
	assert len(compared.policies) == (len(POLICIES) + 2) * 3 * 3 * 2


@pytest.mark.parametrize("life", list(PaidLife))
@pytest.mark.parametrize("sample", ["cv", "test", "out_of_time"])
def test_profit_is_that_of_the_approved_loans_over_all_applications(compared, approvals, life, sample):
	profits = tabulate_profits(LOANS, ECONOMICS).set_index("loan_id")
	rows = approvals[approvals["sample"].eq(sample)]
	profit = profits[name_profit("mid", life)].loc[rows["loan_id"]].to_numpy()

	for policy in ("approve_all", "npv", "capped_default_rate", "bands"):
		row = find(compared, policy, sample, life)
		assert row["n"] == len(rows)
		assert row["profit"] == pytest.approx((profit * rows[policy]).mean())
		assert row["gain_to_approve_all"] == pytest.approx(-(profit * ~rows[policy]).mean())
		bad = LOANS.set_index("loan_id").loc[rows["loan_id"], "is_charged_off"].to_numpy()
		assert row["default_rate_approved"] == pytest.approx(bad[rows[policy]].mean())


# Three loans earn nothing, .5 and -1; their lowest PD is one of the caps.
def test_each_policy_of_a_slice_has_its_label_its_cap_and_its_note():
	options, ones = make_options(), np.ones(3)
	profit = np.array([0.0, 0.5, -1.0])
	flows = ImputedFlows(100 * ones, 10 * ones, 12 * ones, 0 * ones, profit, 100 * ones)
	outcomes = {PaidLife.CAPPED: Outcomes(flows, np.array([False, False, True]))}
	approved = {policy: np.array([True, True, False]) for policy in make_rules(options)}
	part = Slice("test", "hard", make_values([0.17, 0.2, 0.3]), approved, outcomes)

	rows = measure_slice(part, options, min_loans=2).set_index("policy")

	assert rows["label"].tolist()[3:7] == [
		"Top tenth by PD declined",
		"NPV by grade and term",
		"Default rate capped at 15%",
		"Default rate capped at 17%",
	]
	assert rows["cap"].dropna().to_dict() == {"capped_default_rate": 0.17, "capped_default_rate_15": 0.15}
	assert rows["approved"].tolist() == [2] * 9 + [1]
	assert rows["note"].drop(["oracle", "capped_default_rate_15"]).eq("").all()
	assert rows.loc["oracle", "note"] == "too few loans to say: 1 of 3 approved"
	assert rows.loc["capped_default_rate_15", "note"] == (
		"the cap of 15% cannot be kept: the lowest PD of 3 loans is 17.0%"
	)
	assert set(zip(rows["sample"], rows["scenario"], rows["paid_life"], strict=True)) == {("test", "hard", "capped")}


def test_each_policy_is_set_beside_expected_npv_on_the_same_loans_and_none_beats_the_oracle(compared):
	for _, rows in compared.policies.groupby(["sample", "scenario", "paid_life"]):
		of = rows.set_index("policy")
		npv, everybody, oracle = of.loc["npv"], of.loc["approve_all"], of.loc["oracle"]
		gains = of["profit"].to_numpy(float) - npv["profit"]
		assert of["gain_to_npv"].to_numpy(float) == pytest.approx(gains)
		# Seen from the other side it is the same.
		assert everybody["gain_to_npv_low"] == pytest.approx(-npv["gain_to_approve_all_high"])
		assert oracle["oracle_share"] == pytest.approx(1)
		assert (of["profit"] <= oracle["profit"] + 1e-9).all()


def test_a_policy_is_a_point_of_the_frontier_where_it_approves_a_loan(compared):
	points = compared.frontier[compared.frontier["is_policy"]].reset_index(drop=True)
	approving = compared.policies[compared.policies["approved"].gt(0)].reset_index(drop=True)

	assert 0 < len(approving) < len(compared.policies)
	told = ["family", "label", "hurdle", "approved", "profit"]
	assert points[told].equals(approving.rename(columns={"policy": "family", "cap": "hurdle"})[told])


# Five hurdles from 5 to 100 of the 100 test loans; the safest five set the lowest cap.
def test_curves_go_from_few_approvals_to_many(compared, decided):
	is_test = decided.portfolio["sample"].eq("test")
	pds = decided.portfolio.loc[is_test, "probability_of_default"]

	for family in ("pd_cutoff", "npv_hurdle", "profit_score_hurdle"):
		assert curve(compared, family)["approved"].tolist() == [5, 29, 52, 76, 100]
	caps = curve(compared, "capped_default_rate")["hurdle"]
	assert caps.iloc[0] == pytest.approx(pds.nsmallest(5).mean())


def curve(compared, family):
	table = compared.frontier[~compared.frontier["is_policy"]]
	return table.query("sample == 'test' and scenario == 'mid' and paid_life == 'contractual' and family == @family")


def find(compared, policy, sample, life):
	table = compared.policies
	is_it = table["policy"].eq(policy) & table["sample"].eq(sample)
	is_it &= table["scenario"].eq("mid") & table["paid_life"].eq(life.value)
	return table[is_it].squeeze()
