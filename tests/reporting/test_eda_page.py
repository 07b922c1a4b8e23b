import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from loantap.policy.exploration import SAME_BY_DEFINITION, explore_outcomes
from loantap.reporting.eda_page import render_eda

AS_OF = date(2017, 3, 1)


def make_loans():
	rng = np.random.default_rng(1)
	purpose = pd.Series(rng.choice(["car", "<medical>", "wedding"], 1_200), dtype="str")
	months = pd.date_range("2007-08-01", "2016-12-01", freq="MS")
	return pd.DataFrame(
		{
			"purpose": purpose,
			"loan_amount": rng.normal(14_000, 400, 1_200).round(),
			"interest_rate_pct": rng.normal(13, 4, 1_200).round(2),
			"mortgage_accounts": pd.Series(rng.integers(0, 6, 1_200), dtype="float64").where(purpose != "car"),
			"issue_month": np.resize(months, 1_200),
			"is_charged_off": rng.binomial(1, 0.2, 1_200).astype("int8"),
		}
	)


@pytest.fixture(scope="module")
def loans():
	return make_loans()


def render(loans, origin="real"):
	found = explore_outcomes(loans)
	return render_eda(loans, found.numbers, found.levels, SAME_BY_DEFINITION, origin=origin, as_of=AS_OF)


@pytest.fixture(scope="module")
def page(loans):
	return render(loans)


def test_the_page_tells_size_origin_day_months_of_issue_and_every_column(page):
	assert (
		"LoanTap portfolio as of 2017-03-01, data origin: real, n = 1,200 resolved loans, issued 2007-08 to 2016-12"
	) in page
	assert "SIMULATED" not in page
	for name in ("purpose", "interest_rate_pct", "mortgage_accounts"):
		assert f'data-column-name="{name}"' in page


def test_simulated_data_is_called_simulated(loans):
	page = render(loans, "simulated")

	assert '<p class="simulated">SIMULATED DATA</p>' in page
	assert "<title>Portfolio: every column (simulated data)</title>" in page


def find_row(page, heading):
	return re.search(rf'<tr><th scope="row">{heading}<.*?</tr>', page)[0]


def test_a_number_is_told_by_outcome_with_its_auc_and_interval(page, loans):
	row = find_row(page, "Loan amount")
	paid = loans.loc[loans["is_charged_off"] == 0, "loan_amount"]
	low, median, high = (f"{paid.quantile(at):,.0f}" for at in (0.25, 0.5, 0.75))

	assert f"{median}<small>{low} to {high}</small>" in row
	assert re.search(r"0\.\d{3}<small>0\.\d{3} to 0\.\d{3}</small>", row)
	assert '<td class="num">1,200</td>' in row


def test_a_category_is_told_by_outcome_and_escaped(page, loans):
	row = find_row(page, "&lt;medical&gt;")
	of = loans[loans["purpose"] == "<medical>"]

	assert f'<td class="num">{of["is_charged_off"].mean():.1%}</td>' in row
	assert "<medical>" not in page


def test_too_few_loans_are_said_to_be_too_few():
	few = pd.DataFrame({"annual_income": [1.0, 2.0, np.nan], "is_charged_off": [0, 0, 0]})

	page = render(few)

	assert "<small>too few loans to say</small>" in find_row(page, "Annual income")
	assert "nan" not in find_row(page, "Annual income")


def test_no_script_may_run_but_those_of_skrub(page):
	policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]

	allowed = re.search(r"script-src ([^;]+)$", policy)[1].split()
	assert all(re.fullmatch(r"'sha256-[\w+/=]+'", source) for source in allowed)
	assert len(allowed) == len(re.findall(r"<script", page)) == 2
