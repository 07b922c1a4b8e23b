import copy

import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.assessed import Support
from loantap.model.scoring.scorer import REASONS, NotForLendingError, Scorer
from loantap.portfolio.column_reading import Texts
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.errors import InputError
from loantap.portfolio.loantap_format import render
from tests.conftest import AS_OF, raw_loans, train, training_options


@pytest.fixture(scope="module")
def applications(simulated_loans):
	"""300 applications as LoanTap's columns, some values missing, without an outcome."""
	written = render(simulated_loans.head(300), portfolio_columns())
	return written.drop(columns="loan_status")


def test_the_pd_is_the_model_s_on_the_same_features(scorer, applications, simulated_loans):
	features = build_features(simulated_loans.head(300), FEATURE_SETS["lending"].features)

	scored = scorer.score(applications, AS_OF)

	np.testing.assert_allclose(
		scored["probability_of_default"], scorer.trained.pipeline.predict_proba(features)[:, 1], rtol=0, atol=1e-12
	)
	assert list(scored.columns) == ["probability_of_default", "score", *REASONS]


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA, ""], ids=["None", "NaN", "NA", "empty"])
def test_it_does_not_matter_how_a_missing_value_is_written(absent, scorer):
	missing = raw_loans().astype("object").assign(revol_util=absent, emp_length=absent)
	expected = scorer.score(raw_loans({"revol_util": None, "emp_length": None}), AS_OF)

	scored = scorer.score(missing, AS_OF)

	pd.testing.assert_frame_equal(scored, expected)
	assert scored["probability_of_default"].notna().all()


def test_what_the_model_does_not_use_cannot_change_the_answer_and_need_not_be_there(scorer):
	plain = scorer.score(raw_loans(), AS_OF)
	needed = raw_loans()[[c.source_name for c in scorer.columns]]
	other = raw_loans(
		{
			"address": "1 Elsewhere\r\nFPO AE 11650",
			"initial_list_status": "f",
			"home_ownership": "OWN",
			"mort_acc": "0.0",
			"emp_title": "None",
			"loan_status": "Charged Off",
		}
	)

	pd.testing.assert_frame_equal(scorer.score(other, AS_OF), plain)
	pd.testing.assert_frame_equal(scorer.score(needed, AS_OF), plain)
	assert not {"address", "loan_status", "issue_d"} & set(needed.columns)


def test_a_column_the_model_needs_is_missed_by_name(scorer):
	with pytest.raises(InputError, match="applications: columns dti, int_rate missing"):
		scorer.score(raw_loans().drop(columns=["dti", "int_rate"]), AS_OF)


def test_an_application_that_cannot_be_scored_keeps_its_place_with_the_reason(scorer):
	broken = {"sub_grade": "H1", "annual_inc": None}
	three = raw_loans({}, broken, {"dti": "9"}).set_axis([5, 9, 2])

	scored = scorer.score(three, AS_OF)

	assert list(scored.index) == [5, 9, 2]
	assert list(scored["probability_of_default"].isna()) == [False, True, False]
	assert list(scored["score"].isna()) == [False, True, False]
	assert scored.loc[9, list(REASONS)].tolist() == [
		"annual_inc '': missing; sub_grade 'H1': not one of A1, A2, A3, ..., G5",
		"",
		"",
		"",
	]


def test_applications_whose_labels_repeat_are_told_apart(scorer):
	scored = scorer.score(raw_loans({}, {"dti": "x"}).set_axis([1, 1]), AS_OF)

	assert list(scored.index) == [1, 1]
	assert list(scored["probability_of_default"].isna()) == [False, True]
	assert scored["reason_1"].iloc[1] == "dti 'x': not a number"


def test_no_applications_get_no_answers(scorer):
	scored = scorer.score(raw_loans().head(0), AS_OF)

	assert scored.shape == (0, 6)


def test_a_model_that_must_not_decide_is_refused(simulated_loans):
	benchmark = train(simulated_loans.head(1_000), training_options("benchmark"))

	with pytest.raises(NotForLendingError, match="model loantap-benchmark version 1"):
		Scorer(benchmark, "loantap-benchmark", "1")


def test_a_scorer_that_has_travelled_to_another_process_gives_the_same_answer(scorer, applications):
	travelled = copy.copy(scorer)

	pd.testing.assert_frame_equal(travelled.score(applications, AS_OF), scorer.score(applications, AS_OF))
	assert travelled.scorecard is not scorer.scorecard  # made anew


def assert_same_answers(scorer, loans):
	text = render(loans, portfolio_columns()).astype("str").replace("nan", None)

	typed, read = scorer.assess_columns(loans, AS_OF), scorer.assess(text, AS_OF)

	np.testing.assert_array_equal(typed.probability_of_default, read.probability_of_default, strict=True)
	np.testing.assert_array_equal(typed.score, read.score, strict=True)
	pd.testing.assert_frame_equal(typed.reasons.as_text(loans.index), read.reasons.as_text(loans.index))


def test_typed_loans_get_the_answer_of_their_text_to_the_last_bit(scorer, simulated_loans):
	assert_same_answers(scorer, simulated_loans)


def test_typed_loans_are_held_to_the_same_rules(scorer, simulated_loans):
	changes = {"annual_income": -5.0, "dti_pct": np.nan, "interest_rate_pct": 0.12}
	loans = simulated_loans.head(4).reset_index(drop=True)
	for row, (name, value) in enumerate(changes.items()):
		loans = loans.assign(**{name: loans[name].where(loans.index != row, value)})

	assessed = scorer.assess_columns(loans, AS_OF)

	assert_same_answers(scorer, loans)
	assert list(np.isnan(assessed.probability_of_default)) == [True, True, True, False]
	reasons = assessed.reasons.as_text(loans.index)["reason_1"]
	assert reasons[0] == "annual_inc '-5.0': below 0"
	assert reasons[1] == "dti '': missing"
	assert reasons[2].startswith("int_rate '0.12': contradicted by the instalment of ")


def test_a_typed_column_the_model_needs_is_missed_by_name(scorer, simulated_loans):
	with pytest.raises(KeyError, match="dti_pct"):
		scorer.assess_columns(simulated_loans.drop(columns="dti_pct"), AS_OF)


SUPPORT = Support({"dti_pct": (1.0, 40.0), "log_annual_income": (9.0, 13.0)}, {"A1": (5.0, 8.0), "B1": (8.0, 12.0)})
# 10,000 over 36 months at 6% is 304.22 a month.
PLAIN = {
	"loan_amount": 10_000.0,
	"interest_rate_pct": 6.0,
	"term_months": 36.0,
	"instalment": 304.22,
	"sub_grade": "A1",
}
FEATURES = {"dti_pct": 20.0, "log_annual_income": 11.0}


def check(features, columns):
	of, at = FEATURES | features, PLAIN | columns
	one = SUPPORT.check_one(of, at)
	many = SUPPORT.check_columns(
		{name: np.array([value, FEATURES[name]]) for name, value in of.items()},
		{
			name: Texts(np.array([-1 if value is None else 0, 1]), (str(value), "A1"))
			if name == "sub_grade"
			else np.array([value, PLAIN[name]])
			for name, value in at.items()
		},
	)
	assert many.tolist() == [one, 0]
	return SUPPORT.sentences[one]


@pytest.mark.parametrize(
	("features", "columns", "said"),
	[
		({}, {}, ""),
		({"dti_pct": 0.99}, {}, "(DTI) is outside the range"),
		({"dti_pct": 40.01}, {}, "(DTI) is outside the range"),
		({"dti_pct": 40.0}, {}, ""),
		({"dti_pct": np.nan}, {}, ""),
		({}, {"interest_rate_pct": 5.0, "instalment": 299.71}, ""),
		({}, {"interest_rate_pct": 8.0, "instalment": 313.36}, ""),
		({}, {"interest_rate_pct": 4.99, "instalment": 299.66}, "no loan of this grade"),
		({}, {"interest_rate_pct": 8.01, "instalment": 313.41}, "no loan of this grade"),
		({"dti_pct": 50}, {"interest_rate_pct": 10.0, "instalment": 322.67}, "no loan of this"),
		({}, {"sub_grade": "G5"}, ""),  # of a grade without loans nothing is known
		({}, {"sub_grade": None}, ""),
		({}, {"instalment": 320.0}, "the instalment does not follow"),
		({}, {"instalment": 306.0}, ""),
		({"dti_pct": 50}, {"instalment": 320.0}, "the instalment does not follow"),
		({}, {"instalment": np.nan}, ""),
	],
	ids=str,
)
def test_what_is_unlike_is_said(features, columns, said):
	found = check(features, columns)

	assert said in found
	assert bool(found) is bool(said)


def test_a_version_that_carries_no_ranges_finds_only_what_does_not_fit_each_other():
	columns = {name: value for name, value in PLAIN.items() if name != "sub_grade"}

	assert Support({}, {}).check_one({}, columns) == 0
	assert Support({}, {}).check_one({}, columns | {"instalment": 320.0}) == 1


def test_an_offer_without_an_instalment_is_checked_for_the_rest():
	columns = {"sub_grade": Texts(np.zeros(3, "int64"), ("A1",)), "interest_rate_pct": np.array([6.0, 9.0, 6.0])}
	features = {"dti_pct": np.array([20.0, 20, 50]), "log_annual_income": np.full(3, 11.0)}

	assert SUPPORT.check_columns(features, columns).tolist() == [0, 2, 3]
	assert SUPPORT.check_one(FEATURES, {"sub_grade": "A1", "interest_rate_pct": 9.0}) == 2


def test_an_offer_without_a_grade_is_checked_for_the_rest():
	terms = {name: np.full(2, value) for name, value in PLAIN.items() if name != "sub_grade"}
	features = {name: np.full(2, value) for name, value in FEATURES.items()}

	found = SUPPORT.check_columns(features, terms | {"instalment": np.array([304.22, 320.0])})

	assert found.tolist() == [0, 1]


def test_a_model_is_registered_with_what_it_was_trained_on(lending_model, simulated_loans):
	facts = lending_model.facts

	assert facts.ranges["dti_pct"] == (simulated_loans["dti_pct"].min(), simulated_loans["dti_pct"].max())
	# Of utilisation and its logarithm, the first alone.
	assert "revolving_utilisation_pct" in facts.ranges
	assert "log_revolving_utilisation" not in facts.ranges
	by_grade = simulated_loans.groupby("sub_grade")["interest_rate_pct"].agg(["min", "max"])
	assert facts.rates == {grade: tuple(bounds) for grade, *bounds in by_grade.itertuples()}
