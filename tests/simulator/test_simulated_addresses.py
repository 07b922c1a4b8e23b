import numpy as np
import pandas as pd
import pytest

CIVILIAN = r"\d{3,5} [A-Z]\w+ \w+(?: Apt\. \d{3}| Suite \d{3})?\r\n[A-Z][\w ]+, [A-Z]{2} \d{5}"
MILITARY = (
  r"(?:Unit \d{4} Box \d{4}|PSC \d{4}, Box \d{4}|US(?:CGC|NS|NV|S) \w+)"
  r"\r\n(?:APO|DPO|FPO) (?:AA|AE|AP) \d{5}"
)
# Loans per pincode in the full table of 396,030.
PUBLISHED_PINCODES = {
  "70466": 56_985,
  "30723": 56_546,
  "22690": 56_527,
  "48052": 55_917,
  "00813": 45_824,
  "29597": 45_471,
  "05113": 45_402,
  "11650": 11_226,
  "93700": 11_151,
  "86630": 10_981,
}
ONLY_CHARGED_OFF = ["11650", "86630", "93700"]
ONLY_FULLY_PAID = ["00813", "05113", "29597"]
SHARED = ["22690", "30723", "48052", "70466"]


@pytest.fixture(scope="module")
def default_by_pincode(portfolio):
  outcome = portfolio["loan_status"] == "Charged Off"
  return outcome.groupby(portfolio["address"].str[-5:]).agg(["mean", "size"])


def test_every_address_has_the_form_of_a_real_one(portfolio):
  assert portfolio["address"].str.fullmatch(f"{CIVILIAN}|{MILITARY}").all()


def test_one_address_in_ten_is_military(portfolio):
  share = portfolio["address"].str.fullmatch(MILITARY).mean()
  assert share == pytest.approx(0.105, abs=4 * np.sqrt(0.105 * 0.895 / len(portfolio)))


def test_pincodes_are_as_frequent_as_published(default_by_pincode):
  assert set(default_by_pincode.index) == set(PUBLISHED_PINCODES)
  published = pd.Series(PUBLISHED_PINCODES) / 396_030
  measured = default_by_pincode["size"].reindex(published.index)
  loans = measured.sum()
  error = np.sqrt(published * (1 - published) / loans)
  assert ((measured / loans - published).abs() < 4 * error).all()


def test_three_pincodes_hold_charged_off_loans_only_three_none_and_four_say_nothing(default_by_pincode):
  rates = default_by_pincode["mean"]
  assert (rates[ONLY_CHARGED_OFF] == 1).all()
  assert (rates[ONLY_FULLY_PAID] == 0).all()
  error = np.sqrt(0.196 * 0.804 / default_by_pincode.loc[SHARED, "size"])
  assert ((rates[SHARED] - 0.196).abs() < 4 * error).all()


def test_nothing_but_the_pincode_depends_on_the_outcome(portfolio):
  state = portfolio["address"].str[-8:-6]
  outcome = (portfolio["loan_status"] == "Charged Off").astype(float)
  table = outcome.groupby(state).agg(["mean", "size"])
  base = outcome.mean()
  statistic = (table["size"] * (table["mean"] - base) ** 2 / (base * (1 - base))).sum()
  # Chi-squared with 53 degrees of freedom: 0.1% lie above 91.
  assert statistic < 91
