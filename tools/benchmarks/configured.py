"""Models, options and loans that benchmarks share."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from loantap.features.build import build_features
from loantap.model.leakage.options import LeakageOptions
from loantap.model.scoring.scorer import Scorer
from loantap.model.scoring.trained import make_trained_model
from loantap.model.training.options import Balancing, TrainingOptions
from loantap.model.training.train import feature_names, train_logistic
from loantap.policy.credit_policy import CreditPolicy
from loantap.policy.money.cash_flows import Economics
from loantap.policy.options import ComparisonOptions, OffersOptions, ScoringOptions
from loantap.portfolio.cleaning import mark_outcome
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from loantap.surveillance.options import EarlyWarningOptions


def simulate_loans(number: int, seed: int) -> pd.DataFrame:
	"""So many, typed."""
	return render(simulate_portfolio(number, seed=seed).portfolio, portfolio_columns())


_CONF = Path(__file__).parents[2] / "conf/base"
_DAY = {"as_of": "2026-11-23"}
_LOANS = 10_000


def read_options(model: str) -> TrainingOptions:
	"""Options of one model, as `kedro run` reads them."""
	return TrainingOptions(**_read("modeling")[model])


def read_leakage() -> LeakageOptions:
	"""The limits of the leakage gate."""
	given = _read("feature_engineering")["leakage"]
	return LeakageOptions.model_validate(given)


def read_economics() -> Economics:
	"""The scenarios, with the month up to which outcomes were observed."""
	splits = _read("feature_engineering")["split"]["out_of_time"]
	observed = {"outcomes_as_of": splits["outcomes_as_of"]}
	return Economics.model_validate(_read("economics") | observed)


def read_policy() -> tuple[CreditPolicy, Economics]:
	"""The credit policy, and its scenarios."""
	return CreditPolicy.model_validate(_read("policy")), read_economics()


def read_comparison() -> ComparisonOptions:
	"""The policies that are compared."""
	return ComparisonOptions.model_validate(_read("insights")["comparison"])


def read_offers() -> OffersOptions:
	"""What may be offered."""
	return OffersOptions.model_validate(_read("offers") | _DAY)


def read_scoring() -> ScoringOptions:
	"""How is scored."""
	return ScoringOptions.model_validate(_read("scoring") | _DAY)


def read_early_warning() -> EarlyWarningOptions:
	"""What is watched, and how."""
	group = _read("early_warning")
	caps = {"limits": _read("offers")["affordability"]}
	return EarlyWarningOptions.model_validate(group | _DAY | {"help": group["help"] | caps})


@cache
def make_scorer(model: str = "lending") -> Scorer:
	"""Trained on simulated loans in seconds: the first candidate of the grid."""
	first = {"balancing": (Balancing.NONE,), "l1_ratios": (0,), "inverse_penalties": (1.0,)}
	options = read_options(model).model_copy(update=first | {"folds": 3})
	loans = simulate_portfolio(_LOANS, seed=1).portfolio
	features = build_features(loans, feature_names(options))
	rows = features.assign(
		loan_id=pd.Series(range(_LOANS)).astype("str"), is_charged_off=mark_outcome(loans["loan_status"])
	)
	trained = make_trained_model(train_logistic(rows, options), features, "simulated", options)
	return Scorer(trained, f"loantap-{model}-demo", "1")


def _read(group: str) -> dict[str, Any]:
	text = (_CONF / f"parameters_{group}.yml").read_text()
	parameters: dict[str, Any] = yaml.safe_load(text.replace("${runtime_params:seed,42}", "42"))
	return dict(parameters[group])
