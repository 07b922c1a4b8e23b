import numpy as np
import pandas as pd
import pytest

from loantap.features.build import MISSING
from loantap.features.definitions import FEATURE_SETS
from loantap.model.schemas import COEFFICIENTS
from loantap.model.scoring.trained import ModelFacts, make_example, make_trained_model, tabulate_coefficients
from loantap.model.training.train import train_challenger, train_logistic
from tests.conftest import CHALLENGER, training_options

LENDING = FEATURE_SETS["lending"]


def test_facts_say_what_was_trained_on_what(lending_model, simulated_loans):
	facts = lending_model.facts

	assert (facts.namespace, facts.feature_set, facts.origin) == ("lending", "lending", "simulated")
	assert facts.kind == "logistic"
	assert facts.hyperparameters == {"balancing": "none", "l1_ratio": 0.0, "inverse_penalty": 0.1}
	assert facts.calibration == (0, 1)  # plain PDs pass as they are
	assert 0.05 < facts.threshold < 0.3  # declines far more than it approves: never a decision
	assert facts.training_loans == 4_000
	assert facts.training_charge_offs == simulated_loans["is_charged_off"].sum()
	assert not facts.not_for_lending


@pytest.fixture(scope="module")
def rows(features, simulated_loans):
	return simulated_loans[["loan_id", "is_charged_off"]].join(features)


def test_facts_of_a_challenger_are_json_and_back_too(rows):
	options = training_options("application", challenger=CHALLENGER)
	features = rows[list(FEATURE_SETS["application"].features)]

	facts = make_trained_model(train_challenger(rows, options), features, "simulated", options).facts

	assert facts.kind == "boosting"
	assert facts.hyperparameters == CHALLENGER
	assert len(facts.reference) == features.shape[1]
	assert facts.rates == {}  # without an offer there is none
	assert ModelFacts.model_validate_json(facts.model_dump_json()) == facts


def test_reasons_are_measured_from_the_mean_training_loan(lending_model, features):
	encoded = lending_model.pipeline[0].transform(features)

	assert lending_model.facts.reference == pytest.approx(encoded.mean(axis=0).tolist())
	assert len(lending_model.facts.reference) == lending_model.pipeline[-1].coef_.shape[1]


def test_the_example_is_the_median_of_each_number_and_the_commonest_category():
	features = pd.DataFrame({"dti_pct": [1.0, 2.0, 30.0, np.nan], "purpose": ["car", "car", "wedding", "home"]})

	assert make_example(features).to_dict("records") == [{"dti_pct": 2.0, "purpose": "car"}]


def test_the_example_is_none_of_the_training_loans(lending_model, features):
	example = lending_model.example

	same = (features == example.iloc[0]).all(axis=1)
	assert not same.any()


def test_the_example_says_missing_where_there_is_nothing_to_count():
	features = pd.DataFrame({"purpose": pd.Series([], dtype="str")})

	assert make_example(features).loc[0, "purpose"] == MISSING


def test_coefficients_are_listed_by_the_size_of_their_effect(lending_model):
	table = tabulate_coefficients(lending_model.pipeline)

	assert table["coefficient"].abs().is_monotonic_decreasing
	assert table["odds_ratio"].to_numpy() == pytest.approx(np.exp(table["coefficient"]).to_numpy())
	assert sorted(table["coefficient"]) == sorted(lending_model.pipeline[-1].coef_[0])
	COEFFICIENTS.validate(table)


def test_policy_bands_begin_at_quantiles_of_pds_the_model_had_not_seen(lending_model, rows):
	out_of_fold = train_logistic(rows, training_options("lending")).out_of_fold

	assert lending_model.facts.pd_quantiles == {
		share: pytest.approx(np.quantile(out_of_fold["probability_of_default"], float(share)))
		for share in ("0.5", "0.8", "0.9", "0.95")
	}
