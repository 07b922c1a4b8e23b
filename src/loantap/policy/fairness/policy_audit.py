"""Whom each policy approves, group by group, and how it errs on each of them.

A true positive is a loan declined and charged off, a false positive one declined and paid back. All
loans were approved in their day: nothing is said of those turned away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, selection_rate

from loantap.model.training.predictions import OUT_OF_TIME
from loantap.policy.fairness.proxies import (
	ABOVE,
	BELOW,
	FEW,
	MEASURE,
	NOBODY,
	OPEN,
	POLICY_PROXIES,
	ApprovalRatios,
	bound_rate,
	measure_ratios,
)
from loantap.policy.money.returns import name_bounds
from loantap.policy.options import FairnessOptions
from loantap.portfolio.arrays import BoolArray, IntArray
from loantap.portfolio.errors import InputError

_KEYS = ("loan_id", "sample")
_TERMS = ("is_charged_off", "loan_amount", "interest_rate_pct", "term_months")
_GROUPED_BY = (
	"home_ownership",
	"profession",
	"annual_income",
	"earliest_credit_line",
	"issue_month",
	"employment_years",
	"pincode",
)

_COLUMNS = (
	"policy",
	"proxy",
	"phrase",
	"audit_only",
	"group",
	"n",
	"charged_off",
	"approved",
	"charged_off_approved",
	*name_bounds("approval_rate", "approval_ratio"),
	"verdict",
	*name_bounds("true_positive_rate", "false_positive_rate", "default_rate_approved", "observed_to_expected"),
)


def join_approvals(predictions: pd.DataFrame, approvals: pd.DataFrame, loans: pd.DataFrame) -> pd.DataFrame:
	"""Each loan once, with the PD of the model that did not see it and what each policy would do.

	One row per loan judged out of fold or on the test split (out of time they are the same again), with outcome, terms
	and what proxies are made of.
	"""
	judged = predictions.loc[predictions["sample"].ne(OUT_OF_TIME), [*_KEYS, "probability_of_default"]]
	joined = judged.merge(approvals, on=list(_KEYS), validate="one_to_one")
	used = loans[["loan_id", *_TERMS, *_GROUPED_BY]]
	joined = joined.merge(used, on="loan_id", validate="one_to_one")
	if len(joined) < len(judged):
		raise InputError(
			"insights.approvals",
			f"{len(judged) - len(joined):,} of {len(judged):,} judged loans have no approvals, or "
			"are not in 03_primary/loans: another portfolio was read since",
			"Run `--pipelines training`, which makes all of them from one portfolio",
		)
	return joined


def list_policies(approvals: pd.DataFrame) -> list[str]:
	"""The policies of a table of approvals, in its order."""
	return [name for name in approvals.columns if name not in _KEYS]


def audit_policies(rows: pd.DataFrame, policies: Sequence[str], options: FairnessOptions) -> pd.DataFrame:
	"""What each policy, a column of `rows` from `join_approvals`, does to each group of each proxy.

	As `FAIRNESS_BY_POLICY` has it. Rates have 95% Wilson bounds; those of `approval_ratio` hold for all groups of a proxy
	at once.
	"""
	tables = []
	for name, proxy in POLICY_PROXIES.items():
		groups = proxy.group(rows)
		counted = _count(rows, groups, policies)
		table = counted.join(_measure_rates(counted)).join(_measure_calibration(counted))
		by_policy = counted.groupby("policy", observed=True, sort=False)
		ratios = pd.concat([_tell_ratios(of_policy, options) for _, of_policy in by_policy])
		table = table.join(ratios).reset_index()
		tables.append(table.assign(proxy=name, phrase=proxy.phrase, audit_only=proxy.audit_only))
	audited = pd.concat(tables, ignore_index=True)
	return audited.astype({"policy": "str", "group": "str", "verdict": "str"})[list(_COLUMNS)]


def _count(rows: pd.DataFrame, groups: pd.Series, policies: Sequence[str]) -> pd.DataFrame:
	labels = groups.cat.categories
	code = groups.cat.codes.to_numpy()
	bad = rows["is_charged_off"].to_numpy("int64")
	pd_ = rows["probability_of_default"].to_numpy()
	tables = []
	for policy in policies:
		approves = rows[policy].to_numpy()
		cells = np.bincount(code * 4 + bad * 2 + approves, minlength=len(labels) * 4)
		_, approved_good, refused_bad, approved_bad = cells.reshape(-1, 4).T
		tables.append(
			pd.DataFrame(
				{
					"n": cells.reshape(-1, 4).sum(axis=1),
					"charged_off": refused_bad + approved_bad,
					"approved": approved_good + approved_bad,
					"charged_off_approved": approved_bad,
					"expected": np.bincount(code, pd_ * approves, minlength=len(labels)),
				},
				index=pd.Index(labels, name="group"),
			)
		)
	return pd.concat(tables, keys=policies, names=["policy"])


def _measure_rates(counted: pd.DataFrame) -> pd.DataFrame:
	loans, bad, approved = (counted[name] for name in ("n", "charged_off", "approved"))
	refused_bad = bad - counted["charged_off_approved"]
	refused_good = loans - approved - refused_bad
	measured_on = {
		"approval_rate": (approved, loans),
		"true_positive_rate": (refused_bad, bad),
		"false_positive_rate": (refused_good, loans - bad),
	}
	columns = {}
	for name, (hits, of) in measured_on.items():
		columns[name] = _measure_rate(hits, of)
		columns |= bound_rate(name, hits, of)
	return pd.DataFrame(columns)


def _measure_rate(hits: pd.Series, of: pd.Series) -> pd.Series:
	"""By policy and group; missing of nobody.

	Fairlearn measures two cells per group, weighted by their loans: the same rate at less cost.
	"""
	cells = pd.concat({1: hits, 0: of - hits}, names=["is_hit"])
	cells = cells[cells > 0].rename("loans").reset_index()
	frame = MetricFrame(
		metrics=selection_rate,
		y_true=cells["is_hit"],  # asked for, and not used
		y_pred=cells["is_hit"],
		control_features=cells[["policy"]],
		sensitive_features=cells[["group"]].astype("str"),
		sample_params={"sample_weight": cells["loans"]},
	)
	rates: pd.Series = frame.by_group.reindex(of.index)
	return rates


def _measure_calibration(counted: pd.DataFrame) -> pd.DataFrame:
	bad, approved, expected = (counted[name] for name in ("charged_off_approved", "approved", "expected"))
	rate = (bad / approved).where(approved > 0)
	bounds = bound_rate("default_rate_approved", bad, approved)
	mean_pd = expected / approved
	return pd.DataFrame(
		{"default_rate_approved": rate, **bounds, "observed_to_expected": rate / mean_pd}
		| {name.replace("default_rate_approved", "observed_to_expected"): bound / mean_pd for name, bound in bounds.items()}
	)


def _tell_ratios(counted: pd.DataFrame, options: FairnessOptions) -> pd.DataFrame:
	approved, loans = counted["approved"].to_numpy(), counted["n"].to_numpy()
	measured = measure_ratios(approved, loans, options.min_loans)
	return pd.DataFrame(
		{
			"approval_ratio": measured.ratio,
			"approval_ratio_low": measured.low,
			"approval_ratio_high": measured.high,
			"verdict": _judge(measured, loans, options),
		},
		index=counted.index,
	)


def _judge(measured: ApprovalRatios, loans: IntArray, options: FairnessOptions) -> Any:
	conditions: list[BoolArray] = [
		loans < options.min_loans,
		np.isnan(measured.ratio),
		measured.is_measure,
		measured.high < options.four_fifths,
		measured.low >= options.four_fifths,
	]
	told = [np.array(words) for words in (FEW, NOBODY, MEASURE, BELOW, ABOVE)]
	return np.select(conditions, told, np.array(OPEN))
