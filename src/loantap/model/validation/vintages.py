"""How a model ages."""

from dataclasses import asdict, dataclass

import pandas as pd

from loantap.measures.auc import resample_auc
from loantap.measures.intervals import measure_default_rate
from loantap.measures.metrics import expected_calibration_error, perfect_ece_bounds
from loantap.model.training.options import OutOfTimeOptions
from loantap.model.training.predictions import CROSS_VALIDATION, OUT_OF_TIME, TEST
from loantap.model.training.splits import end_of_contract, plan_origins
from loantap.model.validation.evaluation import EvaluationOptions
from loantap.portfolio.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Judgement:
	"""PDs against outcomes of some loans, with 95% intervals; NaN where there are too few.

	Attributes:
		observed_to_expected: charge-offs over the sum of the PDs, by the interval of the default rate.
		roc_auc: by bootstrap, where each outcome has `MIN_FOR_AUC` loans.
		ece_perfect_low: with `ece_perfect_high` the bounds of a perfect model's ECE here, 95 times in 100.
	"""

	n: int
	charged_off: int
	default_rate: float
	default_rate_low: float
	default_rate_high: float
	mean_pd: float
	observed_to_expected: float
	observed_to_expected_low: float
	observed_to_expected_high: float
	roc_auc: float
	roc_auc_low: float
	roc_auc_high: float
	ece: float
	ece_perfect_low: float
	ece_perfect_high: float


@dataclass(frozen=True, slots=True)
class VintageAnalysis:
	"""How one model ages; `pooled` is None when no origin could be judged."""

	pooled: Judgement | None
	origins: pd.DataFrame
	vintages: pd.DataFrame


FIGURES = tuple(Judgement.__dataclass_fields__)


def analyse_vintages(
	predictions: pd.DataFrame, loans: pd.DataFrame, window: OutOfTimeOptions, options: EvaluationOptions
) -> VintageAnalysis:
	"""Judge one model out of time, origin by origin, and vintage by vintage."""
	judged = predictions[predictions["sample"].eq(OUT_OF_TIME)]
	return VintageAnalysis(
		pooled=None if judged.empty else judge(*_arrays(judged), options),
		origins=tabulate_origins(predictions, loans, window, options),
		vintages=tabulate_vintages(predictions, loans, window, options),
	)


def judge(target: IntArray, pd_: FloatArray, options: EvaluationOptions) -> Judgement:
	"""Set PDs against outcomes; at least one loan."""
	bad, loans, mean_pd = int(target.sum()), len(target), float(pd_.mean())
	default = measure_default_rate(bad, loans)
	# By bootstrap, as the AUC in `metrics.json`, beside which these are read.
	auc, auc_low, auc_high = resample_auc(target, pd_, seed=options.seed, resamples=options.resamples)
	perfect_low, perfect_high = perfect_ece_bounds(
		pd_, seed=options.seed, resamples=options.resamples, bins=options.calibration_bins
	)
	return Judgement(
		n=loans,
		charged_off=bad,
		**default.columns,
		mean_pd=mean_pd,
		observed_to_expected=default.rate / mean_pd,
		observed_to_expected_low=default.low / mean_pd,
		observed_to_expected_high=default.high / mean_pd,
		roc_auc=auc,
		roc_auc_low=auc_low,
		roc_auc_high=auc_high,
		ece=expected_calibration_error(target, pd_, options.calibration_bins),
		ece_perfect_low=perfect_low,
		ece_perfect_high=perfect_high,
	)


def tabulate_origins(
	predictions: pd.DataFrame, loans: pd.DataFrame, window: OutOfTimeOptions, options: EvaluationOptions
) -> pd.DataFrame:
	"""How each origin's model did on the loans issued from it to the next one.

	One row per origin: the columns of `plan_origins` but counts of loans judged, and `Judgement`, missing where
	skipped.
	"""
	judged = _pick(predictions, [OUT_OF_TIME], loans)
	rows = [
		{"origin": origin, **asdict(judge(*_arrays(group), options))} for origin, group in judged.groupby("judged_at")
	]
	plan = plan_origins(loans, window).drop(columns=["judged_loans", "judged_charge_offs"])
	measured = pd.DataFrame(rows, columns=["origin", *FIGURES]).astype({"origin": "datetime64[s]"})
	return _type_figures(plan.merge(measured, on="origin", how="left"))


def tabulate_vintages(
	predictions: pd.DataFrame, loans: pd.DataFrame, window: OutOfTimeOptions, options: EvaluationOptions
) -> pd.DataFrame:
	"""How the model does on loans of each issue year and term that it did not see.

	Predictions out of fold and of the test split count. One row each: `issue_year`, `term_months`, `interpretable` and
	the columns of `Judgement`. A vintage is interpretable when all its contracts ended before `window.outcomes_as_of`;
	of others only early endings are known, so `observed_to_expected` and `ece` are missing.
	"""
	unseen = _pick(predictions, [CROSS_VALIDATION, TEST], loans)
	matured = end_of_contract(unseen) < pd.Timestamp(window.outcomes_as_of)
	by = {
		"issue_year": unseen["issue_month"].dt.year.astype("int64"),
		"term_months": unseen["term_months"].astype("int64"),
	}
	rows = [
		{
			"issue_year": year,
			"term_months": term,
			"interpretable": bool(matured[group.index].all()),
			**asdict(judge(*_arrays(group), options)),
		}
		for (year, term), group in unseen.assign(**by).groupby(list(by))
	]
	table = _type_figures(pd.DataFrame(rows))
	levels = [name for name in FIGURES if name.startswith(("observed_to_expected", "ece"))]
	return table.assign(**{n: table[n].where(table["interpretable"]) for n in levels})


def _pick(predictions: pd.DataFrame, samples: list[str], loans: pd.DataFrame) -> pd.DataFrame:
	rows = predictions.loc[predictions["sample"].isin(samples), ["loan_id", "is_charged_off", "probability_of_default"]]
	return rows.merge(loans.drop(columns="is_charged_off", errors="ignore"), on="loan_id")


def _arrays(rows: pd.DataFrame) -> tuple[IntArray, FloatArray]:
	return rows["is_charged_off"].to_numpy("int64"), rows["probability_of_default"].to_numpy()


def _type_figures(table: pd.DataFrame) -> pd.DataFrame:
	return table.astype(dict.fromkeys(FIGURES, "float64"))
