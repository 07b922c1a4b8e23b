import json

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from loantap.model.scoring.scorer import Scorer
from loantap.policy.credit_policy import digest_policy
from loantap.policy.decisions import make_decider
from loantap.policy.money.cash_flows import value_units
from loantap.policy.offers.maker import OfferMaker
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from tests.conftest import train, training_options
from tests.pipelines.in_memory import AS_OF, load_options, run_on_files

pytestmark = pytest.mark.usefixtures("small_batches")


@pytest.fixture(scope="module")
def scorer(simulated_loans):
	model = train(simulated_loans, training_options("application"))
	return Scorer(model, "loantap-application-demo", "1")


@pytest.fixture
def applications(simulated_loans):
	"""50 applications of the columns that an applicant gives; two cannot be scored."""
	rows = render(simulated_loans.head(50), portfolio_columns())
	rows.loc[[7, 33], "dti"] = -1.0
	return rows.drop(columns=["loan_status", "int_rate", "grade", "sub_grade", "installment"])


@pytest.fixture
def make_offers(scorer, tmp_path):
	def make_offers(applications, name="offers.parquet", **changed):
		source, target = tmp_path / "new.parquet", tmp_path / "out" / name
		applications.to_parquet(source)
		inputs = {"application_model@champion": scorer, **changed}
		run_on_files("offers", {"applications": source, "offered": target}, inputs)
		return pd.read_csv(target) if target.suffix == ".csv" else pd.read_parquet(target)

	return make_offers


def test_a_file_gets_the_offers_that_a_frame_gets(applications, scorer, make_offers):
	offers = make_offers(applications)

	options = load_options(as_of=AS_OF)
	decider = make_decider(options["params:policy"], options["params:economics"])
	maker = OfferMaker(scorer, options["params:offers"], decider)
	expected = maker.make_offers_batch(applications, 0, pd.Timestamp(AS_OF))
	assert_frame_equal(offers.astype(expected.dtypes), expected, check_exact=False, rtol=1e-9)
	assert offers.columns.tolist() == [
		"application_id",
		"offer",
		"kind",
		"amount",
		"term_months",
		"rate_pct",
		"instalment",
		"probability_of_default",
		"is_counterfactual",
		"expected_npv",
		"decision",
		"reason",
		"model_name",
		"model_version",
	]


def test_the_account_says_what_became_of_the_file(applications, make_offers, tmp_path):
	ids = [f"A-{number}" for number in range(50)]
	offers = make_offers(applications.assign(application_id=ids), "offers.csv")

	account = json.loads((tmp_path / "offers_account.json").read_text("utf-8"))
	assert offers["application_id"].nunique() == 50
	assert (account["rows"], account["invalid"], account["has_ids"]) == (50, 2, True)
	assert account["causes"][0]["first_rows"] == [8, 34]
	assert account["kinds"]["smaller"] == offers["kind"].eq("smaller").sum()
	assert sum(account["decisions"].values()) == 50
	assert account["repeated"]["rows"] == 0


@pytest.mark.parametrize(
	("change", "said"),
	[
		(lambda rows: rows.assign(annual_inc=-1.0), "applications: 50 of 50 cannot be scored"),
		(lambda rows: rows.drop(columns="annual_inc"), "applications: column annual_inc missing"),
		(lambda rows: rows.assign(dti=rows["dti"].clip(lower=0) / 100), "applications: column dti is at most 1 in "),
	],
	ids=["no valid row", "no column", "shares"],
)
def test_a_file_that_is_plainly_another_is_refused_and_nothing_is_written(
	change, said, applications, make_offers, tmp_path
):
	with pytest.raises(InputError, match=said):
		make_offers(change(applications))

	assert not list(tmp_path.glob("out/*"))
	assert not (tmp_path / "offers_account.json").exists()


def test_a_policy_that_was_changed_since_it_was_approved_offers_nothing(applications, make_offers, tmp_path):
	policy = load_options()["params:policy"].model_copy(update={"version": "2026-12"})

	with pytest.raises(InputError, match="was changed after LoanTap credit policy approved it"):
		make_offers(applications, **{"params:policy": policy})

	assert not list(tmp_path.glob("out/*"))


def test_offers_are_priced_in_the_scenario_of_the_policy_and_keep_its_highest_amount(applications, make_offers):
	options = load_options(as_of=AS_OF)
	policy, economics = options["params:policy"], options["params:economics"]
	rules = policy.rules.model_copy(update={"max_loan_amount": 9_000})
	hard = policy.model_copy(update={"scenario": "hard", "rules": rules})
	digest = digest_policy(hard, economics.scenarios["hard"])
	approved = hard.model_copy(update={"digest": digest})

	offers = make_offers(applications, **{"params:policy": approved})

	assert offers["amount"].max() <= 9_000
	made = offers[offers["offer"] > 0]
	values = value_units(made["rate_pct"], made["term_months"], economics.scenarios["hard"])
	expected = values.margin(made["probability_of_default"].to_numpy()) * made["amount"]
	assert np.allclose(made["expected_npv"], expected)
	assert len(made) > 0
