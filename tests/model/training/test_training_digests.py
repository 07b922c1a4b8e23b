import numpy as np
import pandas as pd
import pytest

from loantap.model.training.training_digests import TrainingDigests, digest_loans
from loantap.portfolio.dictionary import COLUMNS, portfolio_columns
from loantap.portfolio.loantap_format import parse, render
from tests.conftest import AS_OF


@pytest.fixture(scope="module")
def training(simulated_loans):
  return digest_loans(simulated_loans.head(3_000), "lending")


def test_loans_it_was_trained_on_are_counted(training, simulated_loans):
  assert training.count_shared(simulated_loans) == 3_000
  assert training.count_shared(simulated_loans.tail(1_000)) == 0
  assert training.count_shared(simulated_loans.iloc[2_995:3_005]) == 5


def test_a_loan_is_recognised_through_a_file(training, simulated_loans):
  text = render(simulated_loans.head(40), portfolio_columns()).astype("str")
  read = parse(text, [COLUMNS[name] for name in training.columns], AS_OF).rows

  assert training.count_shared(read) == 40


@pytest.mark.parametrize("column", ["loan_amount", "issue_month"])
def test_another_figure_makes_another_loan(column, training, simulated_loans):
  rows = simulated_loans.head(100)
  other = rows[column] + (pd.DateOffset(months=1) if column == "issue_month" else 1)

  assert training.count_shared(rows.assign(**{column: other})) == 0


def test_they_are_eight_bytes_a_loan_and_read_as_written(training, tmp_path):
  path = tmp_path / "training_loans.npz"
  training.save(path)

  read = TrainingDigests.load(path)
  assert (read.columns, read.key) == (training.columns, training.key)
  assert np.array_equal(read.digests, training.digests)
  assert path.stat().st_size < 8 * 3_000 + 3_000


def test_the_same_loans_give_the_same_digests_in_any_order(simulated_loans):
  one, other = (digest_loans(rows, "lending") for rows in (simulated_loans, simulated_loans[::-1]))

  assert one.key == other.key
  assert np.array_equal(one.digests, other.digests)
  assert (np.diff(one.digests) >= 0).all()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_file_is_no_silent_yes(content, tmp_path):
  path = tmp_path / "training_loans.npz"
  path.write_bytes(content)

  with pytest.raises(ValueError, match=r"holds no digests|pickled"):
    TrainingDigests.load(path)
