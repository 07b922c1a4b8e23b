import numpy as np
import pandas as pd
import pytest

from loantap.features.definitions import FEATURE_SETS
from loantap.model.scoring.decompose import make_scorecard, measure_reference
from loantap.model.scoring.points import BASE, tabulate_points
from loantap.model.scoring.scorecard import SCALE, LinearEffect, Scorecard, StepEffect, TableEffect

LENDING = FEATURE_SETS["lending"]


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def scorecard(request, lending_model, boosted_pipeline, features):
	pipeline = lending_model.pipeline if request.param == "logistic" else boosted_pipeline
	return make_scorecard(pipeline, LENDING, measure_reference(pipeline, LENDING, features))


def look_up(table, name, value):
	rows = table[table["feature"] == name]
	if rows.empty:
		return 0.0
	if isinstance(value, str):
		known = rows[rows["attribute"] == value.replace("_", " ")]
		return float((known if len(known) else rows[rows["attribute"] == "any other"])["points"].iloc[0])
	if pd.isna(value):
		return float(rows[rows["attribute"] == "not stated"]["points"].iloc[0])
	(_, row), *more = rows[(rows["low"] < value) & (rows["high"] >= value)].iterrows()
	assert not more, f"{name} {value} is in two bands"
	beyond = row["points_per_unit"] * (value - row["anchor"]) if row["points_per_unit"] else 0
	return float(row["points"] + beyond)


def test_points_of_all_attributes_add_up_to_the_score(scorecard, features):
	table = tabulate_points(scorecard, features)
	base = float(table.loc[table["feature"] == BASE, "points"].iloc[0])
	some = features.head(20)

	totals = [base + sum(look_up(table, name, value) for name, value in row.items()) for row in some.to_dict("records")]

	exact = [SCALE.exact(log_odds) for log_odds in scorecard.log_odds(some)]
	np.testing.assert_allclose(totals, exact, atol=1e-6)


def test_bands_are_named_in_the_borrower_s_terms():
	card = Scorecard(
		-1.0,
		{
			"log_annual_income": LinearEffect(-0.5, 11.0, 0.0),
			"employment_years": StepEffect((1.0, 5.0), (0.1, 0.0, -0.2), 0.05),
			"purpose": TableEffect({"small_business": 0.3}, -0.1),
			"total_accounts": LinearEffect(0.0, 0.0, 0.0),
		},
	)
	incomes = pd.DataFrame({"log_annual_income": np.log([20_000, 40_000, 60_000, 80_000, 1e5])})
	features = incomes.assign(employment_years=3.0, purpose="car", total_accounts=5.0)

	table = tabulate_points(card, features).set_index("feature")

	assert table.loc["log_annual_income", "attribute"].tolist() == [
		"up to 20,000",
		"over 20,000, up to 40,000",
		"over 40,000, up to 60,000",
		"over 60,000, up to 80,000",
		"over 80,000",
	]
	assert table.loc["employment_years", "attribute"].tolist() == [
		"up to 1 year",
		"over 1 year, up to 5 years",
		"over 5 years",
		"not stated",
	]
	assert table.loc["purpose", "attribute"].tolist() == ["small business", "any other"]
	assert "total_accounts" not in table.index  # counts for nothing
	ten_percent = -SCALE.factor * 0.1
	assert table.loc["employment_years", "points"].iloc[0] == pytest.approx(ten_percent)
