"""Models in the MLflow registry."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature, infer_signature

from loantap.model.trained import ModelFacts, TrainedModel
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.errors import InputError

CHAMPION = "champion"
FACTS = "loantap"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}
# skops refuses to load any type not named here; these are data, not code.
_TRUSTED_TYPES = ["numpy.dtype"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version of a model."""

    name: str
    version: str


def registered_name(namespace: str, origin: str) -> str:
    """Name of a namespace's models; those from simulated loans have names of their own."""
    name = f"loantap-{namespace.replace('_', '-')}"
    return name if origin == REAL else f"{name}-demo"


def log_model(trained: TrainedModel) -> ModelVersion:
    """Log a model in the active run and register it as a new version, without an alias.

    The file holds preprocessing and classifier only, in the skops format, with signature, a
    made-up input example and the facts as metadata.
    """
    facts = trained.facts
    name = registered_name(facts.namespace, facts.origin)
    info = mlflow.sklearn.log_model(
        trained.pipeline,
        name=facts.namespace,
        serialization_format="skops",
        skops_trusted_types=_TRUSTED_TYPES,
        pyfunc_predict_fn="predict_proba",
        signature=_signature(trained),
        input_example=trained.example,
        metadata={FACTS: facts.model_dump(mode="json")},
        # Named rather than inferred: inference would load the model in a process of its own.
        pip_requirements=[f"loantap=={version('loantap')}"],
    )
    tags = {
        "origin": facts.origin,
        "feature_set": facts.feature_set,
        "not_for_lending": str(facts.not_for_lending).lower(),
    }
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, tags={"origin": facts.origin})
    created = client.create_model_version(
        name, info.model_uri, run_id=info.run_id, model_id=info.model_id, tags=tags
    )
    return ModelVersion(name, str(created.version))


def promote(model: ModelVersion) -> None:
    """Point the champion alias at a version."""
    mlflow.MlflowClient().set_registered_model_alias(model.name, CHAMPION, model.version)


def find_champion(namespace: str) -> ModelVersion | None:
    """The champion of a namespace, one from real loans preferred; None where there is none."""
    for origin in (REAL, SIMULATED):
        name = registered_name(namespace, origin)
        try:
            found = mlflow.MlflowClient().get_model_version_by_alias(name, CHAMPION)
        except MlflowException as error:
            # Anything but an absent model or alias, such as a registry that is down, is an error:
            # to go on would score with a demo model beside a real one.
            if error.error_code not in _ABSENT:
                raise
            continue
        return ModelVersion(name, str(found.version))
    return None


def load_best(
    namespace: str, newest: ModelVersion | None = None
) -> tuple[TrainedModel, ModelVersion]:
    """Load the model to score with: one from real loans before one from simulated ones.

    Args:
        namespace: which model.
        newest: a version just registered, preferred to a champion of the same origin.

    Raises:
        InputError: no champion is registered, and no newest version is given.
    """
    real = registered_name(namespace, REAL)
    champion = find_champion(namespace)
    prefers_champion = champion is not None and champion.name == real
    if newest is not None and (newest.name == real or not prefers_champion):
        model = newest
    elif champion is not None:
        model = champion
    else:
        raise InputError(
            f"model registry ({mlflow.get_tracking_uri()})",
            f"no champion named {registered_name(namespace, REAL)} "
            f"or {registered_name(namespace, SIMULATED)}",
            "Train one with `kedro run`",
        )
    trained = load_version(model)
    logger.info(
        "Scoring with %s version %s, trained on %s loans",
        model.name,
        model.version,
        trained.facts.origin,
    )
    return trained, model


def load_version(model: ModelVersion) -> TrainedModel:
    """Load one registered version with its facts and its example."""
    uri = f"models:/{model.name}/{model.version}"
    info = mlflow.models.get_model_info(uri)
    facts = ModelFacts.model_validate((info.metadata or {})[FACTS])
    example = mlflow.models.Model.load(info.model_uri).load_input_example(info.model_uri)
    return TrainedModel(mlflow.sklearn.load_model(uri), facts, pd.DataFrame(example))


def _signature(trained: TrainedModel) -> ModelSignature:
    outputs = np.asarray(trained.pipeline.predict_proba(trained.example))
    return infer_signature(trained.example, outputs)
