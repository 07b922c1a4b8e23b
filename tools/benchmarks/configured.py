"""The options a model is trained with and policies are compared under, read from `conf`."""

from pathlib import Path
from typing import Any

import yaml

from loantap.model.training.options import TrainingOptions
from loantap.policy.comparison.options import ComparisonOptions
from loantap.policy.money.scenarios import Economics
from loantap.policy.offers.options import OffersOptions
from loantap.surveillance.hazard.options import HazardOptions
from loantap.surveillance.panel.options import PanelOptions

_CONF = Path(__file__).parents[2] / "conf/base"


def read_options(model: str, seed: int = 42) -> TrainingOptions:
    """Options of one model, as `kedro run` reads them."""
    text = (_CONF / "parameters_modeling.yml").read_text()
    text = text.replace("${runtime_params:seed,42}", str(seed))
    return TrainingOptions(**yaml.safe_load(text)["modeling"][model])


def read_economics() -> Economics:
    """The scenarios, with the month up to which outcomes were observed."""
    splits = _read("feature_engineering")["split"]["out_of_time"]
    observed = {"outcomes_as_of": splits["outcomes_as_of"]}
    return Economics.model_validate(_read("economics") | observed)


def read_comparison() -> ComparisonOptions:
    """The policies that are compared."""
    return ComparisonOptions.model_validate(_read("insights")["comparison"])


def read_offers() -> OffersOptions:
    """What may be offered, on a fixed day."""
    return OffersOptions.model_validate(_read("offers") | {"as_of": "2026-11-23"})


def read_early_warning(seed: int = 42) -> tuple[PanelOptions, HazardOptions]:
    """The panel and the hazard model, which is judged on what comes: it keeps no loans back."""
    text = (_CONF / "parameters_early_warning.yml").read_text()
    group = yaml.safe_load(text.replace("${runtime_params:seed,42}", str(seed)))["early_warning"]
    hazard = HazardOptions.model_validate(group["hazard"] | {"test_share": 0.0})
    return PanelOptions.model_validate(group["panel"]), hazard


def _read(group: str) -> dict[str, Any]:
    parameters: dict[str, Any] = yaml.safe_load((_CONF / f"parameters_{group}.yml").read_text())
    group_of: dict[str, Any] = parameters[group]
    return group_of
