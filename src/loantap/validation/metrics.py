"""Metrics and their bounds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from loantap.validation.check import Check, Material, compare, count

_SEED, _RESAMPLES = 7_003, 1_000  # not the run's
# Standard error of a 2.5% quantile of normal draws, in standard deviations / sqrt(draws).
_OF_QUANTILE = 2.67
_FEWEST = 100  # loans; of fewer a draw takes so few values that its quantiles jump
_JUDGED = ("is_charged_off", "probability_of_default", "declined")
_TRADED = ("f2", "precision", "recall", "approval_rate", "default_rate_approved", "f2_decline_all")


def measure(bad: Any, pd_: Any, declined: Any, times: Any = 1, bins: int = 10) -> dict[str, float]:
	"""Figures of PDs in rising order, each counted `times`: AUC from mid-ranks, the rest from counts."""
	count = np.ones(len(bad)) * times
	starts = np.flatnonzero(np.append(True, np.diff(pd_) > 0))
	loans, bads = np.add.reduceat(count, starts), np.add.reduceat(count * bad, starts)
	n, defaults = loans.sum(), bads.sum()
	flagged, caught = np.cumsum(loans[::-1]), np.cumsum(bads[::-1])
	gaps = np.append(0, np.cumsum(np.repeat(pd_ - bad, count.astype(int))))
	hits, flags = (count * bad)[declined].sum(), count[declined].sum()
	ranks = bads @ (np.cumsum(loans) - (loans - 1) / 2)
	return {
		"default_rate": defaults / n,
		"roc_auc": (ranks - defaults * (defaults + 1) / 2) / (defaults * (n - defaults)),
		"average_precision": bads[::-1] @ (caught / np.maximum(flagged, 1)) / defaults,
		"ks": (caught / defaults - (flagged - caught) / (n - defaults)).max(),
		"brier": count @ (pd_ - bad) ** 2 / n,
		"ece": np.abs(np.diff(gaps[np.linspace(0, n, bins + 1).round().astype(int)])).sum() / n,
		"accuracy": (n - defaults - flags + 2 * hits) / n,
		"precision": hits / max(flags, 1),
		"recall": hits / defaults,
		"f2": 5 * hits / (4 * defaults + flags),
		"f2_decline_all": 5 * defaults / (4 * defaults + n),
		"approval_rate": 1 - flags / n,
		"default_rate_approved": (defaults - hits) / max(n - flags, 1),
	}


def find_thresholds(bad: Any, pd_: Any) -> Any:
	"""The thresholds of the highest F2; more than one where they tie."""
	loans = pd.Series(bad).groupby(pd_).agg(["size", "sum"])[::-1].cumsum()
	f2 = 5 * loans["sum"] / (4 * loans["sum"].iloc[-1] + loans["size"])
	return f2.index[f2 >= f2.max() - 1e-12].to_numpy()


def check_metrics(given: Material) -> Iterator[Check]:
	"""Figures of every sample, and their bounds."""
	bins, theirs = (int(given.parameters[f"evaluation.{name}"]) for name in ("calibration_bins", "resamples"))
	stored = given.file("predictions.parquet")["sample"]
	for sample in ("cv", "test", "out_of_time"):
		block, n = given.file("metrics.json")[sample] or {"n": 0}, int((stored == sample).sum())
		yield compare(f"{sample}: loans", n, block["n"], n, 0)
		if sample == "out_of_time" and not n:  # no month of origin could be judged
			continue
		rows = given.sample(sample)
		rising = rows.sort_values("probability_of_default", kind="stable")
		bad, pd_, declined = (rising[name].to_numpy() for name in _JUDGED)
		found = measure(bad, pd_, declined, bins=bins) | {"threshold": rows["threshold"].mean()}
		yield from (compare(f"{sample}: {name}", n, block[name], value) for name, value in found.items())
		if n < _FEWEST:
			continue
		rng, ours, drawn = np.random.default_rng(_SEED), int(np.clip(5e7 // n, 200, _RESAMPLES)), pd.DataFrame()
		if sample != "cv":  # its folds share loans
			times = (np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(ours))
			both = (each for each in times if 0 < each @ bad < n)  # else there is no AUC
			drawn = pd.DataFrame([measure(bad, pd_, declined, each, bins) for each in both]).reindex(range(ours))
		perfect = (rng.random(n) < pd_ for _ in range(ours))
		drawn["ece_perfect"] = [measure(outcomes, pd_, declined, bins=bins)["ece"] for outcomes in perfect]
		for name, values in drawn.items():
			low, high = values.quantile([0.025, 0.975])
			off = 5 * (1 / ours + 1 / theirs) ** 0.5
			# Of a quantile in the tail of a normal law; of draws of few values, what lies around it.
			tail = off * _OF_QUANTILE * values.std()
			ends = [(end, max(tail, *_find_gaps(values, level, off))) for end, level in ((low, 0.025), (high, 0.975))]
			if name in {"ks", "ece"}:  # biased upwards: basic intervals
				basic = [(2 * float(found[name]) - end, error) for end, error in reversed(ends)]
				ends = [(max(end, least), error) for (end, error), least in zip(basic, (0, found[name]), strict=True)]
			for key, (value, error) in zip((f"{name}_low", f"{name}_high"), ends, strict=True):
				yield compare(f"{sample}: {key}", n, block[key], value, error, "5 Monte-Carlo standard errors")


def _find_gaps(values: Any, level: float, off: float) -> Any:
	"""How far the quantiles lie that are `off` standard errors of a share below and above a level."""
	around = np.clip([level - off * 0.156, level + off * 0.156], 0, 1)  # sqrt(.025 * .975)
	return (values.quantile(around) - values.quantile(level)).abs()


def _find_off(rows: pd.DataFrame, threshold: Any) -> list[str]:
	return list(rows["loan_id"][(rows["probability_of_default"] >= threshold) != rows["declined"]])


def check_thresholds(given: Material) -> Iterator[Check]:
	"""The threshold of the highest F2 in cross-validation, decisions at it, and the trade-off around it."""
	cv, test = given.sample("cv"), given.sample("test")
	bad, pd_ = cv["is_charged_off"].to_numpy(), cv["probability_of_default"].to_numpy()
	fixed = given.parameters.get(f"modeling.{given.facts['namespace']}.threshold")
	best = find_thresholds(bad, pd_) if fixed is None else np.array([fixed])
	chosen, report = float(best[np.abs(best - cv["threshold"].iloc[0]).argmin()]), given.file("thresholds.json")
	told = {"metrics.json, cv": given.file("metrics.json")["cv"], "thresholds.json": report["chosen"]}
	for place, block in (told | {"metrics.json, test": given.file("metrics.json")["test"]}).items():
		yield compare(f"{place}: best threshold", len(cv), block["threshold"], chosen)
	rising = np.argsort(pd_)
	figures = measure(bad[rising], pd_[rising], cv["declined"].to_numpy()[rising]) | {"n": len(cv)}
	for name in ("n", "f2", "f2_decline_all", "default_rate"):
		yield compare(f"thresholds.json: {name} at the threshold", len(cv), report["chosen"][name], figures[name])
	for sample, rows in (("cv", cv), ("test", test)):
		yield compare(f"{sample}: thresholds of loans", len(rows), rows["threshold"], np.full(len(rows), chosen), 1e-9)
	wrong: list[str] = []
	for fold, rows in cv.groupby("fold"):  # decided at the best of the other folds
		others = cv["fold"] != fold
		limits = find_thresholds(bad[others], pd_[others]) if fixed is None else best
		off = [_find_off(rows, limit) for limit in limits]
		fewest = min(map(len, off))
		wrong += next(ids for ids in off if len(ids) == fewest)
	yield count("cv: decisions off the threshold of the other folds", len(cv), wrong)
	for sample in ("test", "out_of_time"):
		if given.file("metrics.json")[sample] or sample == "test":
			rows = given.sample(sample)
			yield count(f"{sample}: decisions off the threshold", len(rows), _find_off(rows, rows["threshold"]))
	table, limits = pd.DataFrame(report["thresholds"]), np.unique(np.quantile(pd_, np.linspace(0.01, 0.99, 99)))
	bad, pd_ = bad[rising], pd_[rising]
	found = pd.DataFrame([measure(bad, pd_, pd_ >= limit) for limit in limits])
	yield compare("trade-off: thresholds", len(cv), table["threshold"], limits)
	yield from (compare(f"trade-off: {name}", len(cv), table[name], found[name]) for name in _TRADED)
