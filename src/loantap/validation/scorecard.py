"""Points, what scores have meant, and reasons."""

import re
from collections.abc import Iterator
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import binomtest

from loantap.validation.check import Check, Material, compare, compare_each, count

# 600 points at four paid loans per default; 50 more double the odds.
_FACTOR = 50 / np.log(2)
_BASE, _BAND = "base points", 25
_NUMBER = re.compile(r"(\d[\d,]*)(\.\d+)?(%?)")
# Features that are the logarithm of what is quoted.
_LOGS = ("log_loan_amount", "log_annual_income")
_LETTERS = f"{ascii_lowercase} "


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


def find_gaps(card: pd.DataFrame) -> pd.Series:
  """By feature, whether its bands do not follow each other from the lowest number to the highest."""
  gaps = {}
  for name, rows in card.dropna(subset="low").groupby("feature"):
    edges = np.append(rows["low"], rows["high"].iloc[-1])
    ends = edges[0] == -np.inf and edges[-1] == np.inf
    gaps[name] = not (ends and np.all(edges[1:] > edges[:-1]) and np.array_equal(edges[1:], rows["high"]))
  return pd.Series(gaps, dtype=bool)


def check_points(given: Material) -> Iterator[Check]:
  """Points add up to the stored PD, and the report tells them."""
  card, table, test = given.file("scorecard.parquet"), given.features(), given.sample("test")
  gaps = find_gaps(card)
  yield count("scorecard.parquet: bands with gaps, or in another order", len(gaps), gaps)
  log_odds = (600 - add_points(card, table.reindex(test["loan_id"]))) / _FACTOR - np.log(4)
  stored = logit(test["probability_of_default"])
  yield compare("test: log-odds, from PD and points", len(test), stored, log_odds, 1e-6, "sums of floats")
  report, train = given.file("scorecard.json"), table[table["split"] == "train"]
  base = card.loc[card["feature"] == _BASE, "points"].sum()
  yield compare("scorecard.json: base points", len(train), report["base_points"], base)
  told: dict[Any, Any] = {}
  found: dict[Any, Any] = {}
  for feature, rows in card[card["feature"] != _BASE].groupby("feature"):
    attributes, points = place(rows, train[feature])
    own = pd.Series(points).groupby(attributes).agg(["size", "mean"]).drop("any other", errors="ignore")
    found |= {(feature, name): figures for name, *figures in own.itertuples()}
  for entry in report["features"]:
    told |= {(entry["feature"], row["attribute"]): [row["n"], row["points"]] for row in entry["attributes"]}
  for number, name in enumerate(("loans", "mean points")):
    sides = (pd.Series({": ".join(key): row[number] for key, row in side.items()}) for side in (told, found))
    yield from compare_each(f"scorecard.json: {name} of attributes", *sides)


def check_scores(given: Material) -> Iterator[Check]:
  """What scores have meant, and the made-up case."""
  report, cv = given.file("scorecard.json"), given.sample("cv")
  exact = 600 - _FACTOR * (logit(cv["probability_of_default"]) + np.log(4))
  score = np.clip(np.rint(exact), 300, 900)
  bands = cv.groupby(score // _BAND * _BAND)
  found = pd.DataFrame({"n": bands.size(), "charged_off": bands["is_charged_off"].sum()})
  ends = [binomtest(int(bad), int(n)).proportion_ci(method="wilson") for n, bad in found.itertuples(index=False)]
  low, high = zip(*ends, strict=True)
  found = found.assign(default_rate=found["charged_off"] / found["n"], default_rate_low=low, default_rate_high=high)
  found = found.assign(mean_pd=bands["probability_of_default"].mean(), highest=found.index + _BAND - 1)
  told = pd.DataFrame(report["bands"]).set_index("lowest")
  yield compare("scorecard.json: order of the bands of scores", len(told), told.index, found.index, 0)
  for name in found:
    yield from compare_each(f"scorecard.json: {name} of scores from", told[name], found[name])
  yield from _check_example(report)
  yield from _check_numbers(report, given.file("scorecard.parquet"))


def _check_example(report: dict[str, Any]) -> Iterator[Check]:
  example = report["example"]
  points = pd.Series(example["points"]).sort_values()
  own = 600 - _FACTOR * (logit(example["probability_of_default"]) + np.log(4))
  yield compare("made-up case: points", 1, report["base_points"] + points.sum(), own, 0.01, "six digits each")
  yield compare("made-up case: score", 1, example["score"], np.clip(own, 300, 900), 0.5, "a whole number")
  # Below .01 of log-odds nothing is a reason.
  strongest = [phrase.casefold() for phrase in points[points <= -0.01 * _FACTOR].index[:4]]
  told = [reason.partition(":")[0].casefold() for reason in example["reasons"]]
  yield compare("made-up case: reasons are not the strongest", 1, told != strongest, 0, 0)
  values = {phrase.casefold(): value for phrase, value in example["values"].items()}
  quoted = (reason.partition(": ")[2].partition(";")[0] for reason in example["reasons"])
  unlike = pd.Series({name: values.get(name) != quote for name, quote in zip(told, quoted, strict=True)}, dtype=bool)
  yield count("made-up case: reasons that quote another value", len(unlike), unlike)


def _check_numbers(report: dict[str, Any], card: pd.DataFrame) -> Iterator[Check]:
  """Numbers quoted have the points told, and what would count in favour has points above none."""
  example, phrases = report["example"], [entry["phrase"] for entry in report["features"]]
  remedies = {reason.partition(":")[0].casefold(): reason.partition("; ")[2] for reason in example["reasons"]}
  off, against = {}, {}
  for entry in report["features"]:
    name, phrase = entry["feature"], entry["phrase"]
    rows = card[card["feature"] == name]
    own, better = _points_at(rows, name, example["values"][phrase]), None
    if remedies.get(phrase):
      better = _points_at(rows, name, remedies[phrase].lstrip(_LETTERS))
    # Features of one phrase add up.
    if phrases.count(phrase) == 1 and own is not None:
      off[phrase] = not own[0] - 0.001 <= example["points"].get(phrase, 0) <= own[1] + 0.001
    if phrases.count(phrase) == 1 and better is not None:
      against[phrase] = better[1] < 0
  yield count("made-up case: values with other points", len(off), pd.Series(off, dtype=bool))
  yield count("made-up case: remedies that count against", len(against), pd.Series(against, dtype=bool))


def _points_at(rows: pd.DataFrame, name: str, text: str) -> tuple[float, float] | None:
  """Fewest and most points of a number as it is rounded in a text; None where the feature is another number."""
  found = _NUMBER.match(text)
  if rows["low"].isna().all():
    points = place(rows, pd.Series([text]))[1]
    return float(points[0]), float(points[0])
  if not found or (name.startswith("log_") and name not in _LOGS):
    return None
  whole, decimals, percent = found.groups("")
  half, scale = 0.5 * 10 ** -max(len(decimals) - 1, 0), 100 if percent and not name.endswith("_pct") else 1
  ends = (float(whole.replace(",", "") + decimals) + np.array([-half, half])) / scale
  points = place(rows, pd.Series(np.log(ends) if name in _LOGS else ends))[1]
  return float(points.min()), float(points.max())
