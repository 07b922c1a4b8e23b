import warnings

import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.measures.intervals import measure_stability
from loantap.model.scoring.points import tabulate_points
from loantap.model.scoring.scorer import Scorer, check_servable
from loantap.model.validation.scorecard_report import report_scorecard
from loantap.portfolio.dictionary import Kind, portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import AS_OF, train, training_options

NULLABLE = [column for column in portfolio_columns() if column.nullable]
# What everybody may be alike in, in a lender's portfolio of one kind of loan.
ALIKE = {
	"term_months": 36.0,
	"purpose": "car",
	"public_records": 0.0,
	"bankruptcies": 0.0,
	"mortgage_accounts": 0.0,
	"employment_years": 10.0,
	"revolving_balance": 0.0,
	"revolving_utilisation_pct": 0.0,
	"total_accounts": 9.0,
	"open_accounts": 5.0,
}


@pytest.fixture(scope="module")
def few(simulated_loans):
	return simulated_loans.head(1_500)


def take_through_a_run(loans):
	model = train(loans, training_options("lending"))
	check_servable(model)
	scorer = Scorer(model, "loantap-lending-demo", "1")
	scores = scorer.score(render(loans, scorer.columns), AS_OF)
	assert scores["probability_of_default"].notna().all()
	features = build_features(loans, FEATURE_SETS["lending"].features)
	points = tabulate_points(scorer.scorecard, features)
	scored = loans.assign(probability_of_default=scores["probability_of_default"])
	pds = scores["probability_of_default"].to_numpy()
	assert measure_stability(pds, pds).psi == 0
	return report_scorecard(scorer, points, scored, AS_OF)


@pytest.mark.parametrize("column", NULLABLE, ids=[column.name for column in NULLABLE])
def test_a_column_may_be_missing_throughout(column, few):
	nothing = None if column.kind in (Kind.TEXT, Kind.CATEGORY) else np.nan
	loans = few.assign(**{column.name: pd.Series(nothing, index=few.index, dtype=few[column.name].dtype)})

	with warnings.catch_warnings():
		warnings.simplefilter("error")
		report = take_through_a_run(loans)

	named = {phrase for f in FEATURES.values() if f.uses == (column.name,) for phrase in [f.phrase]}
	for phrase in named & set(report["example"]["values"]):
		assert report["example"]["values"][phrase] == "not stated"


@pytest.mark.parametrize("names", [["term_months"], ["purpose"], list(ALIKE)], ids=len)
def test_a_column_may_say_the_same_of_everybody(names, few):
	# Loans of one term, since the instalments are those of the loans as they were.
	alike = few[few["term_months"] == 36].assign(**{name: ALIKE[name] for name in names})

	assert take_through_a_run(alike)["n"] == len(alike)
