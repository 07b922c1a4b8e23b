"""The scorecard with what its scores have meant."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import logit

from loantap.features.build import build_features
from loantap.features.definitions import FEATURES
from loantap.measures.auc import measure_auc
from loantap.measures.intervals import measure_default_rates, measure_stability
from loantap.model.scoring.points import BASE, make_own_value
from loantap.model.scoring.scorecard import SCALE
from loantap.model.scoring.scorer import Scorer
from loantap.model.training.predictions import CROSS_VALIDATION, TEST
from loantap.portfolio.amortisation import emi
from loantap.portfolio.dictionary import Kind

_BINS: Final = 10
# Ten bands of fewer loans are mostly noise.
_MIN_LOANS: Final = 100


def report_stability(predictions: pd.DataFrame, loans: pd.DataFrame) -> dict[str, Any]:
	"""AUC fold by fold, and how far the PDs of other populations lie from those of training.

	Returns:
		`n`, training loans; `folds`: `n`, `charged_off`, `roc_auc` with bounds; `populations`: the test split against all
		training loans, and those of each issue year with 100 or more against the rest: `population`, `n`, `against_n`,
		`psi` with 95% bounds, `psi_chance` (see `StabilityIndex`).
	"""
	trained = predictions[predictions["sample"].eq(CROSS_VALIDATION)]
	return {
		"n": len(trained),
		"folds": [_measure_fold(fold, rows) for fold, rows in trained.groupby("fold")],
		"populations": list(_compare_populations(predictions, trained, loans)),
	}


def _measure_fold(fold: Any, rows: pd.DataFrame) -> dict[str, Any]:
	target = rows["is_charged_off"]
	# One of several folds, so its bounds are those of a group: see `measures/auc.py`.
	area, low, high = measure_auc(target.to_numpy(), rows["probability_of_default"].to_numpy())
	return {
		"fold": int(fold) + 1,
		"n": len(rows),
		"charged_off": int(target.sum()),
		"roc_auc": area,
		"roc_auc_low": low,
		"roc_auc_high": high,
	}


def _compare_populations(
	predictions: pd.DataFrame, trained: pd.DataFrame, loans: pd.DataFrame
) -> Iterator[dict[str, Any]]:
	test = predictions[predictions["sample"].eq(TEST)]
	yield _compare("test split", test, trained)
	year = trained["loan_id"].map(loans.set_index("loan_id")["issue_month"]).dt.year
	for issued in sorted(year.unique()):
		is_of_it = year.eq(issued)
		if min(is_of_it.sum(), (~is_of_it).sum()) >= _MIN_LOANS:
			yield _compare(f"issued {issued}", trained[is_of_it], trained[~is_of_it])


def _compare(population: str, actual: pd.DataFrame, expected: pd.DataFrame) -> dict[str, Any]:
	index = measure_stability(
		expected["probability_of_default"].to_numpy(), actual["probability_of_default"].to_numpy(), bins=_BINS
	)
	return {
		"population": population,
		"n": len(actual),
		"against_n": len(expected),
		"psi": index.psi,
		"psi_low": index.low,
		"psi_high": index.high,
		"psi_chance": index.chance,
	}


_BAND_POINTS: Final = 25
# Where the made-up applicant stands in each number that credit sense holds against a borrower.
_ADVERSE_SHARE: Final = 0.8


def report_scorecard(scorer: Scorer, points: pd.DataFrame, loans: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, Any]:
	"""The scorecard of one model, from `tabulate_points` and its training loans.

	The loans have canonical columns, `is_charged_off` and an out-of-fold `probability_of_default`.

	Returns:
		`model_name`, `model_version`; `n`, the training loans; `scale`; `base_points`; `features`, the strongest first:
		`feature`, `phrase`, `fewest` and `most` points, and `attributes`: `attribute`, `n` and mean `points`; `bands`,
		from `tabulate_score_bands`; `example`, from `explain_example`.
	"""
	is_base = points["feature"].eq(BASE)
	return {
		"model_name": scorer.name,
		"model_version": scorer.version,
		"n": len(loans),
		"scale": asdict(SCALE),
		"base_points": float(points.loc[is_base, "points"].iloc[0]),
		"features": _weigh_attributes(scorer, points[~is_base], loans),
		"bands": tabulate_score_bands(loans),
		"example": explain_example(scorer, loans, as_of),
	}


def tabulate_score_bands(loans: pd.DataFrame) -> pd.DataFrame:
	"""Loans scored in each band of 25 points, and how many were charged off.

	One row per band with loans, lowest first: `lowest`, `highest`, `n`, `charged_off`, `default_rate`,
	`default_rate_low`, `default_rate_high` (95% Wilson), `mean_pd`.
	"""
	score = SCALE.of_column(logit(loans["probability_of_default"].to_numpy()))
	lowest = (score // _BAND_POINTS * _BAND_POINTS).astype("int64")
	by_band = loans.groupby(lowest)
	counted = by_band["is_charged_off"].agg(["size", "sum"])
	count, bad = counted["size"].to_numpy(), counted["sum"].to_numpy("int64")
	return pd.DataFrame(
		{
			"lowest": counted.index,
			"highest": counted.index + _BAND_POINTS - 1,
			"n": count,
			"charged_off": bad,
			**measure_default_rates(bad, count).columns,
			"mean_pd": by_band["probability_of_default"].mean().to_numpy(),
		}
	)


def explain_example(scorer: Scorer, loans: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, Any]:
	"""A made-up application, scored, with its reasons and the points each feature gave it.

	`values` per phrase as a reason quotes them, `probability_of_default`, `score`, `reasons`, `base_points`, `points`
	per phrase, which sum to the score before rounding.
	"""
	application = make_example_application(scorer, loans)
	assessed = scorer.assess_columns(application, as_of)
	reasons = assessed.reasons.as_text(application.index).iloc[0]
	features = build_features(application, scorer.feature_set.features)
	contributed = scorer.scorecard.contributions(features).iloc[0]
	phrases = pd.Series({name: FEATURES[name].phrase for name in contributed.index})
	points = (-SCALE.factor * contributed).groupby(phrases).sum()
	return {
		"values": {FEATURES[name].phrase: _quote(name, application.iloc[0]) for name in contributed.index},
		"probability_of_default": float(assessed.probability_of_default[0]),
		"score": int(assessed.score[0]),
		"reasons": [reason for reason in reasons if reason],
		"base_points": SCALE.exact(scorer.scorecard.base),
		"points": points[points.abs() > 0].sort_values().to_dict(),
	}


def make_example_application(scorer: Scorer, loans: pd.DataFrame) -> pd.DataFrame:
	"""One made-up application: no borrower's own.

	The commonest category, the median of each number, or its adverse fifth where credit sense holds one side against a
	borrower; the instalment is the EMI. What no loan states is missing.
	"""
	adverse = {FEATURES[n].uses[0]: FEATURES[n].adverse for n in scorer.feature_set.features[::-1]}
	shares = {"high": _ADVERSE_SHARE, "low": 1 - _ADVERSE_SHARE}
	made: dict[str, Any] = {}
	for column in scorer.columns:
		rising = loans[column.name].dropna().sort_values()
		if rising.empty:  # a column that was not collected: nobody states it
			made[column.name] = np.nan
			continue
		share = shares.get(adverse.get(column.name, ""), 0.5)
		is_ordered = share != 0.5 or column.kind in (Kind.NUMBER, Kind.COUNT)
		place = int(share * (len(rising) - 1))
		made[column.name] = (rising if is_ordered else rising.mode()).iloc[place * is_ordered]
	if "instalment" in made:
		terms = (made["loan_amount"], made["interest_rate_pct"], made["term_months"])
		made["instalment"] = round(float(emi(*terms)), 2)
	return pd.DataFrame([made])


def _weigh_attributes(scorer: Scorer, points: pd.DataFrame, loans: pd.DataFrame) -> list[dict[str, Any]]:
	features = build_features(loans, scorer.feature_set.features)
	given = -SCALE.factor * scorer.scorecard.contributions(features)
	entries = []
	for feature, rows in points.groupby("feature", sort=False):
		name = str(feature)
		attributes = [
			{"attribute": attribute, "n": int(has_it.sum()), "points": given.loc[has_it, name].mean()}
			for attribute, has_it in _find_attributes(rows, features[name])
		]
		weighed = pd.DataFrame(attributes).query("n > 0")
		ends = {"fewest": weighed["points"].min(), "most": weighed["points"].max()}
		entry = {"feature": name, "phrase": FEATURES[name].phrase, **ends, "attributes": weighed}
		entries.append(entry)
	moving = [entry for entry in entries if entry["fewest"] < entry["most"]]
	return sorted(moving, key=lambda entry: float(entry["fewest"] - entry["most"]))


def _find_attributes(rows: pd.DataFrame, values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
	for attribute, low, high in rows[["attribute", "low", "high"]].itertuples(index=False):
		if not np.isnan(low):
			yield attribute, values.gt(low) & values.le(high)
		elif pd.api.types.is_numeric_dtype(values):
			yield attribute, values.isna()
		else:
			yield attribute, values.str.replace("_", " ").eq(attribute)


def _quote(name: str, application: pd.Series) -> str:
	own = make_own_value(name)
	key = own.round_one(own.take_one(dict(application)))
	return "not stated" if key is None else own.show(key)
