import pytest

from loantap.features.definitions import FEATURE_SETS, FEATURES, Feature
from loantap.portfolio.dictionary import COLUMNS, Kind

every_feature = pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES.keys())
sets_for_lending = pytest.mark.parametrize(
	"feature_set", [FEATURE_SETS["lending"], FEATURE_SETS["application"]], ids=lambda s: s.name
)


def columns_behind(feature_set):
	return {column for name in feature_set.features for column in FEATURES[name].uses}


@every_feature
def test_every_feature_is_of_columns_of_the_dictionary_and_can_be_said_in_plain_words(feature):
	assert feature.uses
	assert set(feature.uses) <= set(COLUMNS)
	assert feature.phrase
	assert "_" not in feature.phrase
	value = "A1" if COLUMNS[feature.uses[0]].kind is Kind.CATEGORY else 0.5
	assert feature.display.format(value)


def test_a_feature_is_known_at_decision_only_when_all_it_uses_is():
	assert FEATURES["instalment_to_income"].known_at_decision
	assert not FEATURES["listing_status"].known_at_decision
	assert not FEATURES["income_verification"].known_at_decision
	mixed = Feature("x", "an invention", ("annual_income", "loan_status"))
	assert not mixed.known_at_decision


@sets_for_lending
def test_no_lending_decision_rests_on_what_is_unknown_when_it_is_taken(feature_set):
	assert feature_set.for_lending
	assert all(FEATURES[name].known_at_decision for name in feature_set.features)
	assert all(COLUMNS[name].known_at_decision for name in feature_set.columns)


@sets_for_lending
def test_no_lending_decision_rests_on_an_excluded_feature(feature_set):
	assert [n for n in feature_set.features if FEATURES[n].exclusion] == []


@sets_for_lending
@pytest.mark.parametrize(
	"column",
	[
		"pincode",
		"state",
		"address",
		"listing_status",
		"income_verification",
		"home_ownership",
		"mortgage_accounts",
		"earliest_credit_line",
		"issue_month",
		"loan_status",
	],
)
def test_no_lending_decision_rests_on_geography_status_or_proxy(column, feature_set):
	assert column not in columns_behind(feature_set)


def test_no_lending_decision_rests_on_personal_data():
	for name in ("lending", "application"):
		assert not any(COLUMNS[c].personal for c in FEATURE_SETS[name].columns)


@pytest.mark.parametrize("column", ["interest_rate_pct", "sub_grade", "instalment"])
def test_the_offer_is_known_to_lending_and_not_to_application(column):
	assert column in columns_behind(FEATURE_SETS["lending"])
	assert column not in columns_behind(FEATURE_SETS["application"])


def test_the_benchmark_uses_everything_and_must_not_decide():
	assert set(FEATURE_SETS["benchmark"].features) == set(FEATURES)
	assert "pincode" in FEATURE_SETS["benchmark"].features
	assert not FEATURE_SETS["benchmark"].for_lending


@pytest.mark.parametrize("feature_set", FEATURE_SETS.values(), ids=FEATURE_SETS.keys())
def test_a_feature_set_tells_its_numbers_categories_and_columns(feature_set):
	split = [*feature_set.numeric, *feature_set.categorical]
	assert sorted(split) == sorted(feature_set.features)
	assert len(set(feature_set.features)) == len(feature_set.features)
	assert set(feature_set.columns) == columns_behind(feature_set)
	assert len(set(feature_set.columns)) == len(feature_set.columns)


def test_a_borrower_is_told_to_change_what_they_can_change_and_nothing_else():
	assert {feature.name for feature in FEATURES.values() if feature.remedy} == {
		"log_loan_amount",
		"term_months",
		"log_annual_income",
		"loan_to_income",
		"dti_pct",
		"revolving_utilisation_pct",
		"log_revolving_utilisation",
		"instalment_to_income",
	}


@every_feature
def test_a_remedy_takes_the_better_values_of_what_one_side_is_held_against(feature):
	if feature.remedy:
		assert feature.remedy.count("{}") == 1
		assert feature.adverse
		assert not feature.categorical
