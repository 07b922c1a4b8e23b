import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from tools.early_warning.card_figures import measure_ranks, read_cards, score_best_column, score_cards

CUSTOMERS = 600


@pytest.fixture(scope="module")
def table():
    """Customers of whom those with the higher bills default more often; the rest is noise."""
    rng = np.random.default_rng(5)
    bills = {f"BILL_AMT{month}": rng.uniform(0, 1_000, CUSTOMERS) for month in range(1, 7)}
    paid = {f"PAY_AMT{month}": rng.uniform(0, 100, CUSTOMERS) for month in range(1, 7)}
    codes = {f"PAY_{month}": rng.choice([-2, np.nan, 0], CUSTOMERS) for month in (0, 2, 3, 4, 5, 6)}
    own = {"SEX": "male", "AGE": 30, "MARRIAGE": "N", "EDUCATION": "C", "LIMIT_BAL": 2_000.0}
    defaults = (rng.random(CUSTOMERS) < bills["BILL_AMT1"] / 2_000).astype(int)
    return pd.DataFrame(bills | paid | codes | {"default.payment.next.month": defaults}).assign(**own)


@pytest.mark.parametrize("column", ["SEX", "AGE", "MARRIAGE", "EDUCATION"])
def test_who_a_customer_is_changes_no_feature(table, column):
    values = np.arange(CUSTOMERS) if column == "AGE" else table["PAY_0"].astype("str")
    known, changed = read_cards(table), read_cards(table.assign(**{column: values}))

    pd.testing.assert_frame_equal(known.habits.join(known.arrears), changed.habits.join(changed.arrears))
    assert list(read_cards(table.drop(columns=column)).habits) == list(known.habits)


def test_features_are_of_bill_limit_payment_and_code(table):
    one = {"LIMIT_BAL": 1_000.0, "BILL_AMT1": 500.0, "BILL_AMT2": 200.0, "PAY_AMT1": 50.0, "PAY_0": np.nan, "PAY_2": 3}
    cards = read_cards(table.assign(**one))

    assert cards.habits.loc[0, ["utilisation_0", "utilisation_change_1m", "payment_to_bill_0"]].tolist() == [
        0.5, pytest.approx(0.3), 0.25,
    ]  # fmt: skip
    assert cards.arrears.loc[0, ["arrears_0", "arrears_max_3m", "months_late"]].tolist() == [-1, 3, 1]


def test_a_table_without_a_column_is_refused_by_name(table):
    with pytest.raises(InputError, match="BILL_AMT3"):
        read_cards(table.drop(columns="BILL_AMT3"))


def test_ranks_are_out_of_fold_and_the_same_again(table):
    cards = read_cards(table)
    scores = score_cards(cards, cards.habits)
    again = score_cards(cards, cards.habits)
    best = score_best_column(cards.habits, cards.defaults)

    assert list(best) == ["best raw column: high utilisation_0"]
    for name, score in scores.items():
        np.testing.assert_array_equal(score, again[name])
    assert measure_ranks(cards.defaults, scores, resamples=20) == measure_ranks(cards.defaults, again, resamples=20)
    noise = read_cards(table.assign(**{"default.payment.next.month": np.arange(CUSTOMERS) % 2}))
    for _, area, _ in measure_ranks(noise.defaults, score_cards(noise, noise.habits), resamples=20):
        assert float(area[:5]) < 0.6
