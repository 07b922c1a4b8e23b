"""What is registered, under which name, whether two trainings gave the same model, and the champion."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.trained import TrainedModel
from loantap.model.training.splits import TrainingDigests
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.portfolio.target import Target

_DEMO = "-demo"


def registered_name(namespace: str, origin: str) -> str:
	"""Registered name in a namespace for loans of this origin."""
	name = f"loantap-{namespace.replace('_', '-')}"
	return name if origin == REAL else f"{name}{_DEMO}"


def is_for_lending(name: str) -> bool:
	"""Whether a model of this name may decide on applications."""
	return not any(
		name == registered_name(namespace, origin)
		for namespace, feature_set in MODELS.items()
		if not FEATURE_SETS[feature_set].for_lending
		for origin in (REAL, SIMULATED)
	)


def origin_of_model(name: str) -> str:
	"""Origin of the loans that a model of this name learnt from."""
	return SIMULATED if name.endswith(_DEMO) else REAL


# Sums of one training repeat but for the last bits, which is where memory happens to lie.
_DECIMALS = 9


def digest_model(trained: TrainedModel, predictions: pd.DataFrame) -> str:
	"""SHA-256 in hex of a model: coefficients, facts, and the PDs of every loan in each sample, to nine decimals."""
	# Earlier releases knew one target: their models keep their digest.
	known = set() if trained.facts.target.window_months else {"target"}
	described = {
		"facts": _round(trained.facts.model_dump(mode="json", exclude=known)),
		# Trees have no coefficients: what they say of the example stands for them.
		"example": _round(trained.pipeline.predict_proba(trained.example).tolist()),
		"coefficients": _round(np.ravel(getattr(trained.pipeline[-1], "coef_", [])).tolist()),
		"columns": [str(column) for column in predictions],
		"loans": digest_predictions(predictions),
	}
	return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def digest_predictions(predictions: pd.DataFrame) -> str:
	"""SHA-256 of PDs and their loans, to nine decimals, in hex."""
	rows = pd.util.hash_pandas_object(predictions.round(_DECIMALS), index=False)
	return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()


def _round(value: Any) -> Any:
	if isinstance(value, dict):
		return {str(name): _round(inner) for name, inner in value.items()}
	if isinstance(value, list | tuple):
		return [_round(inner) for inner in value]
	# Nothing is minus zero.
	return round(value, _DECIMALS) + 0.0 if isinstance(value, float) else value


@dataclass(frozen=True, slots=True)
class Release:
	"""A model as it is registered.

	Attributes:
		predictions: from `predict_samples`; later models are compared on these.
		report: the structure of `training.json`.
		verdicts: of the contest between its kinds, if there was one, and on its promotion, last.
		training: None of a model not for lending.
	"""

	trained: TrainedModel
	predictions: pd.DataFrame
	report: Mapping[str, Any]
	verdicts: tuple[Verdict, ...]
	training: TrainingDigests | None = None


@dataclass(frozen=True, slots=True)
class Champion:
	"""The champion of a model, `label` being registered name and version.

	`trained` is None where it cannot be read, `predictions` empty where none were kept, `digest` "" where unknown.
	"""

	label: str
	trained: TrainedModel | None
	predictions: pd.DataFrame
	digest: str = ""

	@property
	def target(self) -> Target:
		"""Its target; that of one that cannot be read is the policy's, since it was promoted."""
		return self.trained.facts.target if self.trained else Target.CHARGED_OFF


# For each model a function that loads its champions by origin of their loans, as Kedro's
# PartitionedDataset gives partitions: a model reads its own only.
Champions = Mapping[str, Callable[[], Mapping[str, Champion]]]
