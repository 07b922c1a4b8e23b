"""Which version an evaluation judges, and evidence beside it, with an index of every figure.

Functions raise `RegistryDownError` where the registry does not answer.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import mlflow
import pandas as pd
from pydantic import ValidationError

from loantap.features.definitions import FEATURE_SETS, MODELS
from loantap.model.leakage.last_training import LastTraining
from loantap.model.promotion.release import digest_predictions
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.splits import FILE, TrainingDigests
from loantap.model.validation.evaluation import JudgedModel
from loantap.portfolio.errors import InputError
from loantap.registry.connection import asking_registry
from loantap.registry.loading import find_best_champion, find_registered
from loantap.registry.models import (
	EVIDENCE,
	PREDICTIONS,
	ModelVersion,
	attach_files,
	find_champion,
	registered_names,
	tag_version,
	write_json,
)
from loantap.registry.reading import FILES, UnreadableModelError, fetch_file, fetch_files, load_version

# Tag of a version.
PREDICTIONS_DIGEST = "predictions_sha256"


def note_predictions(model: ModelVersion, predictions: Path) -> None:
	"""Tag a version with the digest of its predictions."""
	# Not of bytes: another training of the same model repeats all but the last bits.
	tag_version(model, {PREDICTIONS_DIGEST: digest_predictions(pd.read_parquet(predictions))})


def load_judged(namespace: str, predictions: Path, report: Path) -> JudgedModel:
	"""This run's version, or the one whose predictions these are; InputError where there is none.

	`report` is the `training.json` of the same training.
	"""
	rows = pd.read_parquet(predictions)
	own = find_registered(namespace)
	model = own.model if own else find_by_predictions(namespace, rows, predictions)
	champion = find_best_champion(namespace)
	is_lent_on = FEATURE_SETS[MODELS[namespace]].for_lending
	return JudgedModel(
		name=model.name,
		version=model.version,
		is_new=own is not None,
		champion=str(champion) if champion and is_lent_on else "",
		predictions=rows,
		training_report=json.loads(report.read_text("utf-8")),
		scorer=Scorer(load_version(model), model.name, model.version) if is_lent_on else None,
		training=load_training(model) if is_lent_on else None,
	)


def load_training(model: ModelVersion) -> TrainingDigests | None:
	"""Digests of a version's training loans, or None; `UnreadableModelError` if damaged."""
	with tempfile.TemporaryDirectory() as folder:
		try:
			path = fetch_file(model, f"{EVIDENCE}/{FILE}", Path(folder))
		except UnreadableModelError:
			return None
		try:
			return TrainingDigests.load(path)
		except ValueError as error:
			raise UnreadableModelError(model, f"its {FILE} is damaged ({error})") from error


def find_by_predictions(namespace: str, predictions: pd.DataFrame, file: Path) -> ModelVersion:
	"""The version that made predictions; InputError where none did."""
	digest = digest_predictions(predictions)
	with asking_registry():
		client = mlflow.MlflowClient()
		for name in registered_names(namespace):
			for found in client.search_model_versions(f"name = '{name}'"):
				if found.tags.get(PREDICTIONS_DIGEST) == digest:
					return ModelVersion(name, str(found.version))
	raise InputError(
		f"predictions of {namespace} ({file})",
		"no version in the model registry made them, so they say nothing about a model",
		"Run `--pipelines training`, which makes both",
	)


INDEX, LEAKAGE = "evidence.json", "leakage_report.json"
VALIDATED: Final = ("validation.json", "validation.html")
# A complete pack, besides the model's own files.
EXPECTED: Final = (
	"predictions.parquet",
	"promotion.json",
	"training.json",
	"metrics.json",
	"candidates.parquet",
	"calibration.json",
	"thresholds.json",
	LEAKAGE,
	"vintage_analysis.json",
	"stability.json",
	"fairness.json",
	"model_card.html",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunRecord:
	"""The run that made a version, with the origin of its loans; `git_commit` is `unknown` outside a checkout."""

	command: str
	git_commit: str
	parameters: Mapping[str, Any]
	origin: str


def attach_evidence(model: ModelVersion, namespace: str, files: Mapping[str, Path], run: RunRecord) -> None:
	"""Store files with a version under new names; of a report, index its namespace's part.

	What an earlier run left stays where this one made nothing; what was validated of it is listed no more.
	"""
	with tempfile.TemporaryDirectory() as folder:
		served = fetch_files(model, Path(folder))
		pack = fetch_file(model, EVIDENCE, Path(folder))
		for name in VALIDATED:
			(pack / name).unlink(missing_ok=True)
		groups = {name.partition(".")[0] for name in run.parameters}
		with suppress(FileNotFoundError, ValueError, LookupError):  # none before, or one that is damaged
			before = json.loads((pack / INDEX).read_text("utf-8"))["run"]["parameters"]
			others = {name: value for name, value in before.items() if name.partition(".")[0] not in groups}
			run = replace(run, parameters={**others, **run.parameters})
		for name, path in files.items():
			shutil.copy(path, pack / name)
		index = index_evidence(model, namespace, served, pack, run)
		write_json(pack / INDEX, index)
		attach_files(model, pack)
		if PREDICTIONS in files:
			note_predictions(model, pack / PREDICTIONS)


def index_evidence(model: ModelVersion, namespace: str, served: Path, pack: Path, run: RunRecord) -> dict[str, Any]:
	"""`evidence.json`: run, files with digests, figures with their place and n, what is absent.

	`served` holds the model's own files, `pack` the evidence.
	"""
	found = sorted(path for path in pack.iterdir() if path.name != INDEX)
	own = [served / name for name in FILES]
	return {
		"model": asdict(model) | {"namespace": namespace, "origin": run.origin},
		"run": asdict(run) | {"parameters": dict(run.parameters)},
		"files": [_describe_file(path) for path in [*own, *found]],
		"figures": [
			figure
			for path in found
			if path.suffix == ".json"
			for figure in list_figures(path.name, json.loads(path.read_text("utf-8")), namespace)
		],
		"absent": [name for name in EXPECTED if not (pack / name).is_file()],
	}


def list_figures(file: str, content: Any, namespace: str) -> list[dict[str, Any]]:
	"""Every figure of a report that stands beside its n, with its place and bounds.

	Of a report on several models (`models`), those of the namespace.
	"""
	path: tuple[str, ...] = ()
	if isinstance(content, Mapping) and isinstance(content.get("models"), Mapping):
		content, path = content["models"].get(namespace, {}), ("models", namespace)
	return [{"file": file} | figure for figure in _walk(content, path)]


def _walk(content: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
	if isinstance(content, list):
		content = {str(number): item for number, item in enumerate(content)}
	if not isinstance(content, Mapping):
		return
	if isinstance(content.get("n"), int):
		yield from _list_block(content, path)
	for name, inner in content.items():
		yield from _walk(inner, (*path, name))


def _list_block(block: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
	"""The figures of one block with their bounds; all have the same n."""
	for name, value in block.items():
		is_number = isinstance(value, int | float) and not isinstance(value, bool)
		# The range of a perfect model's ECE is a figure of its own.
		is_bound = name.endswith(("_low", "_high")) and name.rpartition("_")[0] in block
		if not is_number or name == "n" or is_bound:
			continue
		bounds = {end: block[f"{name}_{end}"] for end in ("low", "high") if f"{name}_{end}" in block}
		place = {"key": ".".join((*path, name)), "sample": ".".join(path), "n": block["n"]}
		yield place | {"value": value} | bounds


def _describe_file(path: Path) -> dict[str, Any]:
	content = path.read_bytes()
	return {"file": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def add_files(model: ModelVersion, folder: Path) -> None:
	"""Store files made after the run with a version; in the index those of the run stay as they are."""
	added = {path.name: _describe_file(path) for path in sorted(folder.iterdir())}
	with tempfile.TemporaryDirectory() as fetched:
		index = json.loads(fetch_file(model, f"{EVIDENCE}/{INDEX}", Path(fetched)).read_text("utf-8"))
	index["files"] = [*({entry["file"]: entry for entry in index["files"]} | added).values()]
	write_json(folder / INDEX, index)
	attach_files(model, folder)


def load_last_training(name: str) -> LastTraining | None:
	"""What the leakage gate found when the champion of this name was trained, if that is known."""
	champion = find_champion(name)
	if champion is None:
		return None
	try:
		with tempfile.TemporaryDirectory() as folder:
			content = fetch_file(champion, f"{EVIDENCE}/{LEAKAGE}", Path(folder)).read_bytes()
		return LastTraining.model_validate_json(content).model_copy(update={"label": str(champion)})
	except (UnreadableModelError, ValidationError) as error:
		logger.warning("No feature is compared with the training of %s: %s", champion, error)
		return None
