"""Points, what scores have meant, and reasons."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import binomtest

from loantap.validation.check import Check, Material, compare, compare_each, count

# 600 points at four paid loans per default; 50 more double the odds.
_FACTOR = 50 / np.log(2)
_BASE, _BAND = "base points", 25


def place(rows: pd.DataFrame, values: pd.Series) -> tuple[Any, Any]:
	"""The attribute of each value among the rows of its feature, and its points; NaN where it has none."""
	points = rows.set_index("attribute")["points"]
	if "any other" in points:
		named = values.str.replace("_", " ")
		named = named.where(named.isin(points.index), "any other")
		return named.to_numpy(), named.map(points).to_numpy()
	bands, value = rows.dropna(subset="low"), values.to_numpy(float)
	columns = bands[["points", "points_per_unit", "anchor"]].to_numpy()
	band = np.searchsorted(bands["high"], np.nan_to_num(value)).clip(max=len(bands) - 1)
	start, slope, anchor = columns[band].T
	given = np.where(np.isnan(value), points.get("not stated", np.nan), start + slope * (value - anchor))
	return np.where(np.isnan(value), "not stated", bands["attribute"].to_numpy(str)[band]), given


def add_points(card: pd.DataFrame, features: pd.DataFrame) -> Any:
	"""Points of each loan; NaN where a value has none."""
	is_base = card["feature"] == _BASE
	parts = [place(rows, features[str(name)])[1] for name, rows in card[~is_base].groupby("feature")]
	return np.sum(parts, axis=0) + card.loc[is_base, "points"].sum()


def find_gaps(card: pd.DataFrame) -> list[str]:
	"""Features whose bands do not follow each other from the lowest number to the highest."""
	banded = card.dropna(subset="low").groupby("feature")
	return [str(name) for name, rows in banded if not _follow(rows["low"].to_numpy(), rows["high"].to_numpy())]


def _follow(low: Any, high: Any) -> bool:
	is_whole = (low[0], high[-1]) == (-np.inf, np.inf)
	return bool(is_whole and np.array_equal(low[1:], high[:-1]) and (low < high).all())


def check_points(given: Material) -> Iterator[Check]:
	"""Points add up to the stored PD, and the report tells them."""
	card, table, test = given.file("scorecard.parquet"), given.features(), given.sample("test")
	yield count("scorecard.parquet: bands with gaps, or in another order", card["feature"].nunique(), find_gaps(card))
	log_odds = (600 - add_points(card, table.reindex(test["loan_id"]))) / _FACTOR - np.log(4)
	stored = logit(test["probability_of_default"])
	yield compare("test: log-odds, from PD and points", len(test), stored, log_odds, 1e-6, "sums of floats")
	report, train = given.file("scorecard.json"), table[table["split"] == "train"]
	base = card.loc[card["feature"] == _BASE, "points"].sum()
	yield compare("scorecard.json: base points", len(train), report["base_points"], base)
	entries = [(entry["feature"], row) for entry in report["features"] for row in entry["attributes"]]
	told = pd.DataFrame([row | {"of": f"{feature}: {row['attribute']}"} for feature, row in entries]).set_index("of")
	own: dict[str, tuple[int, float]] = {}
	for feature, rows in card[card["feature"] != _BASE].groupby("feature"):
		attributes, points = place(rows, train[feature])
		groups = [(name, of) for name, of in pd.Series(points).groupby(attributes) if name != "any other"]
		if len({round(of.mean(), 9) for _, of in groups}) > 1:  # others move no score, and are not told
			own |= {f"{feature}: {name}": (len(of), of.mean()) for name, of in groups}
	found = pd.DataFrame(own, ["n", "points"]).T
	for name in found:
		yield from compare_each(f"scorecard.json: {name} of attributes", told[name], found[name])


def check_scores(given: Material) -> Iterator[Check]:
	"""What scores have meant, and the made-up case."""
	report, cv = given.file("scorecard.json"), given.sample("cv")
	exact = 600 - _FACTOR * (logit(cv["probability_of_default"]) + np.log(4))
	score = np.clip(np.rint(exact), 300, 900)
	bands = cv.groupby(score // _BAND * _BAND)
	bad = bands["is_charged_off"]
	found = pd.DataFrame({"n": bands.size(), "charged_off": bad.sum(), "default_rate": bad.mean()})
	found["mean_pd"] = bands["probability_of_default"].mean()
	bounds = [
		binomtest(hits, of).proportion_ci(method="wilson") for hits, of in zip(bad.sum(), bands.size(), strict=True)
	]
	found["default_rate_low"], found["default_rate_high"] = zip(*bounds, strict=True)
	found["highest"] = found.index + _BAND - 1
	told = pd.DataFrame(report["bands"]).set_index("lowest")
	yield compare("scorecard.json: order of the bands of scores", len(told), told.index, found.index, 0)
	for name in found:
		yield from compare_each(f"scorecard.json: {name} of scores from", told[name], found[name])
	example = report["example"]
	points = pd.Series(example["points"]).sort_values()
	own = 600 - _FACTOR * (logit(example["probability_of_default"]) + np.log(4))
	yield compare("made-up case: points", 1, report["base_points"] + points.sum(), own, 0.01, "six digits each")
	yield compare("made-up case: score", 1, example["score"], np.clip(own, 300, 900), 0.5, "a whole number")
	# Below .01 of log-odds nothing is a reason.
	strongest = [phrase.casefold() for phrase in points[points <= -0.01 * _FACTOR].index[:4]]
	named = [reason.partition(":")[0].casefold() for reason in example["reasons"]]
	yield compare("made-up case: reasons are not the strongest", 1, named != strongest, 0, 0)
	values = {phrase.casefold(): value for phrase, value in example["values"].items()}
	quoted = (reason.partition(": ")[2].partition(";")[0] for reason in example["reasons"])
	unlike = [name for name, quote in zip(named, quoted, strict=True) if values.get(name) != quote]
	yield count("made-up case: reasons that quote another value", len(named), unlike)
