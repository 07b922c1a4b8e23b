import numpy as np
import pandas as pd
import pytest

from tools.early_warning.card_figures import USED, find_top, make_features, rank_by_best_column


def test_features_are_of_bill_limit_payment_and_code_and_never_of_who_a_customer_is():
	row = dict.fromkeys(USED, 0.0) | {"BILL_AMT1": 500.0, "BILL_AMT2": 200.0, "PAY_AMT1": 50.0, "PAY_2": 5}
	table = pd.DataFrame([row | {"LIMIT_BAL": 1_000.0, "PAY_0": np.nan}] * 2)
	habits, arrears = make_features(table)

	assert habits.loc[0, ["utilisation_0", "change_1", "payment_to_bill_0"]].tolist() == [0.5, pytest.approx(0.3), 0.25]
	assert arrears.loc[0, ["arrears_0", "arrears_1", "late_sum_1", "late_sum_3"]].tolist() == [-1, 4, 4, 1]
	assert not {"SEX", "AGE", "MARRIAGE", "EDUCATION"} & set(USED)


def test_a_column_that_ranks_the_wrong_way_is_turned():
	columns = pd.DataFrame({"change_1": [3.0, 2, 1, 0], "arrears_0": [0, 1, 0, 1], "sum_0": [0, 0, 1, 1]})
	found = rank_by_best_column(columns, np.array([0, 0, 1, 1]))

	assert {name: score.tolist() for name, score in found.items()} == {"low change_1": [-3, -2, -1, 0]}


def test_a_list_has_its_length_and_chance_decides_among_equals():
	first, second = (find_top(np.array([1.0] * 3 + [0.0] * 97), 0.05, seed) for seed in (1, 2))

	assert first.sum() == second.sum() == 5
	assert (first & second)[:3].all()
	assert (first != second).any()
