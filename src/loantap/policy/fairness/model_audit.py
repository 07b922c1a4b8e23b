"""Audit by groups that may stand for protected ones (`proxies.py`): it decides nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from loantap.measures.auc import measure_auc, quantile_bounds
from loantap.measures.intervals import measure_default_rates
from loantap.model.validation.evaluation import EvaluationOptions
from loantap.policy.fairness.proxies import PROXIES, bound_rate
from loantap.portfolio.arrays import BoolArray, FloatArray

# Of a smaller group no ratio is told, and none is the measure of others.
MIN_LOANS = 100
_JUDGED = ("is_charged_off", "probability_of_default")
_AUC = ("roc_auc", "roc_auc_low", "roc_auc_high")


def audit_groups(rows: pd.DataFrame, approved: Mapping[str, BoolArray], options: EvaluationOptions) -> dict[str, Any]:
	"""What a model says of each group of each proxy, and whom each rule would approve.

	`rows`: one per loan that the model did not see; `approved`: one array per rule.

	Returns per proxy `phrase`, `audit_only`, `favoured` (per rule, the group approved most often; None where nobody is)
	and `groups`: one row per group with `default_rate`, `mean_pd`, `observed_to_expected` and `roc_auc` with bounds (95%:
	Wilson; Hanley and McNeil) and, per rule, `measure_approvals`.
	"""
	audited: dict[str, Any] = {}
	for name, proxy in PROXIES.items():
		groups = proxy.group(rows)
		table = _judge_groups(rows, groups)
		favoured = {}
		for rule, whether in approved.items():
			measured = measure_approvals(rows, groups, whether, options)
			rate = measured["approval_rate"].where(measured["is_measure"])
			favoured[rule] = rate.idxmax() if rate.max() > 0 else None
			figures = measured.drop(columns="is_measure").add_prefix(f"{rule}_")
			table = table.join(figures)
		audited[name] = {
			"phrase": proxy.phrase,
			"audit_only": proxy.audit_only,
			"favoured": favoured,
			"groups": table.rename_axis("group").reset_index(),
		}
	return audited


def measure_approvals(
	rows: pd.DataFrame, groups: pd.Series, approved: BoolArray, options: EvaluationOptions
) -> pd.DataFrame:
	"""How often each group is approved, by itself and beside the group approved most often.

	One row per group: `approval_rate`, `approval_ratio` (missing below `MIN_LOANS`) and `false_positive_rate` (declined
	among those who paid back), with bounds (95%: Wilson, the ratio by bootstrap); `is_measure`: others can be measured by
	it.
	"""
	good = rows["is_charged_off"].eq(0).to_numpy()
	counts = pd.DataFrame({"loans": 1, "approved": approved, "good": good, "refused": good & ~approved})
	counts = counts.astype(float).groupby(groups.to_numpy(), observed=True).sum()
	counts = counts.reindex(groups.cat.categories)
	is_measure = counts["loans"] >= min(MIN_LOANS, counts["loans"].max())
	rate = counts["approved"] / counts["loans"]
	measure = int(rate.where(is_measure).argmax())
	ratio, low, high = _bootstrap_ratios(counts, measure, options)
	table = pd.DataFrame(
		{"approval_ratio": ratio, "approval_ratio_low": low, "approval_ratio_high": high}, index=counts.index
	)
	table = table.where(is_measure)
	for name, hits, of in (("approval_rate", "approved", "loans"), ("false_positive_rate", "refused", "good")):
		table[name] = counts[hits] / counts[of]
		table = table.assign(**bound_rate(name, counts[hits], counts[of]))
	return table.assign(is_measure=is_measure)


def _judge_groups(rows: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
	by = rows[list(_JUDGED)].groupby(groups.to_numpy())
	counted = by["is_charged_off"].agg(["size", "sum"]).reindex(groups.cat.categories)
	loans, bad = counted["size"].to_numpy(), counted["sum"].to_numpy("int64")
	mean_pd = by["probability_of_default"].mean().reindex(groups.cat.categories).to_numpy()
	default = measure_default_rates(bad, loans)
	# Of some thirty groups, small ones among them: see `measures/auc.py`.
	areas = {group: measure_auc(*(of_group[name].to_numpy() for name in _JUDGED)) for group, of_group in by}
	return pd.DataFrame(
		{
			"n": loans,
			"charged_off": bad,
			**default.columns,
			"mean_pd": mean_pd,
			"observed_to_expected": default.rate / mean_pd,
			"observed_to_expected_low": default.low / mean_pd,
			"observed_to_expected_high": default.high / mean_pd,
		},
		index=groups.cat.categories,
	).join(pd.DataFrame.from_dict(areas, orient="index", columns=list(_AUC)))


def _bootstrap_ratios(
	counts: pd.DataFrame, measure: int, options: EvaluationOptions
) -> tuple[FloatArray, FloatArray, FloatArray]:
	"""Drawing loans anew is one multinomial draw of how many of each group are approved and not."""
	cells = np.stack([counts["approved"], counts["loans"] - counts["approved"]], axis=-1)
	rng = np.random.default_rng(options.seed)
	total = int(cells.sum())
	drawn = rng.multinomial(total, cells.ravel() / total, size=options.resamples)
	ratios = _ratio(drawn.reshape(-1, *cells.shape), measure)
	bounds = np.array([quantile_bounds(of_group) for of_group in ratios.T])
	return _ratio(cells, measure), bounds[:, 0], bounds[:, 1]


def _ratio(cells: Any, measure: int) -> FloatArray:
	rate = cells[..., 0] / np.maximum(cells.sum(axis=-1), 1)
	of = rate[..., [measure]]
	ratios: FloatArray = np.divide(rate, of, out=np.full_like(rate, np.nan), where=of > 0)
	return ratios
