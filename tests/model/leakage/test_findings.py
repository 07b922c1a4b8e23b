import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from loantap.features.build import MISSING, build_features
from loantap.features.definitions import FEATURE_SETS
from loantap.measures.auc import auc_standard_error
from loantap.model.leakage.findings import LeakageError, report_leakage, require_no_leak
from loantap.model.leakage.statistics import bin_values, find_implausible_categories, in_sample_auc
from tests.model.leakage.limits import OPTIONS, examine, verdicts

ALWAYS_LOST = {"11650", "86630", "93700"}


@pytest.fixture(params=["simulated", "real"])
def loans(request):
  return request.getfixturevalue(f"{request.param}_loans")


def scramble(values, share):
  rng = np.random.default_rng(1)
  hit = rng.random(len(values)) < share
  return values.mask(hit, pd.Series(rng.permutation(values.to_numpy()), index=values.index))


def test_the_pincode_is_found_with_the_categories_that_give_it_away(loans):
  finding = examine(loans["pincode"], loans["is_charged_off"])

  assert finding.caught
  assert finding.auc > 0.8
  assert {c["category"] for c in finding.categories} == ALWAYS_LOST
  assert "AUC 0." in finding.reasons[0]
  assert "11650 (100.0%)" in finding.reasons[1]


def test_the_pincode_is_found_when_5_percent_are_scrambled_and_no_category_is_pure(loans):
  scrambled = scramble(loans["pincode"], 0.05)
  rates = loans["is_charged_off"].groupby(scrambled).mean()
  assert 0 < rates.min() < rates.max() < 1

  finding = examine(scrambled, loans["is_charged_off"])

  assert finding.caught
  assert finding.auc > OPTIONS.max_auc
  assert {c["category"] for c in finding.categories} == ALWAYS_LOST


def test_the_pincode_is_found_by_its_categories_where_the_area_alone_would_let_it_pass(loans):
  lenient = OPTIONS.model_copy(update={"max_auc": 1.0})

  finding = examine(loans["pincode"], loans["is_charged_off"], lenient)

  assert finding.caught
  assert len(finding.reasons) == 1


@pytest.mark.parametrize(("feature", "auc"), [("interest_rate_pct", 0.688), ("sub_grade_rank", 0.695)])
def test_rate_and_sub_grade_pass_on_the_real_loans(feature, auc, real_loans):
  values = build_features(real_loans, [feature])[feature]

  finding = examine(values, real_loans["is_charged_off"])

  assert not finding.caught
  # Cross-fitted in 20 bins, hence a little below the AUC of the ranking itself.
  assert finding.auc == pytest.approx(auc, abs=0.015)


def test_thousands_of_rare_professions_tell_nothing_and_are_caught_for_being_remembered(real_loans):
  target, profession = real_loans["is_charged_off"], real_loans["profession"]
  in_sample = target.groupby(profession.fillna(MISSING)).transform("mean")

  finding = examine(profession, target)

  assert profession.nunique() > 2_000
  assert in_sample[target == 1].mean() - in_sample[target == 0].mean() > 0.5
  assert verdicts(finding) == {"memorised": "caught"}
  assert finding.auc_in_sample == pytest.approx(0.967, abs=0.02)
  assert finding.auc == pytest.approx(0.528, abs=0.03)


def flag(**counts):
  """Categories flagged with their p-values, each given as losses of loans."""
  groups, outcomes = [], []
  for name, (lost, loans) in counts.items():
    groups += [name] * loans
    outcomes += [1] * lost + [0] * (loans - lost)
  table = find_implausible_categories(bin_values(pd.Series(groups)), pd.Series(outcomes), OPTIONS)
  return dict(zip(table["category"], table["adjusted_p_value"], strict=True))


@pytest.mark.parametrize(
  ("run", "p_value"),
  [
    ((5, 5), None),
    # With a rate of 70% at most, 30 losses of 30 have a chance of .7^30; twice for either side,
    # and again twice for two categories.
    ((30, 30), 4 * 0.7**30),
    # With a rate of .5% at least, 2,000 repayments have a chance of .995^2000.
    ((0, 2_000), 4 * 0.995**2_000),
    ((0, 500), None),
    ((650, 1_000), None),  # risky, but possible
  ],
)
def test_only_a_long_run_of_losses_or_repayments_is_implausible(run, p_value):
  found = {} if p_value is None else {"run": pytest.approx(p_value, rel=1e-6)}

  assert flag(run=run, others=(190, 1_000)) == found


def test_numbers_are_binned_so_that_a_non_monotone_leak_is_found_as_well():
  rng = np.random.default_rng(3)
  values = pd.Series(rng.normal(size=3_000), name="deviation")
  target = (values.abs() > 1.3).astype("int8")

  finding = examine(values, target)

  assert finding.caught
  assert finding.auc > 0.95


def test_missing_values_that_give_the_outcome_away_are_found():
  rng = np.random.default_rng(4)
  target = pd.Series(rng.random(3_000) < 0.19).astype("int8")
  values = pd.Series(rng.normal(size=3_000), name="recoveries").where(target == 1)

  finding = examine(values, target)

  assert finding.caught
  assert MISSING in {c["category"] for c in finding.categories}


def test_what_is_unknown_when_the_loan_is_decided_is_caught_whatever_it_tells(simulated_loans):
  target = simulated_loans["is_charged_off"]

  finding = examine(simulated_loans["listing_status"], target)

  assert finding.auc == pytest.approx(0.5, abs=0.05)
  assert finding.reasons == ("not known, or not settled, when the loan is decided",)


def test_the_in_sample_area_is_that_of_the_default_rates_of_the_groups(simulated_loans):
  target, purpose = simulated_loans["is_charged_off"], simulated_loans["purpose"]
  rates = target.groupby(purpose).transform("mean")

  area = in_sample_auc(bin_values(purpose), target)

  assert area == pytest.approx(roc_auc_score(target, rates), abs=1e-12)


def test_the_gate_stops_lending_on_an_injected_leak_and_names_it(simulated_loans):
  target = simulated_loans["is_charged_off"]
  noise = np.random.default_rng(5).normal(size=len(target))
  leaky = build_features(simulated_loans, ["dti_pct", "purpose"]).assign(dti_pct=18 + 5 * target + noise)

  report = report_leakage([examine(leaky[name], target) for name in leaky])

  for name in ("lending", "application"):
    with pytest.raises(LeakageError, match=f"'{name}' uses .*: dti_pct .AUC 0.99") as stop:
      require_no_leak(FEATURE_SETS[name], report)
    assert "purpose" not in str(stop.value)


def test_a_handful_of_loans_proves_no_leak():
  # Sixty loans and an AUC well above the limit by luck: its interval still holds honest values.
  rng = np.random.default_rng(5)
  target = pd.Series(np.repeat([0, 1], [45, 15]))
  lucky = pd.Series(target * 1.1 + rng.normal(size=60), name="dti_pct")

  finding = examine(lucky, target)

  assert finding.auc > OPTIONS.max_auc - auc_standard_error(finding.auc, target)
  assert not finding.caught


def test_the_standard_error_of_an_auc_is_that_of_hanley_and_mcneil():
  # Their worked example: AUC .893 with 51 of 109 positive has a standard error of .032.
  target = pd.Series(np.repeat([0, 1], [58, 51]))

  assert auc_standard_error(0.893, target) == pytest.approx(0.032, abs=0.001)
