"""Nodes of the `insights` pipeline about offers."""

import pandas as pd

from loantap.model.scoring.judged import JudgedModel
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.decisions import make_decider
from loantap.policy.money.scenarios import Economics
from loantap.policy.offers.concentration import measure_portfolio
from loantap.policy.offers.counterfactuals import estimate_counterfactuals as estimate
from loantap.policy.offers.options import OffersOptions
from loantap.policy.offers.products import tabulate_products as tabulate


def tabulate_products(
    loans: pd.DataFrame, judged: JudgedModel, policy: CreditPolicy, economics: Economics, options: OffersOptions
) -> pd.DataFrame:
    """Which amount, term and rate each segment would be offered, and what that earns."""
    return tabulate(loans, judged.lifetime_predictions, options, make_decider(policy, economics))


def estimate_counterfactuals(loans: pd.DataFrame, options: OffersOptions) -> pd.DataFrame:
    """Odds ratios of default by term and amount, before and after the grade is known."""
    return estimate(loans, options)


def measure_concentration(
    loans: pd.DataFrame, judged: JudgedModel, policy: CreditPolicy, economics: Economics, options: OffersOptions
) -> pd.DataFrame:
    """Share of principal and of expected loss by state, held against the limit of the policy."""
    return measure_portfolio(
        loans,
        judged.lifetime_predictions,
        policy.find_scenario(economics),
        policy.targets.max_concentration,
        options.concentration,
    )
