"""Models in the MLflow registry: names, versions, champions."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

from loantap.model.promotion.release import Release, digest_model, is_for_lending, registered_name
from loantap.model.promotion.rule import Verdict
from loantap.model.scoring.trained import ModelFacts, TrainedModel
from loantap.model.training.splits import FILE
from loantap.portfolio.dictionary import REAL, SIMULATED
from loantap.registry.connection import asking_registry

_PURPOSES = {
	"lending": "decides on applications that carry a grade and an offer",
	"application": "prices applications before there is a grade",
	"benchmark": "the best there is with the pincode, to measure the leak by",
	"published_replica": "repeats the published case study on its own terms",
}
_WARNING = "NOT FOR LENDING: it uses the pincode, which LoanTap's addresses took from the outcome."
_DEMO = "Learnt from SIMULATED loans: it says nothing about real borrowers."
_KINDS = {"logistic": "Logistic regression", "boosting": "Boosted trees of one feature each"}


def describe_registered(facts: ModelFacts) -> str:
	"""What a registered model is for, and what not."""
	purpose = _PURPOSES.get(facts.namespace, "")
	return " ".join(filter(None, (f"PD model `{facts.namespace}`: {purpose}.", *_warn(facts))))


def describe_version(facts: ModelFacts) -> str:
	"""A version's kind, hyperparameters and training loans."""
	chosen = ", ".join(f"{name} {value}" for name, value in facts.hyperparameters.items())
	target = facts.target.replace("_", " ")
	loans = f"{facts.training_loans:,} {facts.origin} loans, {facts.training_charge_offs:,} of them {target}"
	return " ".join([f"{_KINDS.get(facts.kind, facts.kind)} ({chosen}) on {loans}.", *_warn(facts)])


def _warn(facts: ModelFacts) -> list[str]:
	warnings = [_WARNING] if facts.not_for_lending else []
	return warnings if facts.origin == REAL else [*warnings, _DEMO]


# Two, so that nobody takes a model on the pincode for one that decides.
CHAMPION, NOT_FOR_LENDING = "champion", "best-not-for-lending"
FACTS = "loantap"
# Beside the model's own files.
EVIDENCE = "evidence"
PREDICTIONS, PROMOTION = "predictions.parquet", "promotion.json"
TRAINING_REPORT = "training.json"
# A version without these tags is of an unfinished run.
OUTCOME, REASON = "promotion", "promotion_reason"
PROMOTED, KEPT = "promoted", "kept"
# Tag of a version; see `digest_model`.
DIGEST = "digest"
# skops loads no other types: data, a check of boosting, and what a partial calls.
TRUSTED_TYPES = [
	"functools.partial",
	"numpy.dtype",
	"sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
	"sklearn.utils.validation.check_array",
]
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@dataclass(frozen=True, slots=True)
class ModelVersion:
	"""A registered version of a model."""

	name: str
	version: str

	def __str__(self) -> str:
		return f"{self.name} version {self.version}"

	@property
	def uri(self) -> str:
		"""Where MLflow finds its files."""
		return f"models:/{self.name}/{self.version}"


def registered_names(namespace: str) -> list[str]:
	"""Names of a namespace's models, that from real loans first."""
	return [registered_name(namespace, origin) for origin in (REAL, SIMULATED)]


def register(release: Release) -> ModelVersion:
	"""Register a model with its origin and verdicts; no alias moves."""
	model = log_model(release.trained)
	with tempfile.TemporaryDirectory() as folder:
		release.predictions.to_parquet(Path(folder) / PREDICTIONS, index=False)
		for file, content in ((PROMOTION, _describe_verdicts(release.verdicts)), (TRAINING_REPORT, release.report)):
			write_json(Path(folder) / file, content)
		if release.training is not None:
			release.training.save(Path(folder) / FILE)
		attach_files(model, Path(folder))
	tag_version(model, {DIGEST: digest_model(release.trained, release.predictions)})
	return model


def find_same(release: Release) -> ModelVersion | None:
	"""The version with the very model of a release: the champion, or the last registered.

	None where another was registered since, its run failed, or it has no digests.
	"""
	facts = release.trained.facts
	name = registered_name(facts.namespace, facts.origin)
	digest = digest_model(release.trained, release.predictions)
	champion = find_champion(name)
	if champion is not None and read_digest(champion) == digest:
		return champion
	found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
	concluded = [version for version in found if OUTCOME in version.tags]
	newest = max(concluded, key=lambda version: int(version.version), default=None)
	if newest is None or newest.tags.get(DIGEST) != digest:
		return None
	return ModelVersion(name, str(newest.version))


def read_digest(model: ModelVersion) -> str:
	"""Digest of a version's model; "" where none was kept."""
	version = mlflow.MlflowClient().get_model_version(model.name, model.version)
	return str(version.tags.get(DIGEST, ""))


def log_model(trained: TrainedModel) -> ModelVersion:
	"""Log a model in the active run and register it as a new version, without an alias.

	The skops file has preprocessing and classifier only, with signature, made-up input example and facts as metadata.
	"""
	facts = trained.facts
	name = registered_name(facts.namespace, facts.origin)
	info = mlflow.sklearn.log_model(
		trained.pipeline,
		name=facts.namespace,
		serialization_format="skops",
		skops_trusted_types=TRUSTED_TYPES,
		pyfunc_predict_fn="predict_proba",
		signature=infer_signature(trained.example, np.asarray(trained.pipeline.predict_proba(trained.example))),
		input_example=trained.example,
		metadata={FACTS: facts.model_dump(mode="json")},
		# Inferring them would load the model in another process.
		pip_requirements=[f"loantap=={version('loantap')}"],
	)
	tags = {
		"origin": facts.origin,
		"feature_set": facts.feature_set,
		"kind": facts.kind,
		"target": facts.target,
		"training_loans": str(facts.training_loans),
		"training_charge_offs": str(facts.training_charge_offs),
		"not_for_lending": str(facts.not_for_lending).lower(),
	}
	client = mlflow.MlflowClient()
	_require_name(client, name, facts)
	created = client.create_model_version(
		name, info.model_uri, run_id=info.run_id, tags=tags, description=describe_version(facts)
	)
	return ModelVersion(name, str(created.version))


def _require_name(client: mlflow.MlflowClient, name: str, facts: ModelFacts) -> None:
	"""Make the registered model, unless it is there or another run makes it."""
	description = describe_registered(facts)
	tags = {"origin": facts.origin, "not_for_lending": str(facts.not_for_lending).lower()}
	found = client.search_registered_models(f"name = '{name}'")
	if found:
		if not found[0].description:  # an earlier release made it
			client.update_registered_model(name, description)
		return
	try:
		client.create_registered_model(name, tags=tags, description=description)
	except MlflowException as error:
		if error.error_code != "RESOURCE_ALREADY_EXISTS":
			raise


def write_json(path: Path, content: object) -> None:
	"""Write a file that people read as well."""
	path.write_text(json.dumps(content, indent=2), "utf-8")


def attach_files(model: ModelVersion, folder: Path) -> None:
	"""Store a folder's files with a version, as its evidence."""
	client = mlflow.MlflowClient()
	source = str(client.get_model_version(model.name, model.version).source)
	client.log_model_artifacts(source.removeprefix("models:/"), str(folder), EVIDENCE)


def conclude(model: ModelVersion, verdict: Verdict) -> None:
	"""Write the verdict on a version, and promote it if it says so."""
	outcome = PROMOTED if verdict.promoted else KEPT
	tag_version(model, {OUTCOME: outcome, REASON: verdict.reason})
	if verdict.promoted:
		promote(model)


def tag_version(model: ModelVersion, tags: Mapping[str, str]) -> None:
	"""Set tags of a version."""
	client = mlflow.MlflowClient()
	for key, value in tags.items():
		client.set_model_version_tag(model.name, model.version, key, value)


def alias_of(name: str) -> str:
	"""Alias of the champion."""
	return CHAMPION if is_for_lending(name) else NOT_FOR_LENDING


def promote(model: ModelVersion) -> None:
	"""Make a version champion."""
	client = mlflow.MlflowClient()
	client.set_registered_model_alias(model.name, alias_of(model.name), model.version)
	if not is_for_lending(model.name):
		client.delete_registered_model_alias(model.name, CHAMPION)


def mark_not_for_lending(name: str) -> None:
	"""Replace earlier releases' champion alias on a model that must not be lent on."""
	champion = None if is_for_lending(name) else _find(name, CHAMPION)
	if champion is not None:
		promote(_find(name, NOT_FOR_LENDING) or champion)


def find_champion(name: str) -> ModelVersion | None:
	"""The champion, or None; RegistryDownError without an answer: a demo model must not score for that."""
	found = _find(name, alias_of(name))
	# Earlier releases used the champion alias here.
	return found if found or is_for_lending(name) else _find(name, CHAMPION)


def _find(name: str, alias: str) -> ModelVersion | None:
	with asking_registry():
		try:
			found = mlflow.MlflowClient().get_model_version_by_alias(name, alias)
		except MlflowException as error:
			if error.error_code not in _ABSENT:
				raise
			return None
	return ModelVersion(name, str(found.version))


def is_registered(name: str) -> bool:
	"""Whether the registry knows a model of that name."""
	with asking_registry():
		return bool(mlflow.MlflowClient().search_registered_models(f"name = '{name}'"))


def _describe_verdicts(verdicts: tuple[Verdict, ...]) -> dict[str, object]:
	*contest, promotion = [verdict.as_dict() for verdict in verdicts]
	return {"challenger": next(iter(contest), None), "champion": promotion}
