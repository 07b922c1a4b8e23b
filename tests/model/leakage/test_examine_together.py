"""Small portfolios of a few columns, and what the gate says of each."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES
from loantap.model.leakage.additive import BORROWER, cross_fit
from loantap.model.leakage.expected import Z, add_strengths
from loantap.model.leakage.readings import YEAR, fold_by_content, read, read_columns
from loantap.model.leakage.together import examine_together
from tests.model.leakage.limits import OPTIONS

LOANS = 1_500


def make(seed=1, price=0.8, **effects):
  """Loans priced by their risk, and columns that tell as much more as is said of each."""
  rng = np.random.default_rng(seed)
  drawn = {n: rng.normal(size=LOANS) for n in ("interest_rate_pct", "dti_pct", "open_accounts", "annual_income")}
  logit = price * drawn["interest_rate_pct"] - 1 + sum(by * drawn[n] for n, by in effects.items())
  loans = pd.DataFrame(drawn).assign(is_charged_off=(rng.random(LOANS) < expit(logit)).astype(int))
  return loans.assign(annual_income=np.exp(drawn["annual_income"]))


def look(loans, *names, caught=(), **changes):
  names = names or ("interest_rate_pct", "dti_pct", "open_accounts", "log_annual_income")
  options = OPTIONS.model_copy(update=changes)
  joint = examine_together(loans, build_features(loans, names), {n: n in caught for n in names}, options)
  return {f: [e.test for e in found] for f, found in joint.evidence.items()}, joint


def refit(loans, *names):
  """The model that the gate fits first."""
  readings = read_columns(loans, build_features(loans, names), names)
  target = loans["is_charged_off"].to_numpy()
  folds = fold_by_content(readings, target, 5)
  if "issue_month" in loans:
    readings[YEAR] = read(loans["issue_month"].dt.year.astype("str"), YEAR)
  return cross_fit(readings, target, folds)


def test_honest_columns_are_not_blamed_and_their_sets_are_judged():
  found, joint = look(make())

  assert found == {}
  assert [s["feature_set"] for s in joint.sets] == ["lending", "application"]


PAIR = ("interest_rate_pct", "dti_pct")


def test_a_column_may_add_a_hundredth_beside_a_price_and_what_a_score_adds_without():
  loans = make(dti_pct=0.8)
  model = refit(loans, *PAIR)
  gain, alone = model.gain_of("dti_pct"), model.before("dti_pct").area.value
  found, joint = look(loans, *PAIR)

  assert found == {"dti_pct": ["refreshed"]}
  [evidence] = joint.evidence["dti_pct"]
  figures = {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": 0.01}
  assert evidence.figures == pytest.approx(figures)
  for most, told in ((gain.at_least(Z), {}), (gain.at_least(Z) - 1e-9, found)):
    assert look(loans, *PAIR, max_added_auc=most, max_borrower_auc=0.5)[0] == told
  scored = look(loans, *PAIR, expected_auc={"dti_pct": 0.6})[1].evidence["dti_pct"][0]
  assert scored.figures["auc_added_allowed"] == pytest.approx(0.01 + add_strengths(alone, 0.6) - alone)
  # Without a price all may add as much as they are expected to tell.
  unpriced = make(price=0, dti_pct=1.2)
  others = max(refit(unpriced, *PAIR).before("dti_pct").area.value, 0.5)
  allowed = look(unpriced, *PAIR)[1].evidence["dti_pct"][0].figures["auc_added_allowed"]
  assert allowed == pytest.approx(0.01 + add_strengths(others, 0.605) - others)


def test_the_column_that_adds_most_is_taken_out_before_the_others_are_asked():
  assert look(make(dti_pct=1.2, open_accounts=0.8))[0] == {"dti_pct": ["refreshed"], "open_accounts": ["refreshed"]}
  # In its absence the other tells nothing: it is the same with noise.
  loans = make(dti_pct=1.0)
  noise = np.random.default_rng(3).normal(size=LOANS)
  loans = loans.assign(open_accounts=loans["dti_pct"] + 2 * noise, dti_pct=loans["dti_pct"] + 0.1 * noise)

  assert "dti_pct" in look(loans)[0]


def test_what_was_caught_alone_is_named_if_it_adds_something_and_taken_out():
  loans = make(dti_pct=0.8)
  told, _ = look(loans, caught=("dti_pct",))
  innocent, _ = look(loans, caught=("open_accounts",))

  assert (told, innocent) == ({"dti_pct": ["refreshed"]}, {"dti_pct": ["refreshed"]})
  # What is not lent on is asked if it is known at the decision and was not caught.
  owned = make().assign(home_ownership=lambda t: np.where(t["is_charged_off"], "RENT", "OWN"))
  names = ("interest_rate_pct", "home_ownership")
  assert look(owned, *names)[0] == {"home_ownership": ["category"]}
  assert look(owned, *names, caught=("home_ownership",))[0] == {}
  listed = owned.rename(columns={"home_ownership": "listing_status"})
  assert look(listed, "interest_rate_pct", "listing_status")[0] == {}


@pytest.mark.parametrize("outcome", [0, 1])
def test_of_50_loans_of_either_outcome_something_is_told(outcome):
  loans = make(price=0)

  def few(lost):
    hit = np.arange(LOANS) < lost
    return look(loans.assign(is_charged_off=np.where(hit, 1 - outcome, outcome)))[1].sets

  assert (few(49), len(few(50))) == ([], 2)


def test_the_instalment_goes_with_a_rate_that_was_rewritten():
  loans = make(interest_rate_pct=2).assign(instalment=lambda t: t["interest_rate_pct"] * 30 + 500)
  found, joint = look(
    loans, "interest_rate_pct", "instalment_to_income", "dti_pct", caught=("interest_rate_pct",), max_added_auc=0.005
  )

  assert [s["auc"] < 0.6 for s in joint.sets] == [True, True]
  assert "instalment_to_income" not in found


def test_broken_arithmetic_goes_before_what_it_adds():
  loans = make().assign(sub_grade="B4", issue_month=pd.Timestamp("2014-03-01"), interest_rate_pct=12.0)
  hit = loans["is_charged_off"].eq(1) & (loans.index % 3 == 0)
  found, joint = look(loans.assign(interest_rate_pct=12.0 + 2 * hit), "interest_rate_pct", "dti_pct", "open_accounts")

  assert found == {"interest_rate_pct": ["arithmetic"]}
  assert joint.evidence["interest_rate_pct"][0].figures["exceptions"] == hit.sum()


def test_two_columns_that_tell_by_each_other_are_named_together_and_a_slice_is_none():
  rng = np.random.default_rng(4)
  loans = make()
  year = pd.Series(rng.integers(0, 2, LOANS))
  loans["issue_month"] = pd.to_datetime((2013 + year).astype(str) + "-05-01")

  def put(same):
    flip = np.where(same, 1.3, -1.3) + 1.2 * loans["interest_rate_pct"] - 1
    return loans.assign(is_charged_off=(rng.random(LOANS) < expit(flip)).astype(int))

  pair = put((loans["dti_pct"] > 0) == (loans["open_accounts"] > 0))
  found, joint = look(pair)
  assert found == {"dti_pct": ["combination"], "open_accounts": ["combination"]}
  figures = joint.evidence["dti_pct"][0].figures
  assert figures["auc_added"] > figures["auc_added_at_least"] > 0.02
  other = look(pair, max_added_auc=figures["auc_added_at_least"])[1].evidence["dti_pct"]
  assert all("no column" in evidence.statement for evidence in other)  # of the sets, no more of the pair
  found, joint = look(put((loans["dti_pct"] > 0) == (year > 0)))
  assert found == {"dti_pct": ["slice"]}
  assert "dti_pct by issue year adds" in joint.evidence["dti_pct"][0].statement


def test_the_borrowers_columns_may_add_little_to_an_offer_all_together():
  loans = make(dti_pct=0.4, open_accounts=0.4, annual_income=0.1)
  names = ("interest_rate_pct", "dti_pct", "open_accounts", "log_annual_income")
  model, lenient = refit(loans, *names), {"max_added_auc": 0.5}
  gain = model.gain_of(BORROWER)
  found, joint = look(loans, *names, **lenient, max_borrower_auc=0.001)

  # Income adds next to nothing: less than three tenths of the most.
  assert found == {"dti_pct": ["refreshed"], "open_accounts": ["refreshed"]}
  figures = {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": 0.001}
  assert joint.evidence["dti_pct"][0].figures == pytest.approx(figures)
  assert look(loans, *names, **lenient, max_borrower_auc=gain.at_least(Z))[0] == {}
  # A score adds by itself what is expected of it.
  assert look(loans, *names, **lenient, max_borrower_auc=0.001, expected_auc={"dti_pct": 0.75})[0] == {}
  unpriced = make(price=0, dti_pct=0.4, open_accounts=0.4)
  assert look(unpriced, *names, **lenient, max_borrower_auc=0.001)[0] == {}


def test_two_columns_of_the_same_thing_are_judged_together():
  loans = make(seed=2, dti_pct=0.6)
  same = loans.assign(annual_income=np.exp(loans["dti_pct"] + 0.05 * np.random.default_rng(6).normal(size=LOANS)))
  names = ("interest_rate_pct", "dti_pct", "log_annual_income")
  gain = refit(same, *names).gain_of("annual_income and dti_pct")
  found, joint = look(same, *names, max_borrower_auc=0.5)

  assert found == {"dti_pct": ["refreshed"], "log_annual_income": ["refreshed"]}
  figures = {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": 0.015}
  assert joint.evidence["dti_pct"][0].figures == pytest.approx(figures)
  assert look(same, *names, max_borrower_auc=0.5, expected_auc={"dti_pct": 0.72})[0] == {}
  assert FEATURES["log_annual_income"].uses == ("annual_income",)
