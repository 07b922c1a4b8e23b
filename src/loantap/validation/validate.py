"""All checks of a version."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from loantap.portfolio.errors import InputError
from loantap.validation.check import REMEDY, Check, Material
from loantap.validation.metrics import check_metrics, check_thresholds
from loantap.validation.money import check_decisions, check_instalments, check_money, check_targets
from loantap.validation.record import check_outcomes, check_published, check_record, check_split
from loantap.validation.refit import check_refit
from loantap.validation.scorecard import check_points, check_scores

NOT_VALIDATED: Final = (
	"whether the sources tell the truth, and rows lost before the snapshot (reconciliation.parquet counts them)",
	"how features are computed (they are taken from the model input), and reasons of single applications",
	"PDs and thresholds out of time, and PDs out of fold: their models are not kept",
	"bounds of metrics of fewer than 100 loans, whose resamples take few values",
	"how the made-up case was made up, and which values its reasons say would count in favour",
	"the largest share of a state: addresses come from another source",
	"reports on training, calibration, promotion, vintages, stability and leakage, but for coefficients of numbers",
	"the choice of the candidate, fairness but for approvals, findings, offers, bounds of the trade-off",
	"what other policies than the one in force and `npv` would earn, and of `npv` the yearly return and other ratios",
	"the economic assumptions: there are no payments or recoveries to hold them against",
	"pages, and the vintages and findings on them",
)

# What reading and comparing raise on content that is not as it should be; a part fails by them, and alone.
_OF_CONTENT: Final = (AttributeError, ArithmeticError, LookupError, TypeError, ValueError)


class Part(NamedTuple):
	"""Figures that are validated together, and the files that they need."""

	check: Callable[[Material], Iterator[Check]]
	files: tuple[str, ...]


PARTS: Final = {
	"Record": Part(check_record, ("predictions.parquet",)),
	"Outcomes": Part(check_outcomes, ("predictions.parquet",)),
	"Split": Part(check_split, ("predictions.parquet", "model_input.parquet")),
	"Published": Part(check_published, ("08_reporting",)),
	"Metrics": Part(check_metrics, ("metrics.json",)),
	"Thresholds": Part(check_thresholds, ("metrics.json", "thresholds.json")),
	"EMI": Part(check_instalments, ("instalment_exceptions.parquet",)),
	"Points": Part(check_points, ("scorecard.parquet", "scorecard.json", "model_input.parquet")),
	"Scores": Part(check_scores, ("scorecard.json",)),
	"Decisions": Part(check_decisions, ("fairness.json",)),
	"Targets": Part(check_targets, ("target_checks.parquet",)),
	"Money": Part(check_money, ("imputed_profits.parquet", "policy_comparison.parquet")),
	"Refit": Part(check_refit, ("training.json", "model_input.parquet")),
}


class Validation(NamedTuple):
	"""Checks by part; of parts that failed, why; what is not validated."""

	checks: dict[str, list[Check]]
	failed: dict[str, str]
	left_out: list[str]


def validate(given: Material) -> Validation:
	"""Check every part; one whose files are absent, empty or damaged fails, and the others go on."""
	found = Validation({}, {}, [f"{part}: {why}" for part, why in given.absent.items()])
	for name, part in PARTS.items():
		if name not in given.absent:
			found.checks[name] = []
			failure = run_part(part, given, found.checks[name])
			if failure:
				found.failed[name] = failure
	found.left_out.extend(NOT_VALIDATED)
	return found


def run_part(part: Part, given: Material, checks: list[Check]) -> str:
	"""Add the checks of a part; why the rest of it failed, or "" where all are there."""
	before, where = len(checks), ", ".join(part.files)
	try:
		for check in part.check(given):
			checks.append(check)  # noqa: PERF402 - those before a failure stay
	except InputError as error:
		return str(error)
	except _OF_CONTENT as error:
		lacks = f"it lacks {error}" if isinstance(error, KeyError) else f"it is not as it should be ({error})"
		return str(InputError(where, lacks, REMEDY))
	return "" if len(checks) > before else str(InputError(where, "there is nothing to compare", REMEDY))
