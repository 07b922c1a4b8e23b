import pandas as pd
import pytest

from loantap.portfolio.amortisation import list_instalment_exceptions
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render, split_address
from tests.conftest import AS_OF, read_portfolio


def test_every_real_loan_is_read_in_full(sample_text):
	cleaned = read_portfolio(sample_text, AS_OF, tolerated_bad_share=0)

	assert len(cleaned.rows) == len(sample_text) == 5_239
	assert cleaned.rows["loan_id"].is_unique
	assert cleaned.rows["loan_status"].eq("Charged Off").mean() == pytest.approx(0.191, abs=5e-4)


@pytest.fixture(scope="module")
def exceptions(sample_loans):
	loans = sample_loans.assign(loan_id=[str(n) for n in range(len(sample_loans))])
	listed = list_instalment_exceptions(loans)
	return listed.merge(loans[["loan_id", "issue_month"]], on="loan_id")


def test_99_percent_of_instalments_are_the_emi_of_their_terms(sample_loans, exceptions):
	assert len(exceptions) == 26
	assert 1 - len(exceptions) / len(sample_loans) >= 0.99


def test_the_exceptions_are_25_old_loans_funded_in_part_and_one_that_is_higher(exceptions):
	lower = exceptions[exceptions["difference"] < 0]
	higher = exceptions[exceptions["difference"] > 0]

	assert len(lower) == 25
	assert lower["issue_month"].dt.year.between(2008, 2011).all()
	assert lower["difference"].min() == pytest.approx(-324.55, abs=0.005)
	assert (lower["funded_principal"] < lower["loan_amount"]).all()
	assert list(higher["difference"].round(2)) == [5.24]
	assert (higher["funded_principal"] > higher["loan_amount"]).all()


def test_the_real_file_is_written_back_as_it_was(sample_text, sample_loans):
	written = render(sample_loans, portfolio_columns())

	assert list(written.columns) == list(sample_text.columns)
	for name in written.columns:
		if pd.api.types.is_numeric_dtype(written[name]):
			expected = sample_text[name].astype("float64")
		else:
			expected = sample_text[name]
		pd.testing.assert_series_equal(written[name], expected, check_dtype=False, check_exact=True, obj=name)


def test_every_real_address_has_a_state_and_one_of_ten_pincodes(sample_loans):
	parts = split_address(sample_loans["address"])

	assert parts.notna().all(axis=None)
	assert parts["pincode"].nunique() == 10
	assert parts["state"].isin(["AA", "AE", "AP"]).mean() == pytest.approx(0.1, abs=0.02)
	assert sample_loans["address"].str.contains("\r\n").all()
