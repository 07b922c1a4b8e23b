"""Scorers for measuring: either kind of model, trained on simulated loans in seconds."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from loantap.features.build import build_features
from loantap.model.scoring.scorer import Scorer
from loantap.model.scoring.trained import make_trained_model
from loantap.model.training.candidate import Balancing
from loantap.model.training.train import feature_names, train_challenger, train_logistic
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.money.scenarios import Economics
from loantap.policy.options import ScoringOptions
from loantap.portfolio.cleaning import mark_outcome
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.configured import read_options

KINDS = ("logistic", "boosting")
_LOANS = 10_000
_CONF = Path(__file__).parents[2] / "conf/base"


@cache
def make_scorer(kind: str, model: str = "lending") -> Scorer:
    """A scorer of a model: the first candidate of the grid, or the challenger as configured."""
    options = read_options(model).model_copy(
        update={
            "balancing": (Balancing.NONE,),
            "l1_ratios": (0,),
            "inverse_penalties": (1.0,),
            "folds": 3,
        }
    )
    loans = simulate_portfolio(_LOANS, seed=1).portfolio
    features = build_features(loans, feature_names(options))
    rows = features.assign(
        loan_id=pd.Series(range(_LOANS)).astype("str"),
        is_charged_off=mark_outcome(loans["loan_status"]),
    )
    train = train_logistic if kind == "logistic" else train_challenger
    trained = make_trained_model(train(rows, options), features, "simulated", options)
    return Scorer(trained, f"loantap-{model}-demo", "1")


def read_scoring_options() -> ScoringOptions:
    """Options of the configuration, on a fixed day."""
    return ScoringOptions.model_validate(_read_group("scoring") | {"as_of": "2026-11-23"})


def read_policy() -> tuple[CreditPolicy, Economics]:
    """The credit policy of the configuration, and the scenarios it rests on."""
    economics = _read_group("economics") | {"outcomes_as_of": "2017-03-01"}
    policy = CreditPolicy.model_validate(_read_group("policy"))
    return policy, Economics.model_validate(economics)


def _read_group(name: str) -> dict[str, Any]:
    group: dict[str, Any] = yaml.safe_load((_CONF / f"parameters_{name}.yml").read_text())[name]
    return group
