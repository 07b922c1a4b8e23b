"""Which versions there are; restoring an older one."""

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion as Registered

from loantap.model.promotion.release import registered_name
from loantap.model.promotion.rule import SIGNED
from loantap.model.scoring.scorer import NotForLendingError, Scorer
from loantap.model.scoring.trained import TrainedModel
from loantap.portfolio.errors import InputError
from loantap.registry.connection import asking_registry
from loantap.registry.models import (
	EVIDENCE,
	KEPT,
	OUTCOME,
	PROMOTED,
	PROMOTION,
	REASON,
	ModelVersion,
	find_champion,
	promote,
	tag_version,
)
from loantap.registry.reading import UnreadableModelError, fetch_file, load_version

# One tag each, so that no restoration is overwritten.
_RESTORED = "restored "


@dataclass(frozen=True, slots=True)
class VersionRecord:
	"""What the registry says of a version without opening its files; `created` is UTC.

	Tags are origin, kind, number of training loans, verdict.
	"""

	model: ModelVersion
	is_champion: bool
	created: datetime
	tags: dict[str, str]

	@property
	def outcome(self) -> str:
		"""`promoted` or `kept`; neither where its run did not end well."""
		return self.tags.get(OUTCOME, "run not finished")

	@property
	def reason(self) -> str:
		"""Why it was promoted, or not."""
		return self.tags.get(REASON, "")

	@property
	def restorations(self) -> dict[str, str]:
		"""By time of its restorations: who, in place of what, why."""
		return {key.removeprefix(_RESTORED): said for key, said in sorted(self.tags.items()) if key.startswith(_RESTORED)}


def list_versions() -> list[VersionRecord]:
	"""Every version of our models, by name, newest first."""
	with asking_registry():
		client = mlflow.MlflowClient()
		names = sorted(model.name for model in client.search_registered_models())
		return [record for name in names for record in _list_versions(client, name)]


def get_version(name: str, version: str) -> VersionRecord:
	"""One version; `InputError` where there is none of that name or number."""
	records = list_versions()
	known = {record.model.version: record for record in records if record.model.name == name}
	if version in known:
		return known[version]
	if known:
		raise InputError(f"model {name}", f"there is no version {version}", f"Registered versions: {', '.join(known)}")
	names = ", ".join(sorted({record.model.name for record in records})) or "none"
	raise InputError(f"model {name}", "it is not registered", f"Registered models: {names}")


def read_verdicts(model: ModelVersion) -> dict[str, Any] | None:
	"""`promotion.json` of a version; None where none was kept."""
	with tempfile.TemporaryDirectory() as folder:
		try:
			path = fetch_file(model, f"{EVIDENCE}/{PROMOTION}", Path(folder))
		except UnreadableModelError:
			return None
		found: dict[str, Any] = json.loads(path.read_text("utf-8"))
		return found


def restore(model: ModelVersion, *, who: str, reason: str) -> ModelVersion | None:
	"""Make a former champion champion again, and record who did it and why; returns the one displaced, if any.

	Raises:
		InputError: no such version; it never was champion, or is; a demo under a real model's name; not for lending;
			not readable.
	"""
	record = get_version(model.name, model.version)
	_require_restorable(record)
	trained = load_version(model)
	_require_fit(model, trained)
	displaced = find_champion(model.name)
	now = f"{datetime.now(tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
	tag_version(model, {f"{_RESTORED}{now}": f"by {who}, in place of {displaced}: {reason}"})
	promote(model)
	return displaced


def sign(model: ModelVersion, *, who: str, reason: str) -> ModelVersion | None:
	"""Make champion what lacks nothing but a signature, and record whose and why; returns the one displaced, if any.

	Raises:
		InputError: no such version, one decided on already, a condition does not hold, it was compared with another
			champion than the present one, or not for lending.
	"""
	record = get_version(model.name, model.version)
	verdict = (read_verdicts(model) or {}).get("champion") or {}
	conditions = verdict.get("conditions", [])
	lacking = [condition["name"] for condition in conditions if not condition["holds"]]
	if record.outcome != KEPT or lacking != [SIGNED]:
		said = f"{', '.join(lacking)} does not hold" if lacking and lacking != [SIGNED] else "it does not wait for one"
		raise InputError(f"model {model}", f"it cannot be signed for: {said}", "`loantap-models show` has its conditions")
	displaced = find_champion(model.name)
	if verdict.get("incumbent", "") != (str(displaced) if displaced else ""):
		said = f"it was compared with {verdict.get('incumbent') or 'none'}, and champion is {displaced or 'none'}"
		raise InputError(f"model {model}", said, "Run `kedro run --pipelines retraining` to compare it anew")
	_require_fit(model, load_version(model))
	signed = f"signed by {who} on {datetime.now(tz=UTC):%Y-%m-%d}, in place of {displaced or 'no model'}: {reason}"
	tag_version(model, {OUTCOME: PROMOTED, REASON: signed})
	promote(model)
	return displaced


def tell_restored(name: str) -> str:
	"""The champion and its last restoration in words; "" without one."""
	champion = find_champion(name)
	if champion is None:
		return ""
	restorations = get_version(champion.name, champion.version).restorations
	if not restorations:
		return ""
	when, said = max(restorations.items())
	return f"{champion}, which was restored on {when} ({said})"


def _require_restorable(record: VersionRecord) -> None:
	remedy = "`loantap-models list` shows those that were"
	if record.is_champion:
		raise InputError(f"model {record.model}", "it is champion already", "Nothing to do")
	if record.outcome != PROMOTED:
		said = record.reason or record.outcome
		raise InputError(f"model {record.model}", f"it never was champion ({said})", remedy)


def _require_fit(model: ModelVersion, trained: TrainedModel) -> None:
	facts = trained.facts
	rightful = registered_name(facts.namespace, facts.origin)
	if rightful != model.name:
		raise InputError(
			f"model {model}",
			f"it was trained on {facts.origin} loans and belongs under {rightful}",
			"Restore a version that was trained for this name",
		)
	try:
		Scorer(trained, model.name, model.version)
	except NotForLendingError as error:
		raise InputError(f"model {model}", "it is not for lending", "Restore a lending model") from error


def _list_versions(client: mlflow.MlflowClient, name: str) -> list[VersionRecord]:
	champion = find_champion(name)
	found = client.search_model_versions(f"name = '{name}'")
	records = [_record(version, champion) for version in found]
	return sorted(records, key=lambda record: int(record.model.version), reverse=True)


def _record(version: Registered, champion: ModelVersion | None) -> VersionRecord:
	model = ModelVersion(version.name, str(version.version))
	return VersionRecord(
		model=model,
		is_champion=model == champion,
		created=datetime.fromtimestamp(version.creation_timestamp / 1_000, tz=UTC),
		tags=dict(version.tags),
	)
