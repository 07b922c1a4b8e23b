import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from loantap.features.build import build_features
from loantap.features.definitions import FEATURE_SETS, FEATURES, Feature
from loantap.measures.metrics import bootstrap_bounds
from loantap.measures.threshold import find_best_threshold
from loantap.model.leakage import lineage
from loantap.model.leakage.borrowers import find_duplicate_borrowers
from loantap.model.leakage.findings import LeakageError, require_no_leak
from loantap.model.leakage.gate import examine_portfolio
from loantap.model.leakage.impact import estimate_metrics
from loantap.model.leakage.lineage import check_lineage, find_later_dates
from loantap.model.leakage.statistics import split_folds
from loantap.portfolio.errors import InputError
from tests.model.leakage.limits import OPTIONS

FEW = ["dti_pct", "sub_grade_rank", "credit_history_years", "mortgage_accounts", "pincode"]


def is_train(loans):
  return pd.Series(np.arange(len(loans)) % 10 > 0, index=loans.index)


def gate(loans, features=None, **changes):
  given = build_features(loans, FEW) if features is None else features
  options = OPTIONS.model_copy(update=changes)
  return examine_portfolio(loans, given, is_train(loans), options)


def entry(report, name):
  return next(e for e in report["features"] if e["feature"] == name)


@pytest.fixture(scope="module")
def report(real_loans):
  return gate(real_loans, build_features(real_loans), impact_loans=10_000)


def test_the_real_sample_passes_with_every_feature_that_is_lent_on(report):
  caught = {e["feature"] for e in report["features"] if e["caught"]}

  assert caught == {"pincode", "listing_status", "income_verification"}
  assert all(check["passed"] for check in report["checks"].values())
  for feature_set in FEATURE_SETS.values():
    require_no_leak(feature_set, report)


def test_missing_values_of_a_vintage_are_a_warning(report):
  warned = {e["feature"] for e in report["features"] if e["verdict"] == "warned"}

  assert warned == {"mortgage_accounts", "has_mortgage", "bankruptcies"}


def test_each_feature_comes_with_its_size_interval_and_tests(report):
  rate = entry(report, "interest_rate_pct")

  assert json.loads(json.dumps(report)) == report
  assert rate["n"] == 4_715
  assert rate["auc_low"] < rate["auc"] < rate["auc_high"] < OPTIONS.max_auc
  assert {t["verdict"] for t in rate["tests"].values()} == {"passed"}
  assert rate["tests"]["lineage"] == {"verdict": "passed"}


def test_the_job_title_is_audited_though_it_is_no_feature(report):
  audited = {e["feature"]: e for e in report["checks"]["audited_columns"]["columns"]}

  assert audited["profession"]["auc_in_sample"] > 0.96
  assert audited["profession"]["auc"] == pytest.approx(0.528, abs=0.04)
  assert audited["profession"]["caught"]
  assert not audited["sub_grade"]["caught"]


def test_the_pincode_makes_the_model_look_good_and_the_listing_status_does_nothing(report):
  impact = {record["feature"]: record for record in report["impact"]}
  pincode, listing = impact["pincode"], impact["listing_status"]

  assert pincode["n"] == pincode["drawn_from"] == 4_715
  assert pincode["with"]["roc_auc"] == pytest.approx(0.905, abs=0.01)
  assert pincode["without"]["roc_auc"] == pytest.approx(0.705, abs=0.01)
  assert pincode["difference"]["roc_auc_low"] > 0.17
  assert pincode["difference"]["log_loss_high"] < -0.15
  assert pincode["difference"]["f2_low"] > 0.1
  assert listing["difference"]["roc_auc_low"] < 0 < listing["difference"]["roc_auc_high"]


def test_what_its_own_columns_do_not_give_is_caught(simulated_loans):
  leaky = build_features(simulated_loans, FEW)
  leaky = leaky.assign(dti_pct=leaky["dti_pct"] + 0.2 * simulated_loans["is_charged_off"])

  report = gate(simulated_loans, leaky)

  found = entry(report, "dti_pct")
  assert found["auc"] < OPTIONS.max_auc
  assert found["reasons"][0].startswith("not what its own loan's dti_pct give: other values")
  assert not report["checks"]["lineage"]["passed"]
  with pytest.raises(LeakageError, match=r"dti_pct \(not what .* Build it in features/build"):
    require_no_leak(FEATURE_SETS["lending"], report)


def test_what_reads_a_column_it_does_not_declare_is_caught(simulated_loans, monkeypatch):
  values = build_features(simulated_loans, ["dti_pct"])["dti_pct"]
  understated = Feature("dti_pct", "DTI", ("loan_amount",))
  monkeypatch.setattr(lineage, "FEATURES", {**FEATURES, "dti_pct": understated})

  evidence = check_lineage(values, simulated_loans)

  assert evidence.verdict == "caught"
  assert evidence.statement == "reads column 'dti_pct', which it does not declare"


def test_what_is_not_declared_at_all_is_caught(simulated_loans):
  evidence = check_lineage(simulated_loans["dti_pct"].rename("my_dti"), simulated_loans)

  assert evidence.verdict == "caught"
  assert "not declared in features/definitions.py" in evidence.statement


def test_a_feature_that_is_not_declared_does_not_break_the_gate(simulated_loans):
  features = build_features(simulated_loans, FEW)

  report = gate(simulated_loans, features.assign(smuggled=simulated_loans["dti_pct"]))

  assert entry(report, "smuggled")["caught"]
  assert "smuggled" in report["checks"]["lineage"]["caught"]


def test_every_feature_comes_out_the_same_from_its_own_columns(simulated_loans):
  features = build_features(simulated_loans)

  assert [name for name in features if check_lineage(features[name], simulated_loans).verdict != "passed"] == []


def travel(loans, count):
  """Loans of which the first few opened their oldest credit line after they were issued."""
  line = loans["earliest_credit_line"].copy()
  line.iloc[:count] = loans["issue_month"].iloc[:count] + pd.DateOffset(months=3)
  return loans.assign(earliest_credit_line=line)


def test_many_dates_after_the_decision_are_caught_with_their_loans(simulated_loans):
  report = gate(travel(simulated_loans, 40))

  assert not report["checks"]["time_travel"]["passed"]
  found = entry(report, "credit_history_years")
  assert found["caught"]
  assert "earliest_credit_line in 40 of 4,000 loans (such as 00000, " in found["reasons"][0]
  assert "quarantine these loans" in found["remedies"][0]


def test_a_single_date_after_the_decision_is_a_warning(simulated_loans):
  report = gate(travel(simulated_loans, 1))

  assert report["checks"]["time_travel"]["passed"]
  assert entry(report, "credit_history_years")["verdict"] == "warned"


def test_a_later_date_that_no_feature_uses_is_reported(simulated_loans):
  loans = simulated_loans.assign(updated_at=pd.Timestamp("2026-11-23"))

  found = {f.column: f for f in find_later_dates(loans)}

  assert found["updated_at"].later == 4_000
  assert found["updated_at"].used_by == ()
  assert found["earliest_credit_line"].later == 0


def repeat(loans, count, **changes):
  """Loans with training loans repeated among the held-out ones, some columns changed."""
  known = loans.dropna(subset="profession")
  train, test = known[is_train(loans)[known.index]], known[~is_train(loans)[known.index]]
  copies = train.head(count).assign(**changes).set_index(test.head(count).index)
  return pd.concat([loans.drop(copies.index), copies]).sort_index()


def duplicates_of(loans):
  train = is_train(loans)
  folds = split_folds(loans.loc[train, "is_charged_off"], OPTIONS)
  duplicates = find_duplicate_borrowers(loans, train, folds, OPTIONS.borrower_keys)
  return duplicates.test_duplicates, duplicates.fold_duplicates


def test_honest_loans_have_no_duplicates(real_loans):
  assert duplicates_of(real_loans) == (0, 0)


@pytest.mark.parametrize(
  "changes",
  [{"loan_amount": 1_234.0, "pincode": "00000", "state": "XX"}, {"annual_income": 77_777.0, "total_accounts": 33.0}],
  ids=["an application sent twice", "a borrower who came back"],
)
def test_who_is_alike_in_one_of_the_keys_is_the_same_borrower(real_loans, changes):
  assert duplicates_of(repeat(real_loans, 9, **changes))[0] == 9


def test_too_many_duplicates_stop_a_set_for_lending_and_no_other(simulated_loans):
  report = gate(repeat(simulated_loans, 40))

  assert report["checks"]["borrowers"]["test_duplicates"] == 40
  with pytest.raises(LeakageError, match=r"40 of 400 held-out loans .*one side of the split"):
    require_no_leak(FEATURE_SETS["lending"], report)
  require_no_leak(FEATURE_SETS["benchmark"], report)


def test_an_identifier_goes_before_likeness(simulated_loans):
  borrower = pd.Series(np.arange(4_000) // 20, index=simulated_loans.index)

  assert duplicates_of(simulated_loans.assign(borrower_id=borrower)) == (400, 3_600)


def test_missing_values_make_no_duplicates(simulated_loans):
  blank = repeat(simulated_loans, 9).assign(profession=np.nan)

  assert duplicates_of(blank) == (0, 0)


@pytest.fixture(scope="module")
def scored():
  rng = np.random.default_rng(8)
  pd_ = rng.beta(2, 8, 6_000)
  return (rng.random(6_000) < pd_).astype(np.int64), pd_


def test_metrics_of_the_impact_are_those_of_the_library(scored):
  target, pd_ = scored

  figures = {name: e.value for name, e in estimate_metrics(target, pd_).items()}

  assert figures["roc_auc"] == pytest.approx(roc_auc_score(target, pd_), abs=1e-12)
  assert figures["log_loss"] == pytest.approx(log_loss(target, pd_), abs=1e-12)
  _, best = find_best_threshold(target, pd_)
  assert best - 0.01 < figures["f2"] <= best


def test_intervals_are_as_wide_as_those_of_a_bootstrap(scored):
  target, pd_ = scored
  declined = pd_ >= find_best_threshold(target, pd_)[0]
  low, high = bootstrap_bounds(target, pd_, declined, seed=1, resamples=400)

  for name in ("roc_auc", "f2"):
    bounds = estimate_metrics(target, pd_)[name].with_bounds(name)
    width = bounds[f"{name}_high"] - bounds[f"{name}_low"]
    assert width == pytest.approx(high[name] - low[name], rel=0.15)


def test_a_model_differs_from_itself_by_nothing(scored):
  estimates = estimate_metrics(*scored)

  for name, estimate in estimates.items():
    assert set(estimate.minus(estimate).with_bounds(name).values()) == {0.0}


def test_the_impact_is_measured_on_so_many_loans_and_no_more(simulated_loans):
  report = gate(simulated_loans)

  assert {r["feature"] for r in report["impact"]} == {"mortgage_accounts", "pincode"}
  assert {(r["n"], r["drawn_from"]) for r in report["impact"]} == {(2_000, 3_600)}


def test_outcomes_of_held_out_loans_are_not_looked_at(simulated_loans):
  outcome = simulated_loans["is_charged_off"]
  other = simulated_loans.assign(is_charged_off=outcome.where(is_train(simulated_loans), 1))

  assert gate(other) == gate(simulated_loans)


@pytest.mark.parametrize("outcome", [0, 1])
def test_training_loans_of_one_outcome_are_refused(simulated_loans, outcome):
  loans = simulated_loans.assign(is_charged_off=np.int8(outcome))

  with pytest.raises(InputError, match=r"of 3,600 were charged off: .* needs 5 of each"):
    gate(loans)
