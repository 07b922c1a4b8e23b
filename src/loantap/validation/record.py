"""Which loans were judged, how they turned out, and what was published of them."""

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from loantap.validation.check import Check, Material, compare, count

# Reports of the run by the file of the evidence that they became.
PUBLISHED: Final = {
	"08_reporting/metrics.json": "metrics.json",
	"08_reporting/fairness.json": "fairness.json",
	"08_reporting/{}/metrics.json": "metrics.json",
	"08_reporting/{}/scorecard.json": "scorecard.json",
	"08_reporting/{}/thresholds.json": "thresholds.json",
	"07_model_output/{}/predictions.parquet": "predictions.parquet",
}
_BEFORE = "does not meet the credit policy. status:"  # stands before the words of loans that an older policy approved
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def check_record(given: Material) -> Iterator[Check]:
	"""No loan is on both sides, and each is in the raw data."""
	cv, test = (set(given.sample(name)["loan_id"]) for name in ("cv", "test"))
	yield compare("loans in training and test", len(cv | test), len(cv & test), 0, 0)
	rows = given.file("predictions.parquet")
	ids = rows["loan_id"]
	yield count("loans twice in a sample", len(rows), ids[rows.duplicated(["loan_id", "sample"])])
	yield count("loans not in the raw data", ids.nunique(), ids[~ids.isin(given.raw.index)].unique())
	for file in given.file("evidence.json")["files"]:
		is_same = given.digests.get(file["file"]) == file["sha256"]
		yield count(f"bytes of {file['file']} unlike evidence.json", 1, [] if is_same else ["changed or lost"])


def read_outcomes(statuses: pd.Series, mapped: dict[str, Any]) -> pd.Series:
	"""1 charged off, 0 paid back, NaN neither, by the words known and those mapped, which go before."""
	meant: dict[str, float] = {}
	for before in ("", _BEFORE):
		meant |= {_fold(f"{before}fully paid"): 0, _fold(f"{before}charged off"): 1}
	for name, words in mapped.items():
		outcome = {"paid": 0.0, "charged_off": 1.0}.get(name, np.nan)
		meant |= {_fold(word["status"] if isinstance(word, dict) else word): outcome for word in words}
	return statuses.fillna("").map(lambda status: meant.get(_fold(status), np.nan)).astype(float)


def _fold(words: Any) -> str:
	return _BETWEEN_WORDS.sub(" ", str(words).casefold().strip())


def check_outcomes(given: Material) -> Iterator[Check]:
	"""Outcomes are the raw ones."""
	rows = given.file("predictions.parquet").set_index("loan_id")
	outcomes = read_outcomes(given.raw["loan_status"].reindex(rows.index), given.below("ingestion.statuses."))
	# A loan that still runs has none; those that the raw data lack are named by the record.
	wrong = rows.index.isin(given.raw.index) & outcomes.ne(rows["is_charged_off"])
	yield count("outcomes that are not the raw status", len(rows), wrong.index[wrong])


def check_split(given: Material) -> Iterator[Check]:
	"""The loans of each sample are those that the split gives it."""
	table, rows = given.features(), given.file("predictions.parquet")
	meant = {"cv": table["split"] == "train", "test": table["split"] == "test", "out_of_time": table["judged_at"].notna()}
	for sample, of in meant.items():
		judged = set(rows.loc[rows["sample"] == sample, "loan_id"])
		unlike = judged ^ set(table.index[of])
		yield count(f"{sample}: loans unlike the split", len(judged), sorted(unlike))


def check_published(given: Material) -> Iterator[Check]:
	"""Reports in `data` say what the evidence says."""
	namespace = given.facts["namespace"]
	for place, name in PUBLISHED.items():
		if name == "scorecard.json" and "Points" in given.absent:
			continue
		file = place.format(namespace)
		reported, kept = given.file(file), given.file(name)
		if isinstance(kept, pd.DataFrame):
			yield count(f"{file}: loans unlike the evidence", len(kept), _find_unlike(reported, kept))
			continue
		if file == "08_reporting/metrics.json":
			origin = given.file("evidence.json")["run"]["origin"]
			yield count(f"{file}: origin unlike the run", 1, [] if reported["origin"] == origin else [reported["origin"]])
			reported = reported[namespace]
		told = dict(_spread(reported))
		found = dict(_spread(kept))
		unlike = [key for key in sorted({*told, *found}) if told.get(key, "nothing") != found.get(key, "nothing")]
		yield count(f"{file}: unlike the evidence", len(found), unlike)


def _find_unlike(reported: pd.DataFrame, kept: pd.DataFrame) -> list[str]:
	both = reported.merge(kept, "outer", ["sample", "fold", "loan_id", "is_charged_off", "declined"], indicator=True)
	unlike = both["_merge"] != "both"
	for name in ("probability_of_default", "threshold"):
		unlike |= ~((both[f"{name}_x"] - both[f"{name}_y"]).abs() <= 1e-9)
	return list(both.loc[unlike, "loan_id"])


def _spread(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
	"""Every value of a report, with its path."""
	if not isinstance(content, dict | list):
		yield path.removeprefix("."), content
		return
	for name, inner in content.items() if isinstance(content, dict) else enumerate(content):
		yield from _spread(inner, f"{path}.{name}")
