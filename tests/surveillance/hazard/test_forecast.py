import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.portfolio.errors import InputError
from loantap.surveillance.hazard import forecast as forecasting
from loantap.surveillance.hazard.design import look_ahead
from loantap.surveillance.hazard.evaluation import defaults_within, is_default_known, judge_hazard
from loantap.surveillance.hazard.fit import _Study, fit_hazard, split_loans
from loantap.surveillance.hazard.forecast import OVERRUN_MONTHS, BandHazard, HazardModel, forecast
from tests.surveillance.hazard.world import DEFAULTS, OPTIONS, PAYMENTS, cumulate, make_outcomes, make_panel, simulate

NONE = np.nan


@pytest.fixture(scope="module")
def known_world():
	return simulate(3_000, seed=11)


@pytest.fixture(scope="module")
def fitted(known_world):
	return fit_hazard(*known_world, OPTIONS)


def constant(default, paid):
	bands = [
		BandHazard(
			cause=cause,
			first_lead=first,
			last_lead=last,
			shift=0.0,
			slope=1.0,
			months=1,
			events=1,
			intercept=float(np.log(chance / (1 - chance))),
			weights=dict.fromkeys(names, 0.0),
		)
		for first, last in ((1, 3), (4, 120))
		for names in [forecasting.name_lead(first, last)]
		for cause, chance in (("default", default), ("paid", paid))
	]
	return HazardModel(origin="real", features=(), bands=tuple(bands), fitted_loans=1, calibrated_loans=1, landmarks=1)


def test_risks_compete_month_by_month_up_to_the_end_of_the_life():
	panel = make_panel(["a", "b"], [40, 58])
	found = forecast(constant(0.02, 0.05), panel)
	lives = [20 + OVERRUN_MONTHS, 2 + OVERRUN_MONTHS]
	for name, months in (("pd_3m", 3), ("pd_6m", 6), ("pd_12m", 12), ("pd_life", 99)):
		expected = [cumulate(0.02, 0.05, min(months, life)) for life in lives]
		np.testing.assert_allclose(found[name], expected, rtol=1e-12)
	expected_life = [sum(0.93**k for k in range(life)) for life in lives]
	np.testing.assert_allclose(found["expected_life_months"], expected_life, rtol=1e-12)


@pytest.mark.parametrize("months", [3, 12])
def test_what_is_not_asked_for_changes_nothing_before_it(fitted, known_world, months):
	panel = known_world[0].iloc[:300]
	found = forecast(fitted, panel, months)
	assert found.columns[-1] == f"pd_{months}m"
	pd.testing.assert_frame_equal(found, forecast(fitted, panel)[found.columns], check_exact=True)


def test_two_risks_are_never_more_than_certain():
	found = forecast(constant(0.9, 0.8), make_panel(["a"], [40]))
	assert found.loc[0, "pd_life"] == pytest.approx(0.9)
	assert found.loc[0, "expected_life_months"] == pytest.approx(1)


def test_a_loan_ninety_days_past_due_has_defaulted():
	panel = make_panel(["a", "b"], [40, 40], days_past_due=[89.0, 90.0])
	found = forecast(constant(0.02, 0.05), panel)
	assert found.loc[1].tolist() == [1, 1, 1, 1, 0]
	assert found.loc[0, "pd_12m"] < 0.2


def test_a_row_is_forecast_the_same_in_any_company(fitted, known_world, monkeypatch):
	panel = known_world[0].sample(500, random_state=1)
	found = forecast(fitted, panel)
	monkeypatch.setattr(forecasting, "_BLOCK", 7)
	shuffled = panel.sample(frac=1, random_state=2)
	pd.testing.assert_frame_equal(forecast(fitted, shuffled).loc[panel.index], found, rtol=1e-9)


def test_known_hazards_are_found_again(fitted):
	panel = make_panel(["a", "b"], [12, 12], dti_change_3m=[0.0, 10.0])
	found = forecast(fitted, panel)
	for place, factor in ((0, 0.5), (1, 1.5)):
		for months in (3, 6, 12):
			truth = cumulate(factor * DEFAULTS, PAYMENTS, months)
			assert found.loc[place, f"pd_{months}m"] == pytest.approx(truth, rel=0.3)


def test_the_loans_of_the_test_leave_no_trace(fitted, known_world):
	panel, outcomes = known_world
	_, is_test = split_loans(outcomes["loan_id"], OPTIONS)
	changed = outcomes.assign(default_month=outcomes["default_month"].mask(is_test, outcomes["last_month"]))
	assert 0.15 < is_test.mean() < 0.25
	assert fit_hazard(panel, changed, OPTIONS) == fitted
	assert fit_hazard(panel, changed, OPTIONS.model_copy(update={"seed": 4})) != fitted


@pytest.mark.parametrize(
	("off", "months_per_loan", "is_moved"), [(0.5, 1, True), (0.5, 100, False), (-0.5, 1, True), (0.0, 1, False)]
)
def test_a_level_is_moved_where_enough_loans_contradict_it(off, months_per_loan, is_moved):
	rng = np.random.default_rng(5)
	log_odds = rng.uniform(-3, -1, 2_000)
	happened = rng.random(2_000) < expit(log_odds + off)
	study = SimpleNamespace(_options=OPTIONS)
	shift, slope = _Study._recalibrate(study, log_odds, happened, np.arange(2_000) // months_per_loan)
	assert ((shift, slope) != (0, 1)) == is_moved
	assert np.mean(shift + slope * log_odds - log_odds) == pytest.approx(off if is_moved else 0, abs=0.2)


def test_the_model_is_kept_as_plain_numbers(fitted):
	assert HazardModel.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_a_feature_that_all_rows_lack_is_told_and_counts_as_its_mean(fitted, caplog):
	mean = next(f.mean for f in fitted.features if f.name == "dti_change_3m")
	panel = make_panel(["a"], [12], dti_change_3m=mean)
	found = forecast(fitted, panel.assign(dti_change_3m=np.nan))
	pd.testing.assert_frame_equal(found, forecast(fitted, panel), rtol=1e-9)
	assert "dti_change_3m is missing in all 1 rows" in caplog.text


def test_too_few_defaults_are_refused(known_world):
	panel, outcomes = known_world
	none = outcomes.assign(default_month=pd.Series(pd.NaT, outcomes.index, dtype="datetime64[s]"))
	with pytest.raises(InputError, match=r"fewer than 20 .*hazard\.min_events"):
		fit_hazard(panel, none, OPTIONS)


def test_a_default_is_known_once_the_window_has_closed_or_the_loan_has_ended():
	landmarks = make_panel(list("abcde"), [2] * 5)
	outcomes = make_outcomes(list("abcde"), [5, 6, NONE, NONE, NONE], [NONE, NONE, 3, NONE, NONE], [9, 9, 3, 5, 4])
	ahead = look_ahead(landmarks, outcomes)
	assert defaults_within(ahead, 3).tolist() == [1, 0, 0, 0, 0]
	assert is_default_known(ahead, 3).tolist() == [True, True, True, True, False]


@pytest.fixture(scope="module")
def figures(fitted, known_world):
	return judge_hazard(fitted, *known_world, OPTIONS)


def test_a_right_model_is_found_calibrated(figures):
	found = figures["drawn_month"]["12"]
	# Those in danger leave sooner, so that the others are ever more.
	low, high = (cumulate(factor * DEFAULTS, PAYMENTS, 12) for factor in (0.5, 1.5))
	assert low < found["default_rate"] < (low + high) / 2
	assert found["default_rate_low"] < found["mean_pd"] < found["default_rate_high"]
	assert found["ece"] < found["ece_perfect_high"] * 1.2
	assert found["roc_auc_low"] > 0.5
	assert sum(row["loans"] for row in found["deciles"]) == found["loans"]
	json.dumps(figures, allow_nan=False)


def test_only_loans_of_the_test_are_judged_each_once(figures, known_world):
	panel, outcomes = known_world
	_, is_test = split_loans(outcomes["loan_id"], OPTIONS)
	assert 100 < figures["drawn_month"]["12"]["loans"] < is_test.sum()
	alive = panel[panel["month"].eq("2018-01-01") & panel["days_past_due"].eq(0)]
	_, is_test = split_loans(alive["loan_id"], OPTIONS)
	assert figures["by_landmark"]["2018-01"]["loans"] == is_test.sum()


def test_months_whose_year_has_not_passed_are_not_judged(figures, fitted, known_world):
	panel, outcomes = known_world
	early = panel[panel["month"] <= "2018-01-01"]
	assert judge_hazard(fitted, early, outcomes, OPTIONS)["drawn_month"]["12"] == (figures["drawn_month"]["12"])


def test_a_model_that_is_wrong_by_half_is_found_out(fitted, known_world):
	doubled = fitted.model_copy(
		update={
			"bands": tuple(
				b.model_copy(update={"shift": b.shift + np.log(2)}) if b.cause == "default" else b for b in fitted.bands
			)
		}
	)
	found = judge_hazard(doubled, *known_world, OPTIONS)["drawn_month"]["12"]
	assert found["ece"] > found["ece_perfect_high"]
	assert fit_hazard(*known_world, OPTIONS) == fitted
