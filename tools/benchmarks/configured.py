"""The options a model is trained with, read from the configuration of the project."""

from __future__ import annotations

from pathlib import Path

import yaml

from loantap.model.training.options import TrainingOptions

_PARAMETERS = Path(__file__).parents[2] / "conf/base/parameters_modeling.yml"


def read_options(model: str, seed: int = 42) -> TrainingOptions:
    """Options of one model, as `kedro run` reads them."""
    text = _PARAMETERS.read_text().replace("${runtime_params:seed,42}", str(seed))
    return TrainingOptions(**yaml.safe_load(text)["modeling"][model])
