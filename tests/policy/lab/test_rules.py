import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from loantap.policy.lab.rules import (
	READABLE,
	Condition,
	Operator,
	Rule,
	apply_rules,
	apply_rules_to_one,
	columns_of_rules,
	keep_readable,
	name_rule,
	read_columns,
	source_columns,
)
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError
from tests.policy.lab.loans import make_loans
from tests.policy.shipped import make_lab


def make_rule(*conditions, rule_id="rule"):
	written = [dict(zip(("column", "operator", "value"), given, strict=True)) for given in conditions]
	return Rule.model_validate({"id": rule_id, "title": "A rule", "conditions": written})


def apply_to(frame, *rules):
	return apply_rules(rules, read_columns(frame, columns_of_rules(rules)))


@pytest.mark.parametrize(
	("sign", "declined"),
	[
		(">", [False, False, True, False]),
		(">=", [False, True, True, False]),
		("<", [True, False, False, False]),
		("<=", [True, True, False, False]),
	],
)
def test_a_number_is_compared_and_a_missing_one_breaks_no_rule(sign, declined):
	loans = pd.DataFrame({"dti_pct": [34.9, 35.0, 35.1, np.nan]})

	assert apply_to(loans, make_rule(("dti_pct", sign, 35)))[:, 0].tolist() == declined


# The model sees no more than 60% and 3 records.
@pytest.mark.parametrize(("column", "limit"), [("dti_pct", 70.0), ("public_records", 4.0)])
def test_a_number_is_compared_as_it_is_and_not_as_the_model_sees_it(column, limit):
	rule = make_rule((column, ">", limit))

	assert apply_to(pd.DataFrame({column: [limit, limit + 1]}), rule)[:, 0].tolist() == [False, True]
	assert apply_rules_to_one([rule], {column: limit}) == (False,)
	assert apply_rules_to_one([rule], {column: limit + 1}) == (True,)


def test_in_takes_numbers_and_categories():
	loans = pd.DataFrame({"term_months": [36.0, 60.0, np.nan, 60.0], "grade": ["D", "A", "D", None]}).astype(
		{"grade": "str"}
	)

	found = apply_to(loans, make_rule(("grade", "in", ["C", "D"])), make_rule(("term_months", "in", [60])))

	assert found.T.tolist() == [[True, False, True, False], [False, True, False, True]]


def test_the_amount_is_compared_with_yearly_income_and_no_income_is_too_little():
	loans = pd.DataFrame(
		{
			"loan_amount": [10_000.0, 10_000.0, 10_000.0, 10_000.0, np.nan],
			"annual_income": [40_000.0, 39_999.0, 0.0, np.nan, 0.0],
		}
	)

	found = apply_to(loans, make_rule(("loan_to_income", ">", 0.25)))

	assert found[:, 0].tolist() == [False, True, True, False, False]


def test_one_application_gets_the_answer_of_the_table():
	# Rounded, so that some lie at a limit.
	loans = make_loans(2_000, seed=3).drop(columns="issue_month").round()
	loans.loc[::7, "dti_pct"] = np.nan
	loans.loc[::11, "grade"] = None
	loans.loc[::13, "annual_income"] = 0.0
	loans.loc[::17, "annual_income"] = np.nan
	rules = make_lab().rules

	together = apply_to(loans, *rules)

	alone = [apply_rules_to_one(rules, row) for row in loans.to_dict("records")]
	assert together.tolist() == [list(found) for found in alone]
	assert (together.sum(axis=0) > 0).all()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_value_of_one_application_breaks_no_rule(missing):
	application = {"grade": missing, "loan_amount": 1.0, "annual_income": missing}
	rules = [make_rule(("grade", "in", ["A"])), make_rule(("loan_to_income", ">", 0))]

	assert apply_rules_to_one(rules, application) == (False, False)


def test_no_rules_decline_nobody():
	assert apply_rules([], {}).shape == (0, 0)
	assert apply_rules([], {"dti_pct": np.array([1.0, 2.0])}).shape == (2, 0)
	assert apply_rules_to_one([], {}) == ()


def test_a_missing_column_is_named():
	rules = [make_rule(("loan_to_income", ">", 0.3))]

	with pytest.raises(InputError, match="column annual_income is missing"):
		read_columns(pd.DataFrame({"loan_amount": [1.0]}), columns_of_rules(rules))
	with pytest.raises(InputError, match="column annual_income is missing"):
		apply_rules(rules, {"loan_amount": np.array([1.0])})
	with pytest.raises(InputError, match="column annual_income is missing"):
		apply_rules_to_one(rules, {"loan_amount": 1.0})


def test_a_file_is_held_against_the_rules_that_it_has_the_columns_for():
	dti, ratio = make_rule(("dti_pct", ">", 35)), make_rule(("loan_to_income", ">", 0.3))

	assert source_columns([dti, ratio, dti]) == ("dti", "loan_amnt", "annual_inc")
	assert keep_readable([dti, ratio], {"dti", "loan_amnt"}) == (dti,)
	assert keep_readable([dti, ratio], {"annual_inc", "loan_amnt"}) == (ratio,)


@pytest.mark.parametrize(
	("condition", "problem"),
	[
		(("pincode", "in", ["11650"]), "no rule may read 'pincode'"),
		(("dti_pct", ">", [35]), "one number"),
		(("dti_pct", "in", 35), "takes a list"),
		(("dti_pct", "in", []), "not empty"),
		(("dti_pct", ">", float("nan")), "compared with a number"),
		(("dti_pct", ">", -1), "no value that dti_pct can have"),
		(("dti_pct", ">", 10_000), "no value that dti_pct can have"),
		(("dti_pct", "in", ["high"]), "compared with a number"),
		(("term_months", "in", [48]), "no value that term_months can have"),
		(("grade", "in", ["A", "H"]), "not 'H'"),
		(("grade", ">", 3), "grade takes 'in'"),
	],
)
def test_a_condition_that_means_nothing_is_refused(condition, problem):
	with pytest.raises(ValidationError, match=problem):
		make_rule(condition)


@pytest.mark.parametrize("condition", [("dti_pct", ">", 0), ("loan_to_income", "<", 1e6), ("grade", "in", ["A", "G"])])
def test_the_lowest_and_the_highest_value_of_a_column_may_be_given(condition):
	assert make_rule(condition).conditions[0].column == condition[0]


def test_rules_read_nothing_personal_and_nothing_of_later():
	read = [COLUMNS[name] for name in READABLE if name in COLUMNS]

	assert not [column.name for column in read if column.personal or not column.known_at_decision]
	assert not {"home_ownership", "earliest_credit_line", "mortgage_accounts"} & set(READABLE)


def test_a_rule_that_was_found_is_named_by_what_it_says():
	rule = name_rule(
		[
			Condition(column="dti_pct", operator=Operator.ABOVE, value=29.5),
			Condition(column="grade", operator=Operator.ONE_OF, value=("D", "E")),
		]
	)

	assert rule.id == "found_dti_pct_gt_29p5_grade_in_d_e"
	assert rule.title == "No loan with DTI above 29.5% and grade of D or E"


@pytest.mark.parametrize(
	("column", "value", "name", "said"),
	[
		("annual_income", 1e6, "1000000", "1,000,000"),
		("loan_to_income", 1e-5, "0p00001", "0.00001"),
		("loan_to_income", 0.25, "0p25", "0.25"),
	],
)
def test_a_rule_may_have_a_bound_of_any_size(column, value, name, said):
	rule = name_rule([Condition(column=column, operator=Operator.ABOVE, value=value)])

	assert rule.id == f"found_{column}_gt_{name}"
	assert rule.title.endswith(f" above {said}")


@pytest.mark.parametrize(
	("column", "sign", "value", "words"),
	[
		("grade", "in", ["D", "E", "F"], "grade of D, E or F"),
		("purpose", "in", ["debt_consolidation"], "purpose of debt consolidation"),
		("annual_income", "<", 40_000, "annual income below 40,000"),
		("dti_pct", ">=", 35, "DTI of at least 35%"),
		("loan_to_income", "<=", 0.25, "amount as a share of yearly income of at most 0.25"),
	],
)
def test_a_condition_is_said_in_words(column, sign, value, words):
	assert str(make_rule((column, sign, value)).conditions[0]) == words


@pytest.mark.parametrize(("rule_ids", "problem"), [(["a", "a"], "two rules"), (["found_a"], "begins like")])
def test_each_rule_has_an_id_of_its_own(rule_ids, problem):
	rules = [make_rule(("dti_pct", ">", 35), rule_id=rule_id) for rule_id in rule_ids]

	with pytest.raises(ValidationError, match=problem):
		make_lab(rules=rules)
