import numpy as np
import pandas as pd
import pytest

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.model.leakage.findings import LeakageError, require_no_leak
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.leakage.last_training import LastTraining
from tests.model.leakage.limits import OPTIONS
from tools.leakage.honest import SCORE_FEATURES, put_score, redraw, resample, simulate
from tools.leakage.plants import PLANTS

KNOWN = (
	*FEATURE_SETS["lending"].features,
	"home_ownership",
	"application_type",
	"credit_history_years",
	"mortgage_accounts",
	"has_mortgage",
)
ALL = OPTIONS.model_copy(update={"impact_loans": 20_000})
# One of each kind, and what is said of it.
SHOWN = {
	"employment_years with dti_pct, in 35%": ("combination", "dti_pct and employment_years together adds"),
	"income x0.8 and DTI with it in 50%": ("refreshed", "both together: annual_income and dti_pct add"),
	"open_accounts x0.5 +0 in 60%": ("refreshed", "open_accounts tells what no other column knows"),
	"dti_pct in 60 months": ("slice", "in term_months over 36 dti_pct adds"),
	"employment_years, 30% against 5%": ("missing", "is missing in 3"),
	"purpose moving, 20% against 2%": ("category", "purpose 'moving' holds"),
	"instalment halved in 25%": ("arithmetic", "instalment is not the EMI of amount, rate and term"),
	"downgraded by 5 in 50%": ("strength", "a column of this name honestly reaches about 0.700"),
}


def examine(loans, options=ALL):
	is_train = pd.Series(np.arange(len(loans)) % 10 > 0, index=loans.index)
	report = examine_portfolio(loans, build_features(loans, KNOWN), is_train, options)
	return report, {
		(name, entry["feature"]): entry
		for entry in report["features"]
		if entry["caught"]
		for name, test in entry["tests"].items()
		if test["verdict"] == "caught"
	}


@pytest.fixture(scope="module")
def base():
	return simulate(5_000, 11)


def named(name):
	return next(plant for plant in PLANTS if plant.name == name)


@pytest.mark.parametrize("name", SHOWN)
def test_each_kind_is_caught_by_its_name_and_told(name, base):
	kind, said = SHOWN[name]
	report, found = examine(named(name).put_into(base))

	told = [entry for (test, _), entry in found.items() if test == kind]
	assert told
	assert any(said in reason for entry in told for reason in entry["reasons"])
	with pytest.raises(LeakageError, match=r"lending.*Ask the source"):
		require_no_leak(FEATURE_SETS["lending"], report)


# `make bench-gate` plants them all.
@pytest.mark.parametrize("plant", PLANTS[::3], ids=lambda plant: plant.name)
def test_planted_leaks_are_caught_on_real_loans(plant, real_loans):
	assert examine(plant.put_into(real_loans))[1]


@pytest.mark.parametrize("seed", range(3))
def test_honest_loans_raise_no_alarm(seed, real_loans):
	scored = ALL.model_copy(update={"expected_auc": dict.fromkeys(SCORE_FEATURES, 0.72)})
	redrawn = redraw(real_loans)
	for _ in range(seed + 1):
		drawn = next(redrawn)

	assert examine(drawn)[1] == examine(resample(real_loans, seed))[1] == {}
	assert examine(simulate(3_000, 70 + seed))[1] == {}
	assert examine(put_score(real_loans, 0.72, seed), scored)[1] == {}


@pytest.mark.parametrize(("seed", "grade"), [(77, "B"), (78, "C")])
def test_within_one_grade_an_honest_income_may_tell_what_the_price_does_not(seed, grade):
	loans = simulate(20_000, seed)

	assert examine(loans[loans["grade"] == grade].reset_index(drop=True))[1] == {}


def test_a_column_without_any_value_tells_nothing(base):
	assert examine(base.assign(bankruptcies=np.nan, employment_years=np.nan))[1] == {}


@pytest.mark.parametrize("by", [1.3, 0.7])
def test_an_amount_restructured_with_its_instalment_is_caught(by, real_loans):
	plant = named(f"amount x{by:g} and instalment with it in 50%")

	assert ("refreshed", "log_loan_amount") in examine(plant.put_into(real_loans))[1]


def test_loans_that_are_there_twice_count_once(base):
	twice = pd.concat([base, base], ignore_index=True)

	assert examine(twice)[1] == {}
	once, again = (examine(loans)[0]["checks"]["feature_sets"]["sets"] for loans in (base, twice))
	assert again[0]["n"] < len(base) * 1.01
	assert once[0]["n"] == len(base) * 0.9


def test_a_score_that_nobody_declared_is_an_alarm(base):
	tests = {test for test, _ in examine(put_score(base, 0.72, 1))[1]}

	assert {"strength", "refreshed"} <= tests


def test_a_leak_since_the_last_training_is_caught_below_the_declared_strength(real_loans):
	def compare(loans, last=None):
		features = build_features(loans, ["dti_pct", "purpose", "pincode"])
		return examine_portfolio(loans, features, pd.Series(True, index=loans.index), OPTIONS, last)

	first = compare(real_loans)
	last = LastTraining.model_validate(first | {"target": {"name": "charged_off"}, "label": "champion 3"})
	hit = real_loans["is_charged_off"].eq(1) & (real_loans.index % 10 < 4)
	leaking = real_loans.assign(dti_pct=real_loans["dti_pct"] + 8 * hit)
	# Copies tell nothing new: with so few loans of their own the rise may be chance.
	copied = pd.concat([leaking[::4]] * 4, ignore_index=True)

	told = "{} of 3 features are much stronger than when champion 3 was trained"
	for loans, caught in ((real_loans, []), (leaking, ["dti_pct"]), (copied, [])):
		check = {"passed": not caught, "statement": told.format(len(caught)), "caught": caught}
		assert compare(loans, last)["checks"]["last_training"] == check
	assert first["checks"]["last_training"]["statement"].startswith("nothing to compare with: no champion")
