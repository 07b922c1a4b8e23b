"""What a rule would have done to the loans made, alone and after the NPV policy."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from loantap.features.build import Values
from loantap.measures.intervals import Z95
from loantap.model.training.predictions import CROSS_VALIDATION, OUT_OF_TIME, TEST
from loantap.policy.lab.rules import READABLE_COLUMNS, Rule, apply_rules, read_columns
from loantap.policy.money.cash_flows import VALUED_BY, Economics, PaidLife, expected_npv
from loantap.policy.money.returns import NO_ESTIMATE, Estimate, estimate_share, name_bounds, name_profit
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.errors import InputError

# All loans once, each with the PD of a model that did not see it.
ALL = "all"
SAMPLES = (ALL, CROSS_VALIDATION, TEST, OUT_OF_TIME)
_OF_ALL = (CROSS_VALIDATION, TEST)

Outlook = tuple[str, PaidLife]


@dataclass(frozen=True, slots=True)
class Sample:
	"""Some of the loans, by their places; `approved`: per scenario, for a positive expected NPV."""

	name: str
	places: IntArray
	approved: Mapping[str, BoolArray]


@dataclass(frozen=True, slots=True)
class JudgedLoans:
	"""The loans of a portfolio that a model was judged on.

	`columns` are what rules may read, `gains` the imputed profit of declining each loan, in currency. What is found on
	loans that are `is_searched` is quoted on the others.
	"""

	columns: Values
	is_charged_off: BoolArray
	gains: Mapping[Outlook, FloatArray]
	is_searched: BoolArray
	samples: tuple[Sample, ...]

	def sample(self, name: str) -> Sample:
		"""The sample of this name."""
		return next(sample for sample in self.samples if sample.name == name)


def gather_judged_loans(
	loans: pd.DataFrame, profits: pd.DataFrame, predictions: pd.DataFrame, economics: Economics
) -> JudgedLoans:
	"""Put resolved loans, imputed profits and PDs (one row per sample and loan) together."""
	at = pd.Index(loans["loan_id"])
	profits_at = _find(pd.Index(profits["loan_id"]), loans["loan_id"], "imputed profits")
	judged_at = _find(at, predictions["loan_id"], "predictions")
	outlooks = [(name, paid_life) for name in economics.scenarios for paid_life in PaidLife]
	return JudgedLoans(
		columns=read_columns(loans, READABLE_COLUMNS),
		is_charged_off=loans["is_charged_off"].to_numpy() == 1,
		gains={outlook: -profits[name_profit(*outlook)].to_numpy(float)[profits_at] for outlook in outlooks},
		is_searched=split_in_halves(loans["loan_id"]),
		samples=_make_samples(loans, predictions, judged_at, economics),
	)


def split_in_halves(loan_ids: pd.Series) -> BoolArray:
	"""Which loans the search may look at: about half, by a hash of the id, so that a loan stays on its side."""
	found: BoolArray = pd.util.hash_array(loan_ids.to_numpy(object), categorize=False) % 2 == 0
	return found


def _make_samples(
	loans: pd.DataFrame, predictions: pd.DataFrame, places: IntArray, economics: Economics
) -> tuple[Sample, ...]:
	pd_ = predictions[VALUED_BY[0]].to_numpy(float)
	amount, rate, term = (loans[name].to_numpy(float)[places] for name in VALUED_BY[1:])
	approved = {
		name: expected_npv(pd_, amount, rate, term, scenario) > 0 for name, scenario in economics.scenarios.items()
	}
	of_sample = predictions["sample"].to_numpy(object)
	chosen = {name: np.isin(of_sample, _OF_ALL) if name == ALL else of_sample == name for name in SAMPLES}
	return tuple(
		Sample(name, places[rows], {scenario: yes[rows] for scenario, yes in approved.items()})
		for name, rows in chosen.items()
		if rows.any()
	)


def _find(index: pd.Index, wanted: pd.Series, what: str) -> IntArray:
	places = index.get_indexer(pd.Index(wanted))
	if (places < 0).any():
		raise InputError(
			"insights",
			f"{(places < 0).sum():,} of {len(places):,} loans of the {what} do not fit "
			"03_primary/loans: another portfolio was read since",
			"Run `--pipelines training`, which judges the models of that portfolio",
		)
	return places


# How often a portfolio in which no rule gains may get a recommendation, over four families of claims: rules written by
# hand and rules found, alone and after the policy.
MAX_FALSE_RATE = 0.05
_FAMILIES = 4


class After(StrEnum):
	"""What decides before the rule does."""

	APPROVE_ALL = "approve_all"
	NPV = "npv"


class FoundBy(StrEnum):
	"""Where a rule comes from."""

	HAND = "hand"
	SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Candidate:
	"""A rule to test."""

	rule: Rule
	found_by: FoundBy


def backtest(candidates: Sequence[Candidate], loans: JudgedLoans, min_loans: int) -> pd.DataFrame:
	"""Test rules on each sample, alone and after the NPV policy, in every scenario.

	One row per rule, sample, `after`, scenario and paid life, as `RULE_TESTS` has it. Shares are fractions, profit
	changes imputed means per application of the sample in currency; none for rules that decline fewer than `min_loans`.
	`p_value` is one-sided, `adjusted_p_value` Holm's over all rules found alike, and `holds` where it is at most their
	share of `MAX_FALSE_RATE`.
	"""
	declined = apply_rules([candidate.rule for candidate in candidates], loans.columns)
	rows = [
		row
		for place, candidate in enumerate(candidates)
		for sample in loans.samples
		for row in _test(candidate, declined[:, place], _keep(sample, candidate, loans), loans)
	]
	table = pd.DataFrame(rows, columns=[*_KEYS, *_COUNTS, *_FIGURES])
	return _judge(_blank_few(table, min_loans))


_KEYS = ("rule_id", "title", "rule", "found_by", "sample", "after", "scenario", "paid_life")
_COUNTS = ("n", "approved", "charged_off", "approvals_lost", "charge_offs_avoided")
_OF_PROFIT = [*name_bounds("profit_change"), "p_value"]
_FIGURES = (
	"approvals_lost_share",
	"charge_offs_avoided_share",
	*name_bounds("default_rate_declined"),
	"default_rate_kept",
	*_OF_PROFIT,
)


def _keep(sample: Sample, candidate: Candidate, loans: JudgedLoans) -> Sample:
	if candidate.found_by is FoundBy.HAND:
		return sample
	rows = ~loans.is_searched[sample.places]
	approved = {scenario: yes[rows] for scenario, yes in sample.approved.items()}
	return Sample(sample.name, sample.places[rows], approved)


def _test(candidate: Candidate, declined: BoolArray, sample: Sample, loans: JudgedLoans) -> list[dict[str, Any]]:
	rule = candidate.rule
	of_rule = {
		"rule_id": rule.id,
		"title": rule.title,
		"rule": rule.model_dump_json(),
		"found_by": candidate.found_by.value,
		"sample": sample.name,
	}
	hit, bad = declined[sample.places], loans.is_charged_off[sample.places]
	rows = []
	for after in After:
		for scenario, of_policy in sample.approved.items():
			approved = of_policy if after is After.NPV else np.ones_like(hit)
			lost = hit & approved
			counted = _count(lost, approved, bad)
			for paid_life in PaidLife:
				gains = loans.gains[scenario, paid_life][sample.places[lost]]
				outlook = {"after": after.value, "scenario": scenario, "paid_life": paid_life.value}
				change = estimate_change(gains, len(hit))
				figures = change.named("profit_change") | {"p_value": _p_value(change)}
				rows.append(of_rule | outlook | counted | figures)
	return rows


def _count(lost: BoolArray, before: BoolArray, bad: BoolArray) -> dict[str, Any]:
	n, approved, charged_off = len(before), int(before.sum()), int((before & bad).sum())
	approvals_lost, avoided = int(lost.sum()), int((lost & bad).sum())
	return {
		"n": n,
		"approved": approved,
		"charged_off": charged_off,
		"approvals_lost": approvals_lost,
		"charge_offs_avoided": avoided,
		"approvals_lost_share": _divide(approvals_lost, approved),
		"charge_offs_avoided_share": _divide(avoided, charged_off),
		**estimate_share(avoided, approvals_lost).named("default_rate_declined"),
		"default_rate_kept": _divide(charged_off - avoided, approved - approvals_lost),
	}


def _divide(part: int, whole: int) -> float:
	return part / whole if whole else math.nan


def estimate_change(gains: FloatArray, applications: int) -> Estimate:
	"""Profit change per application, with its 95% interval (normal); `gains` of those declined, in currency."""
	if not applications:
		return NO_ESTIMATE
	mean = float(gains.sum()) / applications
	squares = float((gains - mean) @ (gains - mean)) + (applications - len(gains)) * mean**2
	half = Z95 * float(np.sqrt(squares / max(applications - 1, 1) / applications))
	return Estimate(mean, mean - half, mean + half)


def _p_value(change: Estimate) -> float:
	spread = (change.high - change.low) / (2 * Z95)
	return float(norm.sf(change.value / spread)) if spread > 0 else math.nan


def _blank_few(table: pd.DataFrame, min_loans: int) -> pd.DataFrame:
	is_enough = table["approvals_lost"] >= min_loans
	blanked = table[_OF_PROFIT].where(is_enough)
	return table.assign(is_enough=is_enough, **{name: blanked[name] for name in _OF_PROFIT})


def _judge(table: pd.DataFrame) -> pd.DataFrame:
	family = ["found_by", "sample", "after", "scenario", "paid_life"]
	adjusted = table.groupby(family)["p_value"].transform(lambda of_family: control_false_claims(of_family.to_numpy()))
	return table.assign(adjusted_p_value=adjusted, holds=adjusted <= MAX_FALSE_RATE / _FAMILIES)


def control_false_claims(p_values: FloatArray) -> FloatArray:
	"""P values adjusted for their number (Holm, Scandinavian Journal of Statistics, 1979); missing ones stay so."""
	is_known = ~np.isnan(p_values)
	known = p_values[is_known]
	order: IntArray = np.argsort(known)
	stepped = np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1))
	adjusted = np.full(len(p_values), np.nan)
	places = np.flatnonzero(is_known)[order]
	adjusted[places] = np.minimum(stepped, 1)
	return adjusted


def select_rows(table: pd.DataFrame, *, scenario: str, paid_life: str, after: After, sample: str = ALL) -> pd.DataFrame:
	"""The rows of one outlook, one per rule, by its id."""
	chosen = table[
		table["scenario"].eq(scenario)
		& table["paid_life"].eq(paid_life)
		& table["after"].eq(after.value)
		& table["sample"].eq(sample)
	]
	return chosen.set_index("rule_id")
