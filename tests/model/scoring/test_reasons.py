import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features, compute_column, tell_one, to_values
from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.scoring.decompose import measure_reference
from loantap.model.scoring.reasons import REASON_COUNT, REASONS, make_reason_giver
from loantap.model.scoring.scorecard import LinearEffect, Scorecard, StepEffect, TableEffect
from loantap.model.scoring.scorer import Scorer
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import AS_OF

LENDING = FEATURE_SETS["lending"]
# Per unit of the feature, and where it counts for nothing.
CARD = Scorecard(
	base=-1.5,
	effects={
		"log_annual_income": LinearEffect(-0.5, np.log(60_000), 0.0),
		"loan_to_income": LinearEffect(2.0, 0.2, 0.0),
		"dti_pct": LinearEffect(0.02, 18.04, 0.0),
		"revolving_utilisation_pct": LinearEffect(0.01, 50.0, 0.05),
		"log_revolving_utilisation": LinearEffect(0.0, 0.0, 0.0),
		"public_records": LinearEffect(-0.3, 0.2, 0.0),
		"employment_years": StepEffect((1.0, 5.0), (0.15, 0.05, -0.1), 0.02),
		"purpose": TableEffect({"car": -0.3, "house": -0.1, "small_business": 0.6}, -0.2),
		"term_months": LinearEffect(0.5 / 24, 42.0, 0.0),
		"sub_grade_rank": LinearEffect(0.03, 10.5, 0.0),
	},
)
BORROWER = {
	"annual_income": 60_000.0,
	"loan_amount": 12_000.0,
	"dti_pct": 18.0,
	"revolving_utilisation_pct": 50.0,
	"public_records": 0.2,
	"employment_years": 10.0,
	"purpose": "house",
	"term_months": 36.0,
	"sub_grade": "B1",
}

DTI = "Existing debt payments as a share of income (DTI)"


def give(*borrowers, card=CARD):
	rows = pd.DataFrame([BORROWER | borrower for borrower in borrowers])
	columns = {name: to_values(rows[name], is_text=rows[name].dtype == "str") for name in rows}
	features = {name: compute_column(name, columns) for name in card.effects}
	contributed = {name: effect.of_column(features[name]) for name, effect in card.effects.items()}
	return make_reason_giver(card).give(contributed, columns).as_text(rows.index)


def give_first(borrower, card=CARD):
	return str(give(borrower, card=card).iloc[0, 0])


def test_of_a_borrower_to_whom_all_counts_in_favour_there_are_no_reasons():
	assert give({}).iloc[0].tolist() == [""] * REASON_COUNT


def test_reasons_are_the_strongest_adverse_ones_in_order():
	reasons = give({"dti_pct": 31.2, "purpose": "small_business", "employment_years": 0.0})

	assert reasons.iloc[0].tolist() == [
		"The purpose of the loan: small business",
		f"{DTI}: 31.2%; paying debt down to 18.0% or less would count in favour",
		"The years in employment: 0 years",
		"",
	]


@pytest.mark.parametrize(
	("borrower", "said"),
	[
		({"dti_pct": 18.5}, ""),  # it hardly moves the PD
		# No public record raises the PD by .06: a coefficient of the wrong sign is noise.
		({"public_records": 0.0}, ""),
		(
			{"revolving_utilisation_pct": np.nan},
			"The share of the credit card limits in use: not stated; 49.9% or less would count in favour",
		),
	],
	ids=str,
)
def test_a_reason_is_adverse_and_plain_and_says_what_was_not_stated(borrower, said):
	assert give_first(borrower) == said


def test_reasons_of_equal_strength_come_in_the_order_of_the_features():
	same = LinearEffect(0.1, 0.0, 0.0)
	card = Scorecard(0.0, {"open_accounts": same, "dti_pct": same, "total_accounts": same})
	equal = {"open_accounts": 3.0, "dti_pct": 3.0, "total_accounts": 3.0}

	named = give(equal, card=card).iloc[0].str.partition(":")[0].tolist()

	assert named[0] == "The number of open credit lines"
	assert named[1] == DTI


def test_features_that_say_the_same_count_as_one():
	shares = {
		"revolving_utilisation_pct": LinearEffect(0.01, 50.0, 0.0),
		"log_revolving_utilisation": LinearEffect(-0.1, np.log(50), 0.0),
	}
	reasons = give({"revolving_utilisation_pct": 90.0}, card=Scorecard(0.0, shares))

	assert reasons.iloc[0, 0] == "The share of the credit card limits in use: 90.0%"
	assert reasons.iloc[0, 1] == ""


@pytest.mark.parametrize(
	("borrower", "change"),
	[
		({"annual_income": 30_000.0, "loan_amount": 3_000.0}, "an income of 60,100 or more"),
		# Of income; at 20% it counts for nothing.
		({"loan_amount": 30_000.0}, "asking for 19.9% or less"),
		({"dti_pct": 30.0}, "paying debt down to 18.0% or less"),
		({"revolving_utilisation_pct": 80.0}, "paying it down to 49.9% or less"),
		({"term_months": 60.0}, "a term of 36 months"),
	],
	ids=str,
)
def test_what_would_change_it_is_said_in_the_borrower_s_own_terms(borrower, change):
	assert f"; {change} would count in favour" in give_first(borrower)


@pytest.mark.parametrize(
	("name", "effect", "borrower", "said"),
	[
		# 20.043% of income, shown as 20.0%, counts against; 20.0% itself would not.
		(
			"loan_to_income",
			LinearEffect(40.0, 0.20003, 0.0),
			{"loan_amount": 0.20043 * 60_000},
			": 20.0%; asking for 19.9% or less",
		),
		# 60,099.6, shown as 60,100, counts against; 60,100 itself would not.
		(
			"log_annual_income",
			LinearEffect(-9_000.0, np.log(60_099.7), 0.0),
			{"annual_income": 60_099.6},
			": 60,100; an income of 60,200 or more",
		),
	],
	ids=["down", "up"],
)
def test_what_would_change_it_is_not_what_the_borrower_has_after_rounding(name, effect, borrower, said):
	assert said in give_first(borrower, card=Scorecard(0.0, {name: effect}))


@pytest.mark.parametrize(
	("name", "column", "value", "shown"),
	[
		("public_records", "public_records", 2.0, "Derogatory public records: 2"),
		("has_mortgage", "mortgage_accounts", 0.0, "The number of mortgage accounts: 0"),
		("interest_rate_pct", "interest_rate_pct", 22.0, "The interest rate offered: 22.00%"),
		("sub_grade_rank", "sub_grade", "D1", "The grade given to the offer: D1"),
	],
)
def test_what_would_change_it_is_not_invented_where_the_borrower_can_do_nothing(name, column, value, shown):
	slope = -1.0 if FEATURES[name].adverse == "low" else 1.0
	middle = 5.0 if slope < 0 else 1.0

	said = give_first({column: value}, card=Scorecard(0.0, {name: LinearEffect(slope, middle, 0.0)}))

	assert said == shown


def test_what_would_change_it_is_left_out_where_another_feature_would_undo_it():
	contrary = {"log_loan_amount": LinearEffect(0.5, np.log(12_000), 0.0), "loan_to_income": LinearEffect(-2.0, 0.2, 0.0)}

	assert give_first({"loan_amount": 30_000.0}, card=Scorecard(0.0, contrary)) == ("The amount asked for: 30,000")


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def scorer(request, lending_model, boosted_pipeline, simulated_loans):
	if request.param == "logistic":
		return Scorer(lending_model, "loantap-lending-demo", "1")
	features = build_features(simulated_loans, LENDING.features)
	reference = measure_reference(boosted_pipeline, LENDING, features)
	facts = lending_model.facts.model_copy(update={"reference": reference})
	return Scorer(replace(lending_model, pipeline=boosted_pipeline, facts=facts), "loantap-lending-demo", "2")


@pytest.fixture(scope="module")
def applications(simulated_loans):
	return render(simulated_loans.head(400), portfolio_columns()).drop(columns="loan_status")


def test_what_would_count_in_favour_lowers_the_pd(scorer, applications):
	"""Take each borrower at their word: give the column the value the reason asks for."""
	before = scorer.score(applications, AS_OF)
	asked = before.melt(value_vars=list(REASONS), ignore_index=False)["value"]
	tried = 0
	for column in scorer.columns:
		wanted = asked.map(lambda text, c=column: _read_change(text, c.name, scorer)).dropna()
		changed = applications.loc[wanted.index].assign(**{str(column.source_name): wanted})

		after = scorer.score(changed, AS_OF)["probability_of_default"]

		fell = after < before.loc[wanted.index, "probability_of_default"]
		assert fell.all(), column.name
		tried += len(wanted) > 0
	assert tried >= (4 if isinstance(scorer.scorecard.effects["dti_pct"], LinearEffect) else 2)


@pytest.mark.parametrize("column", ["loan_amnt", "annual_inc"])
def test_a_smaller_share_of_income_lowers_the_pd_whichever_of_the_two_is_changed(column, scorer, applications):
	before = scorer.score(applications, AS_OF)
	asked = before.melt(value_vars=list(REASONS), ignore_index=False)["value"]
	shares = asked.str.extract(r"of yearly income: .*; asking for ([\d.]+)% or less")[0].dropna()
	assert len(shares) > 10

	told, share = applications.loc[shares.index], shares.astype("float64") / 100
	changed = {"loan_amnt": share * told["annual_inc"], "annual_inc": told["loan_amnt"] / share}
	asked_for = told.assign(**{column: changed[column]})
	# An amount comes with its instalment.
	asked_for["installment"] *= asked_for["loan_amnt"] / told["loan_amnt"]
	after = scorer.score(asked_for, AS_OF)

	fell = after["probability_of_default"] < before.loc[shares.index, "probability_of_default"]
	assert fell.all()


def _read_change(text, name, scorer):
	"""The value of a column that a reason asks for; None when it is about another column."""
	about = [f for f in scorer.feature_set.features if FEATURES[f].uses == (name,)]
	phrases = [FEATURES[f].phrase for f in about]
	subject, _, rest = text.partition(":")
	change = re.search(r"; (.+?)(?: or (?:less|more))? would count in favour", rest)
	if subject.lower() not in [phrase.lower() for phrase in phrases] or not change:
		return None
	number = float(re.sub(r"[^\d.]", "", change[1]))
	return f" {number:g} months" if name == "term_months" else number


SHARES = Scorecard(
	0.0,
	{
		"instalment_to_income": LinearEffect(2.0, 0.1, 0.0),
		"loan_to_income": LinearEffect(1.0, 0.2, 0.0),
		"open_account_share": LinearEffect(0.5, 0.1, 0.0),
	},
)


@pytest.mark.parametrize(
	("borrower", "said"),
	[
		({"annual_income": 999.0}, ("212.7%", "600.6%", "40.0%")),
		({"annual_income": 1_000.0}, ("212.5%", "600.0%", "40.0%")),
		({"annual_income": 0.0}, ("there is no income", "there is no income", "40.0%")),
		({"open_accounts": 12.0, "annual_income": 500.0}, ("425.0%", "1200.0%", "120.0%")),
		({"total_accounts": 0.0, "annual_income": 500.0}, ("425.0%", "1200.0%", "none was ever held")),
	],
)
def test_a_ratio_that_is_quoted_is_the_true_one(borrower, said):
	made = {"instalment": 2_125.0 / 12, "loan_amount": 6_000.0, "open_accounts": 4.0, "total_accounts": 10.0}
	# With a second borrower, so that values are found again among others.
	reasons = give({}, made | borrower, {} | made, card=SHARES).iloc[1]

	told = [re.split(": |;", reason)[1] for reason in reasons if reason]
	assert sorted(told) == sorted(said)


@pytest.mark.parametrize(
	("name", "column", "value", "said"),
	[
		("dti_pct", "dti_pct", 189.9, "189.9%"),
		("log_revolving_utilisation", "revolving_utilisation_pct", 153.0, "153.0%"),
		("public_records", "public_records", 11.0, "11"),
		("log_annual_income", "annual_income", 0.0, "0"),
	],
)
def test_what_the_model_caps_is_quoted_uncapped(name, column, value, said):
	slope = -1.0 if name == "log_annual_income" else 1.0
	card = Scorecard(0.0, {name: LinearEffect(slope, 9.0 if slope < 0 else 0.0, 0.0)})

	assert re.split(": |;", give_first({column: value}, card=card))[1] == said


def test_every_formula_of_several_columns_is_told_as_it_is():
	"""A formula that floors or caps needs a ratio of its own to be told."""
	for name in {n for s in FEATURE_SETS.values() if s.for_lending for n in s.features}:
		uses = FEATURES[name].uses
		if len(uses) > 1:
			assert FEATURES[name].of_nothing
			values = [3.0, 2.0]
			assert tell_one(name, values) == pytest.approx(1.5 * (12 if "instalment" in uses else 1))
