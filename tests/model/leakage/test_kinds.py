import numpy as np
import pandas as pd
import pytest

from loantap.features.build import MISSING, build_features
from loantap.features.definitions import FEATURES
from loantap.model.leakage.evidence import make_context
from loantap.model.leakage.gate import examine_feature
from loantap.model.leakage.statistics import bin_values, explained_share, group_outcomes, measure_group_excess
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.loantap_format import split_address
from loantap.simulator import simulate_portfolio
from tests.model.leakage.limits import OPTIONS, examine, examine_among, verdicts

HONEST = ("sub_grade_rank", "interest_rate_pct", "dti_pct", "loan_to_income", "term_months")


@pytest.fixture(params=["simulated", "real"])
def loans(request):
  return request.getfixturevalue(f"{request.param}_loans")


def target_mean(loans, column):
  """Default rate of the loans that share a value, each loan's own outcome included."""
  return loans.groupby(column)["is_charged_off"].transform("mean").rename("dti_pct")


def leave_one_out(loans, column):
  """Default rate of the *other* loans that share a value."""
  grouped = loans.groupby(column)["is_charged_off"]
  others = grouped.transform("size") - 1
  mean = (grouped.transform("sum") - loans["is_charged_off"]) / others.where(others > 0)
  return mean.rename("dti_pct")


def test_a_target_mean_made_in_sample_is_caught_where_its_area_would_let_it_pass(loans):
  finding = examine_among(target_mean(loans, "earliest_credit_line"), loans)

  assert finding.auc < OPTIONS.max_auc
  assert verdicts(finding) == {"computed_from_outcomes": "caught"}
  assert "same earliest_credit_line" in finding.reasons[0]


@pytest.mark.parametrize("column", ["profession", "earliest_credit_line"])
def test_a_leave_one_out_mean_is_caught_though_alone_it_tells_little(column, loans):
  finding = examine_among(leave_one_out(loans, column), loans)

  assert finding.auc < 0.7
  assert verdicts(finding)["computed_from_outcomes"] == "caught"


def test_smoothing_and_noise_do_not_hide_a_target_mean(loans):
  rng = np.random.default_rng(1)
  grouped = loans.groupby("earliest_credit_line")["is_charged_off"]
  smoothed = (grouped.transform("sum") + 2) / (grouped.transform("size") + 10)
  noisy = (smoothed + rng.normal(0, 0.02, len(loans))).rename("dti_pct")

  finding = examine_among(noisy, loans)

  assert verdicts(finding)["computed_from_outcomes"] == "caught"


def test_a_mean_over_other_loans_than_those_it_is_used_on_passes(loans):
  earlier = np.random.default_rng(2).random(len(loans)) < 0.5
  rates = loans[earlier].groupby("earliest_credit_line")["is_charged_off"].mean()
  later = loans[~earlier]
  encoded = later["earliest_credit_line"].map(rates).rename("dti_pct")

  assert verdicts(examine_among(encoded, later)) == {}


# In pairs of loans with independent outcomes, a mean of two holds half of either's variance.
def test_the_excess_over_pairs_is_half_the_variance():
  rng = np.random.default_rng(4)
  target = pd.Series(rng.random(20_000) < 0.5).astype("int8")
  pairs = np.repeat(np.arange(10_000), 2)
  mean = target.groupby(pairs).transform("mean").to_numpy()

  excess = measure_group_excess(mean, group_outcomes(pairs, target))

  assert excess.share == pytest.approx(0.5, abs=0.02)
  assert excess.loans == 20_000


def test_a_true_group_effect_known_from_outside_is_no_excess():
  rng = np.random.default_rng(5)
  groups = np.repeat(np.arange(4_000), 5)
  risk = rng.uniform(0.02, 0.6, 4_000)[groups]
  target = pd.Series(rng.random(20_000) < risk).astype("int8")

  excess = measure_group_excess(risk, group_outcomes(groups, target))

  assert abs(excess.z) < 3


@pytest.mark.parametrize("groups", [np.arange(100), np.arange(100) // 4, np.full(100, -1)])
def test_singles_few_groups_or_none_tell_nothing(groups):
  target = pd.Series([0, 1] * 50)

  assert group_outcomes(groups, target) is None


@pytest.mark.parametrize(
  ("name", "said"),
  [
    ("mortgage_accounts_is_missing", "its values mark a vintage: 99%"),
    ("mortgage_accounts", "its missing values mark a vintage: 99%"),
  ],
  ids=["a flag", "a category"],
)
def test_values_that_mark_missing_mortgage_accounts_are_caught(name, said, real_loans):
  accounts = real_loans["mortgage_accounts"]
  category = accounts.gt(0).map({True: "some", False: "none"}).mask(accounts.isna(), MISSING)
  values = category if name == "mortgage_accounts" else accounts.isna().astype("float64")

  finding = examine_among(values.rename(name), real_loans)

  assert verdicts(finding) == {"vintage": "caught"}
  assert said in finding.reasons[0]


def test_missing_numbers_that_a_model_imputes_are_a_warning(loans):
  values = build_features(loans, ["mortgage_accounts"])["mortgage_accounts"]

  finding = examine_among(values, loans)

  assert verdicts(finding) == {"vintage": "warned"}
  assert not finding.caught
  assert "its missing values mark a vintage" in finding.warnings[0]


def test_values_missing_here_and_there_pass(loans):
  hit = np.random.default_rng(6).random(len(loans)) < 0.3

  assert verdicts(examine_among(loans["dti_pct"].mask(hit), loans)) == {}


def test_one_loan_a_month_says_nothing_of_vintages():
  values = np.array([0.0, 1.0, 0.0, 1.0])

  assert explained_share(values, np.arange(4)) == 0.0


@pytest.fixture
def settled(simulated_loans):
  """Loans whose source row was last changed when they were settled."""
  days = np.random.default_rng(7).integers(90, 1_000, len(simulated_loans))
  changed = simulated_loans["issue_month"] + pd.to_timedelta(days, unit="D")
  return simulated_loans.assign(updated_at=changed)


def test_a_value_overwritten_at_settlement_is_caught(settled):
  months_on_book = (settled["updated_at"] - settled["issue_month"]).dt.days / 30
  refreshed = (settled["dti_pct"] + months_on_book).rename("dti_pct")

  finding = examine_among(refreshed, settled)

  assert verdicts(finding) == {"outcome_date": "caught"}
  assert "of the variance of updated_at" in finding.reasons[0]


def test_values_as_of_the_decision_pass(settled):
  features = build_features(settled, HONEST)

  assert [verdicts(examine_among(features[name], settled)) for name in HONEST] == [{}] * 5


def test_one_day_of_extraction_for_all_loans_says_nothing(simulated_loans):
  loans = simulated_loans.assign(updated_at=pd.Timestamp("2026-11-23"))

  assert make_context(loans, OPTIONS).lags == {}


def test_an_honest_category_is_not_remembered(loans):
  for name in ("purpose", "sub_grade", "state"):
    assert "memorised" not in verdicts(examine_among(loans[name], loans))


def test_a_number_of_its_own_for_each_loan_is_remembered(loans):
  assert verdicts(examine(loans["loan_id"], loans["is_charged_off"])) == {"memorised": "caught"}


def test_few_loans_prove_no_memory(simulated_loans):
  few = simulated_loans.head(60)

  assert "memorised" not in verdicts(examine(few["purpose"], few["is_charged_off"]))


@pytest.mark.parametrize("seed", range(2))
def test_honest_features_raise_no_alarm_in_one_simulated_portfolio_after_another(seed):
  rows = simulate_portfolio(3_000, seed=1_000 + seed).portfolio
  loans = rows.assign(is_charged_off=mark_outcome(rows["loan_status"]), **split_address(rows["address"]))
  known = [name for name, f in FEATURES.items() if f.known_at_decision and name != "pincode"]
  features, context = build_features(loans, known), make_context(loans, OPTIONS)

  caught = [n for n in known if examine_feature(features[n], context, OPTIONS).caught]

  assert caught == []


def test_bins_hold_missing_values_apart():
  bins = bin_values(pd.Series([2.0, np.nan, 1.0, 2.0]))

  assert bins.labels == ("1.0", "2.0", MISSING)
  assert bins.codes.tolist() == [1, 2, 0, 1]
