"""Instalments, decisions and NPV, month by month: no annuity formula."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from loantap.validation.check import Check, Material, compare

_CENT = (0.01, "a cent")


def instalment(amount: Any, rate_pct: Any, months: Any) -> Any:
  """EMI: P r (1 + r)^n / ((1 + r)^n - 1), r a twelfth of the yearly rate; P / n at rate 0."""
  rate = np.where(rate_pct == 0, np.nan, rate_pct / 1_200)
  growth = (1 + rate) ** months
  return np.where(rate_pct == 0, amount / months, amount * rate * growth / (growth - 1))


def value_outcomes(rows: pd.DataFrame, scenario: Mapping[str, float], as_of: str = "") -> list[Any]:
  """NPV of loans if paid back, at the latest `as_of`, and if charged off."""
  amount, rate, term = (rows[name].to_numpy() for name in ("loan_amount", "interest_rate_pct", "term_months"))
  paid = np.maximum(np.rint(scenario["paid_share_of_term"] * term), 1)
  if as_of:
    day, issued = pd.Timestamp(as_of), rows["issue_month"].dt
    paid = np.minimum(paid, np.maximum(12 * (day.year - issued.year) + day.month - issued.month, 1))
  stops, emi, found = np.rint(scenario["default_at_share_of_term"] * term), instalment(amount, rate, term), []
  for months, share in ((paid, 1), (stops, 1 - scenario["loss_given_default"])):
    owed, value = amount, (months == 0) * share * amount - amount * (1 + scenario["origination_cost_share"])
    for month in range(1, int(term.max()) + 1):
      owed = owed * (1 + rate / 1_200) - emi
      received = (months >= month) * emi + (months == month) * share * owed
      value = value + received / (1 + scenario["cost_of_funds_pct"] / 1_200) ** month
    found.append(value)
  return found


def expect(rows: pd.DataFrame, scenario: Mapping[str, float]) -> Any:
  """Expected NPV per unit lent."""
  paid, lost = value_outcomes(rows, scenario)
  return (paid + (lost - paid) * rows["probability_of_default"]) / rows["loan_amount"]


def approve(rows: pd.DataFrame, rules: Mapping[str, float], scenario: Mapping[str, float]) -> Any:
  """Whom the policy approves without a person."""
  pd_, is_small = rows["probability_of_default"], rows["loan_amount"] <= rules["max_loan_amount"]
  excess = expect(rows, scenario) - rules["min_margin"] - rules["default_price"] * pd_
  return (excess > rules["review_margin"]) & (pd_ <= rules["max_probability_of_default"]) & is_small


def check_instalments(given: Material) -> Iterator[Check]:
  """Raw instalments that are not the EMI, and the list of them."""
  loans = given.raw.loc[given.files["predictions.parquet"]["loan_id"].unique()]
  off = loans["instalment"] - instalment(loans["loan_amount"], loans["interest_rate_pct"], loans["term_months"])
  listed = given.files["instalment_exceptions.parquet"].set_index("loan_id")["difference"].reindex(off.index)
  yield compare("listed as off the EMI", len(off), listed.fillna(0), off.where(off.abs() > 0.05, 0), *_CENT)


def check_decisions(given: Material) -> Iterator[Check]:
  """Approvals and defaults under the policy in force."""
  scenario = given.below(f"economics.scenarios.{given.parameters['policy.scenario']}.")
  for block in given.files["fairness.json"]["models"].get(given.facts["namespace"], {"approvals": []})["approvals"]:
    rows = given.sample(block["sample"])
    outcomes = rows.loc[approve(rows, given.below("policy.rules."), scenario), "is_charged_off"]
    n = len(outcomes)
    for name, hits, of in (("approval_rate", n, len(rows)), ("default_rate_approved", int(outcomes.sum()), n)):
      bounds = binomtest(hits, of).proportion_ci(method="wilson") if of else (np.nan, np.nan)
      for end, value in zip(("", "_low", "_high"), (hits / of if of else np.nan, *bounds), strict=True):
        yield compare(f"{block['sample']}: {name}{end}", of, block[name + end], value)


def check_money(given: Material) -> Iterator[Check]:
  """NPV imputed to each loan, and per application where a loan is approved if NPV is expected of it."""
  outcomes = given.files["predictions.parquet"].groupby("loan_id")["is_charged_off"].first()
  loans = given.raw.join(given.files["imputed_profits.parquet"].set_index("loan_id")).loc[outcomes.index]
  compared = given.files["policy_comparison.parquet"].query("policy == 'npv'")
  for (scenario, life), told in compared.groupby(["scenario", "paid_life"]):
    assumed, name = given.below(f"economics.scenarios.{scenario}."), f"{scenario}, {life}"
    as_of = given.parameters["economics.outcomes_as_of"] if life == "capped" else ""
    paid, lost = value_outcomes(loans, assumed, as_of)
    earned = pd.Series(np.where(outcomes == 1, lost, paid), outcomes.index)
    yield compare(f"{name}: NPV", len(loans), loans[f"npv_{scenario}_{life}"], earned, *_CENT)
    for sample, profit in told[["sample", "profit"]].itertuples(index=False):
      rows = given.sample(sample)
      value = (rows["loan_id"].map(earned) * (expect(rows, assumed) > 0)).mean()
      yield compare(f"{sample}, {name}: per application", len(rows), profit, value, *_CENT)
