"""Evidence beside a version, with an index of every figure."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from loantap.model.leakage.last_training import LastTraining
from loantap.registry.judged import note_predictions
from loantap.registry.models import EVIDENCE, PREDICTIONS, ModelVersion, attach_files, find_champion, write_json
from loantap.registry.reading import FILES, UnreadableModelError, fetch_file, fetch_files

INDEX, LEAKAGE = "evidence.json", "leakage_report.json"
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
  """The run that made a version, with the origin of its loans, real or simulated.

  `git_commit` is `unknown` outside a checkout; `parameters` are by path.
  """

  command: str
  git_commit: str
  parameters: Mapping[str, Any]
  origin: str


def attach_evidence(model: ModelVersion, namespace: str, files: Mapping[str, Path], run: RunRecord) -> None:
  """Store files with a version under new names; of a report, index its namespace's part."""
  with tempfile.TemporaryDirectory() as folder:
    served = fetch_files(model, Path(folder))
    pack = fetch_file(model, EVIDENCE, Path(folder))
    for name, path in files.items():
      shutil.copy(path, pack / name)
    index = index_evidence(model, namespace, served, pack, run)
    write_json(pack / INDEX, index)
    attach_files(model, pack)
    if PREDICTIONS in files:
      note_predictions(model, pack / PREDICTIONS)


def index_evidence(model: ModelVersion, namespace: str, served: Path, pack: Path, run: RunRecord) -> dict[str, Any]:
  """`evidence.json`: run, files with digests, figures with their place and n, what is absent.

  `served` is the folder of the model's own files, `pack` that of the evidence.
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
  """What the leakage gate found when the champion of this name was trained; None where that is not known.

  Raises:
      RegistryDownError: the registry does not answer.
  """
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
