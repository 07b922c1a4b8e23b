"""Which loans were judged, how they turned out, and what was published of them."""

from collections.abc import Iterator
from typing import Any, Final

from loantap.validation.check import Check, Material, compare, count

# Reports of the run by the file of the evidence that they became.
PUBLISHED: Final = {
  "08_reporting/metrics.json": "metrics.json",
  "08_reporting/fairness.json": "fairness.json",
  "08_reporting/{}/metrics.json": "metrics.json",
  "08_reporting/{}/scorecard.json": "scorecard.json",
  "08_reporting/{}/thresholds.json": "thresholds.json",
}


def check_record(given: Material) -> Iterator[Check]:
  """No loan is on both sides, and each is in the raw data."""
  cv, test = (set(given.sample(name)["loan_id"]) for name in ("cv", "test"))
  yield compare("loans in training and test", len(cv | test), len(cv & test), 0, 0)
  rows = given.file("predictions.parquet")
  ids = rows["loan_id"]
  yield count("loans twice in a sample", len(rows), ids[rows.duplicated(["loan_id", "sample"])])
  yield count("loans not in the raw data", ids.nunique(), ids[~ids.isin(given.raw.index)].unique())


def check_outcomes(given: Material) -> Iterator[Check]:
  """Outcomes are the raw ones."""
  rows = given.file("predictions.parquet").set_index("loan_id")
  status = given.raw["loan_status"].reindex(rows.index).str.casefold()
  bad, paid = (status.str.endswith(end).eq(True) for end in ("charged off", "fully paid"))
  # One that still runs has no outcome.
  wrong = status.notna() & ~(bad & rows["is_charged_off"].eq(1) | paid & rows["is_charged_off"].eq(0))
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
    told = dict(_spread(reported[namespace] if file == "08_reporting/metrics.json" else reported))
    found = dict(_spread(kept))
    unlike = [key for key in sorted({*told, *found}) if told.get(key, "nothing") != found.get(key, "nothing")]
    yield count(f"{file}: unlike the evidence", len(found), unlike)


def _spread(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
  """Every value of a report, with its path."""
  if not isinstance(content, dict | list):
    yield path.removeprefix("."), content
    return
  for name, inner in content.items() if isinstance(content, dict) else enumerate(content):
    yield from _spread(inner, f"{path}.{name}")
