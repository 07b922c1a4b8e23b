import numpy as np
import pandas as pd
import pytest

from loantap.portfolio.errors import InputError
from tools.early_warning.card_figures import find_best_column, main, measure_capture
from tools.early_warning.cards import RAW_COLUMNS, read_cards, tell_sign

TARGET = "default.payment.next.month"


def write(folder, **changed):
    """One card holder a row: a limit of 100, bills of 50, payments of 25, nothing late."""
    given = dict.fromkeys(RAW_COLUMNS, 0.0) | {"LIMIT_BAL": 100.0, TARGET: [0, 1]}
    given |= {f"BILL_AMT{m}": 50.0 for m in range(1, 7)} | {
        f"PAY_AMT{m}": 25.0 for m in range(1, 7)
    }
    path = folder / "cards.parquet"
    # A person's columns that cannot even be numbers are not looked at.
    pd.DataFrame(given | {"SEX": "x", "AGE": "y"} | changed).to_parquet(path)
    return path


def test_columns_of_the_person_are_never_read(tmp_path):
    cards = read_cards(write(tmp_path))
    used = [*cards.raw, *cards.utilisation, *cards.payments, *cards.arrears]
    assert not [n for n in used if n.lower() in {"sex", "age", "marriage", "education", "id"}]


def test_months_count_back_from_the_last(tmp_path):
    path = write(tmp_path, BILL_AMT1=[80.0, 50.0], PAY_AMT1=[10.0, 25.0], PAY_0=[2.0, np.nan])
    cards = read_cards(path)
    first, second = cards.utilisation.iloc[0], cards.arrears.iloc[1]
    assert (first["utilisation_1"], first["utilisation_change_1m"]) == (0.8, pytest.approx(0.3))
    # The last payment answers the bill of the month before; what was spent made the new bill.
    payment = cards.payments.iloc[0]
    assert (payment["paid_share_1"], payment["spent_1"]) == (10 / 50, (80 - 50 + 10) / 100)
    assert (second["in_full_1"], second["late_1"]) == (1, 0)
    assert cards.is_current.tolist() == [False, True]
    assert cards.arrears["months_late"].tolist() == [1, 0]


def test_nothing_of_delay_codes_is_in_the_other_features(tmp_path):
    late = {f"PAY_{m}": 3.0 for m in (0, 2, 3, 4, 5, 6)}
    plain, changed = read_cards(write(tmp_path)), read_cards(write(tmp_path, **late))
    pd.testing.assert_frame_equal(plain.payments, changed.payments)
    pd.testing.assert_frame_equal(plain.utilisation, changed.utilisation)
    assert changed.never_late.tolist() == [False, False]


@pytest.mark.parametrize(
    ("feature", "sign"), [("late_worst", 1), ("months_late", 1), ("limit", -1), ("spent_1", 0)]
)
def test_credit_sense_has_a_direction(feature, sign):
    assert tell_sign(feature) == sign


def test_a_file_that_lacks_a_column_or_is_not_there_is_told(tmp_path, capsys):
    path = tmp_path / "cards.parquet"
    pd.DataFrame({"LIMIT_BAL": [1.0]}).to_parquet(path)
    with pytest.raises(InputError, match=r"BILL_AMT1.*is missing"):
        read_cards(path)
    path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["card_figures", "--data", str(path)])
        assert main() == 2
    assert "there is no such file" in capsys.readouterr().err


def test_the_top_tenth_is_counted_by_rank():
    target = np.array([1] * 5 + [0] * 45 + [1] * 5 + [0] * 45)
    captured = measure_capture(target, -np.arange(100.0))
    assert captured.value == 0.5
    assert captured.low <= 0.5 <= captured.high


def test_the_best_raw_column_is_turned_the_risky_way_up():
    raw = pd.DataFrame({"noise": [1.0, 2, 1, 2], "paid": [9.0, 8, 2, np.nan]})
    target = np.array([0, 0, 1, 1])
    name, values = find_best_column(raw, target)
    assert name == "paid"
    assert values[0] < values[2]
