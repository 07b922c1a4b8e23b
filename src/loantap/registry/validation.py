"""What a version left behind to be validated, and what came out into its evidence."""

import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pandas as pd

from loantap.features.definitions import DECIDES, MODELS
from loantap.model.promotion.release import digest_predictions
from loantap.model.scoring.trained import ModelFacts
from loantap.portfolio.dictionary import COLUMNS
from loantap.portfolio.errors import InputError
from loantap.registry.connection import asking_registry
from loantap.registry.evidence import INDEX, add_files, find_by_predictions
from loantap.registry.history import get_version, list_versions
from loantap.registry.loading import find_best_champion
from loantap.registry.models import EVIDENCE, PREDICTIONS, ModelVersion, registered_names
from loantap.registry.reading import FILES, fetch_file, load_version
from loantap.reporting.validation_page import Found, render_validation
from loantap.snapshots.manifest import MANIFEST, read_manifest, read_outdated
from loantap.snapshots.parts import DamagedSnapshotError, read_table
from loantap.validation.check import Material
from loantap.validation.record import PUBLISHED
from loantap.validation.validate import validate

_REMEDY: Final = "Run `make run`, or `kedro run --pipelines training`, then `make validate`"
_RAW: Final = ("loan_amount", "interest_rate_pct", "term_months", "instalment", "issue_month", "loan_status")
# Of the run, by the name that the validator knows them by.
_OF_RUN: Final = {
	"model_input.parquet": "05_model_input/{input}.parquet",
	"instalment_exceptions.parquet": "03_primary/instalment_exceptions.parquet",
	"imputed_profits.parquet": "07_model_output/imputed_profits.parquet",
	"policy_comparison.parquet": "07_model_output/policy_comparison.parquet",
	"target_checks.parquet": "07_model_output/target_checks.parquet",
}
_OF_REPORTS: Final = ("Split", "Published", "EMI", "Points", "Money", "Targets", "Refit")


def choose_version(name: str | None, version: str | None) -> ModelVersion:
	"""The version named; else the champion that decides, or the newest of its kind; InputError without any."""
	if name:
		return get_version(name, version or "").model
	champion, names = find_best_champion(DECIDES), registered_names(DECIDES)
	for model in (champion, *(record.model for record in list_versions() if record.model.name in names)):
		if model:
			return model
	raise InputError(f"model {DECIDES}", "no version is registered", _REMEDY)


def validate_version(model: ModelVersion, project: Path) -> Found:
	"""Validate a version; write `validation.json` and `.html`, and add them to its evidence."""
	data = project / "data"
	described, material = gather(model, data)
	found = Found(described, *validate(material))
	with tempfile.TemporaryDirectory() as folder:
		for name, text in (("validation.json", found.as_json()), ("validation.html", render_validation(found))):
			(Path(folder) / name).write_text(text, "utf-8")
			staged = data / "08_reporting" / f".{name}.staged"
			staged.parent.mkdir(parents=True, exist_ok=True)
			staged.write_text(text, "utf-8")
			staged.replace(staged.with_name(name))
		with asking_registry():
			add_files(model, Path(folder))
	return found


def gather(model: ModelVersion, data: Path) -> tuple[dict[str, Any], Material]:
	"""What is validated in words, and the material: evidence, raw loans, files of the run."""
	facts = load_version(model).facts
	raw, digest = _read_raw(data / "01_raw" / "loans")
	with tempfile.TemporaryDirectory() as folder:
		pack = fetch_file(model, EVIDENCE, Path(folder))
		files = {
			path.name: _read(path, f"evidence, {path.name}")
			for path in pack.iterdir()
			if path.suffix in {".json", ".parquet"}
		}
		kept = [*pack.iterdir(), *(fetch_file(model, name, Path(folder)) for name in FILES)]
		digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}
	for name in (INDEX, PREDICTIONS):
		if not isinstance(files.get(name), dict | pd.DataFrame):
			why = f" ({files[name].problem})" if name in files else ""
			raise InputError(f"model {model}", f"its evidence has no {name} that can be read{why}", _REMEDY)
	of_run = {name: data / place.format(input=MODELS[facts.namespace]) for name, place in _OF_RUN.items()}
	of_run |= {place: data / place for place in (name.format(facts.namespace) for name in PUBLISHED)}
	files |= {name: _read(path, str(path.relative_to(data.parent))) for name, path in of_run.items()}
	run = files[INDEX]["run"]
	described = {
		"model": str(model),
		"origin": run["origin"],
		"as_of": run["parameters"].get("evaluation.as_of", ""),
		"raw_loans": len(raw),
		"raw_sha256": digest,
		"command": run["command"],
		"git_commit": run["git_commit"],
	}
	absent = _find_absent(model, facts, data / "07_model_output" / facts.namespace / PREDICTIONS, files[PREDICTIONS])
	return described, Material(raw, files, run["parameters"], facts.model_dump(mode="json"), absent, digests)


def _find_absent(model: ModelVersion, facts: ModelFacts, current: Path, own: pd.DataFrame) -> dict[str, str]:
	"""Why parts rightly have nothing to be validated: of such a model nothing is made, or the run made another."""
	absent: dict[str, str] = {}
	if facts.namespace != DECIDES:
		absent |= dict.fromkeys(("Targets", "Money"), f"money is reckoned with the PDs of {DECIDES} alone")
	if facts.target.window_months:
		absent |= dict.fromkeys(("Outcomes", "Decisions", "Targets", "Money"), facts.target.obstacle)
	if facts.not_for_lending:
		absent |= dict.fromkeys(("Points", "Scores", "Decisions"), "it is not for lending")
	rows, judged = _read(current, str(current)), model
	if isinstance(rows, pd.DataFrame) and digest_predictions(rows) != digest_predictions(own):
		with suppress(InputError):  # where no other version made them, the files are held against this one
			judged = find_by_predictions(facts.namespace, rows, current)
	if judged != model:
		absent |= dict.fromkeys(_OF_REPORTS, f"the files in {current.parents[1]} are of {judged}: validate that one")
	return absent


def _read(path: Path, where: str) -> Any:
	"""What a file holds, or the InputError that stands for it where it cannot be read."""
	try:
		return pd.read_parquet(path) if path.suffix == ".parquet" else json.loads(path.read_text("utf-8"))
	except FileNotFoundError:
		return InputError(where, "it is not there", _REMEDY)
	except (OSError, ValueError) as error:
		return InputError(where, f"it is damaged ({error})", _REMEDY)


def _read_raw(folder: Path) -> tuple[pd.DataFrame, str]:
	"""The loans as extracted, by id, and the digest of their files."""
	try:
		manifest = read_manifest(folder / MANIFEST)
		table = read_table([folder / part.name for part in manifest.parts], read_outdated(manifest, folder))
	except DamagedSnapshotError as error:
		raise InputError(f"snapshot {folder}", f"there are no raw loans ({error})", _REMEDY) from error
	digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in sorted(manifest.files))).hexdigest()
	loans = table.to_pandas().set_index("loan_id").rename(columns={COLUMNS[name].source_name: name for name in _RAW})
	read = loans[[*_RAW]].assign(
		term_months=loans["term_months"].astype(str).str.extract(r"(\d+)", expand=False).astype(float),
		issue_month=pd.to_datetime(loans["issue_month"], format="mixed"),
	)
	return read[~read.index.duplicated(keep=False)], digest
