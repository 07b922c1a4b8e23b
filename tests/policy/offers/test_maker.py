from dataclasses import asdict
from itertools import groupby

import numpy as np
import pandas as pd
import pytest

from loantap.model.scoring.scorer import Scorer
from loantap.policy.offers.maker import OfferMaker
from loantap.policy.offers.schemas import OFFERS
from loantap.policy.scoring_account import account_for_offers
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import AS_OF, MADE_UP_LOAN, raw_loans, train, training_options
from tests.policy.shipped import make_test_decider, options

NUMBERS = ["amount", "term_months", "rate_pct", "instalment", "probability_of_default", "expected_npv"]


@pytest.fixture(scope="module")
def maker(simulated_loans):
	model = train(simulated_loans, training_options("application"))
	return OfferMaker(Scorer(model, "loantap-application-demo", "4"), options(), make_test_decider())


@pytest.fixture(scope="module")
def applications(simulated_loans):
	rows = render(simulated_loans.head(400), portfolio_columns()).drop(columns="loan_status")
	rows.loc[[7, 33], "dti"] = -1.0
	rows.loc[[8, 34], "annual_inc"] = 0.0
	return rows


def offer(maker, rows, first_row=0):
	offers = maker.make_offers_batch(rows, first_row, AS_OF)
	return offers.astype(dict.fromkeys(offers.columns[offers.dtypes == "category"], "str"))


def test_every_application_has_one_to_three_rows_in_its_place(maker, applications):
	offers = offer(maker, applications)

	OFFERS.validate(offers)
	order = [name for name, _ in groupby(offers["application_id"])]
	assert order == [str(number) for number in range(400)]
	assert offers["application_id"].value_counts().max() == 3
	assert set(offers["kind"]) >= {"as asked", "smaller", "shorter", "none"}
	assert set(offers["model_name"]) == {"loantap-application-demo"}


def test_what_cannot_be_scored_keeps_its_place_with_the_reason(maker, applications):
	offers = offer(maker, applications).set_index("application_id")

	broken = offers.loc[["7", "33"]]
	assert broken["decision"].tolist() == ["invalid"] * 2
	assert broken["reason"].tolist() == ["dti '-1.0': below 0"] * 2
	assert broken[NUMBERS].isna().all(axis=None)
	poor = offers.loc[["8", "34"]]
	assert poor["decision"].tolist() == ["decline"] * 2
	assert poor["reason"].str.contains("no income is stated").all()


def test_one_applicant_gets_what_a_file_gets(maker, applications):
	offers = offer(maker, applications)
	by_application = dict(tuple(offers.groupby("application_id", sort=False)))

	for number, application in enumerate(applications.head(100).to_dict("records")):
		one = pd.DataFrame([asdict(o) for o in maker.make_offers_one(application, AS_OF)])
		many = by_application[str(number)].reset_index(drop=True)
		assert np.allclose(one[NUMBERS].astype(float), many[NUMBERS].astype(float), rtol=1e-9, equal_nan=True)
		names = ["offer", "kind", "decision", "reason", "is_counterfactual", "model_version"]
		assert one[names].to_dict("records") == many[names].to_dict("records")


def test_the_batches_of_a_file_make_no_difference(maker, applications):
	few = applications.head(60)
	parts = [offer(maker, few[row : row + 7], row) for row in range(0, len(few), 7)]

	whole = offer(maker, few)
	pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_no_applications_get_no_offers_but_the_columns(maker):
	OFFERS.validate(offer(maker, raw_loans().head(0)))


@pytest.mark.parametrize(
	("given", "expected"), [({"application_id": "A-7"}, "A-7"), ({}, "0"), ({"application_id": None}, None)]
)
def test_an_identifier_is_given_back(given, expected, maker):
	one = maker.make_offers_one(MADE_UP_LOAN | given, AS_OF)

	assert {offer.application_id for offer in one} == {expected}
	named = maker.make_offers_batch(pd.DataFrame([MADE_UP_LOAN | given]), 0, AS_OF)
	assert set(named["application_id"].fillna("")) == {expected or ""}


def test_an_application_unlike_those_of_the_training_goes_to_a_person(maker):
	strange = MADE_UP_LOAN | {"open_acc": "190", "total_acc": "200"}

	found = maker.make_offers_one(strange, AS_OF)[0]
	row = offer(maker, pd.DataFrame([strange])).iloc[0]

	assert (found.kind, found.decision) == ("as asked", "refer")
	assert found.reason.startswith("The number of open credit lines is outside the range of the")
	assert (row["kind"], row["decision"], row["reason"]) == (found.kind, found.decision, found.reason)
	assert not found.is_counterfactual


def test_where_somebody_lives_and_what_was_offered_before_change_nothing(maker):
	"""Neither a region nor the incumbent's grade and rate is read."""
	other = {"address": "1 Elsewhere\r\nOther Town, NY 11650", "int_rate": "29", "sub_grade": "G5"}

	assert maker.make_offers_one(MADE_UP_LOAN | other, AS_OF) == maker.make_offers_one(MADE_UP_LOAN, AS_OF)
	assert not {"address", "int_rate", "grade", "sub_grade", "installment"} & set(maker.columns)


def test_offers_are_counted_by_kind_and_applications_by_decision(maker, applications):
	offers = maker.make_offers_batch(applications, 0, AS_OF)
	cut = int(np.flatnonzero(offers["application_id"] == "200")[0])

	account = account_for_offers([offers[:cut], offers[cut:]], has_ids=False)

	assert account.applications.rows == 400
	assert account.applications.invalid == 2
	assert sum(account.decisions.values()) == 400
	assert account.decisions["invalid"] == 2
	approved = offers[offers["decision"] == "approve"]
	assert account.decisions["approve"] == len(approved) > 100
	assert set(approved["kind"].astype("str")) == {"as asked"}
	assert account.kinds["none"] == account.decisions["decline"] + 2
	assert sum(account.no_offer.values()) == account.decisions["decline"]
	assert account.as_dict()["invalid_share"] == 2 / 400
