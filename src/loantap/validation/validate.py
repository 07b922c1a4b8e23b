"""All checks of a version."""

from collections.abc import Iterator
from typing import Final

from loantap.portfolio.errors import InputError
from loantap.validation.check import Check, Material, compare
from loantap.validation.metrics import check_metrics
from loantap.validation.money import check_decisions, check_instalments, check_money
from loantap.validation.refit import check_refit, check_scorecard

NOT_VALIDATED: Final = (
  "whether the sources tell the truth, and rows lost before the snapshot (reconciliation.parquet counts them)",
  "how features are computed (they are taken from the model input), and reasons of single applications",
  "PDs out of fold and out of time: their models are not kept",
  "the choice of the candidate, promotion, the leakage gate, fairness, findings, offers",
  "the economic assumptions: there are no payments or recoveries to hold them against",
)


def check_record(given: Material) -> Iterator[Check]:
  """No loan is on both sides; outcomes are the raw ones."""
  rows = given.files["predictions.parquet"]
  cv, test = (set(given.sample(name)["loan_id"]) for name in ("cv", "test"))
  yield compare("loans in training and test", len(cv | test), len(cv & test), 0)
  status = rows["loan_id"].map(given.raw["loan_status"]).str.casefold()
  yield compare("loans not in the raw data", len(rows), status.isna().sum(), 0)
  if given.facts["target"] == "charged_off":
    known = status.str.endswith(("charged off", "fully paid"))
    wrong = known & (status.str.endswith("charged off") != rows["is_charged_off"])
    yield compare("outcomes that are not the raw status", int(known.sum()), wrong.sum(), 0)


# With the files that each needs and that may not be there.
PARTS: Final = {
  "Record": (check_record, ""),
  "Metrics": (check_metrics, "metrics.json"),
  "EMI": (check_instalments, "instalment_exceptions.parquet"),
  "Points": (check_scorecard, "scorecard.parquet model_input.parquet"),
  "Decisions": (check_decisions, "fairness.json"),
  "Money": (check_money, "imputed_profits.parquet policy_comparison.parquet"),
  "Refit": (check_refit, "model_input.parquet"),
}


def validate(given: Material) -> tuple[dict[str, list[Check]], list[str]]:
  """Checks by part, and what is not validated; InputError where a file lacks something."""
  checks, left_out = {}, []
  for part, (check, needed) in PARTS.items():
    absent = [name for name in needed.split() if name not in given.files]
    if absent:
      left_out.append(f"{part}: {', '.join(absent)} is not there for this version")
      continue
    try:
      checks[part] = list(check(given))
    except KeyError as error:
      remedy = "Run `--pipelines training`, then `make validate`"
      raise InputError(f"validation, {part}", f"the files of the version lack {error}", remedy) from error
  return checks, [*left_out, *NOT_VALIDATED]
