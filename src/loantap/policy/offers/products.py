"""What the loans made say of offers: the product table, and what other terms do to the odds of default.

Loans are taken as applicants for what they were granted, with PDs by models that did not see them. What one would have
earned at the rate offered is imputed from its outcome; another rate may have changed who took it.

People who take a longer term, or more money, were graded worse before: the odds ratio among all loans says mostly who
took which loan. Given sub-grade and applicant it says more of what the term does; still of a model, since terms were
never drawn by lot.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from glum import GeneralizedLinearRegressor
from scipy.stats import norm

from loantap.features.build import build_features
from loantap.measures.intervals import Z95
from loantap.model.training.predictions import OUT_OF_TIME
from loantap.policy.decisions import DECISIONS, Decider
from loantap.policy.money.cash_flows import value_units
from loantap.policy.money.returns import NO_ESTIMATE, Estimate, estimate_share
from loantap.policy.offers.choice import Applicants
from loantap.policy.offers.maker import make_offers
from loantap.policy.offers.prices import PriceList, list_prices
from loantap.policy.options import TWO_YEARS, Counterfactual, OffersOptions, require_an_amount

TOO_FEW = "too few loans to say"
NOT_TOLD_APART = "not told apart from its margin"
EARNS_LESS = "earns less than its margin"
EARNS_MORE = "earns more than its margin"
_OFFER_TERMS = ("probability_of_default", "loan_amount", "term_months", "annual_income", "dti_pct")
# No margin is compared below so many expected charge-offs, and paid loans.
_MIN_OUTCOMES = 10
# Loans whose grids are held at a time: 16 loans for each.
_ROWS = 16_384
_SPREAD = {"low": 0.1, "median": 0.5, "high": 0.9}
_INCOMES = (-np.inf, 40_000, 60_000, 80_000, 120_000, np.inf)
_INCOME_NAMES = (
	"below 40,000",
	"40,000 to below 60,000",
	"60,000 to below 80,000",
	"80,000 to below 120,000",
	"120,000 and more",
)


def tabulate_products(
	loans: pd.DataFrame, predictions: pd.DataFrame, options: OffersOptions, decider: Decider
) -> pd.DataFrame:
	"""What each segment of the finished portfolio would be offered, and what that earns.

	One row per segment of each segmentation, as `PRODUCTS` has it: shares `as_asked`, `other_terms` (referred) and
	`no_offer` (95%, Wilson); of the first offers, 10th, 50th and 90th percentile of `amount` and `rate_pct`; of loans as
	asked for, `default_rate`, `margin_expected` and `margin_imputed` (NPV as a share of principal), and whether these
	differ, corrected for the number of segments (Bonferroni).
	"""
	judged = predictions[predictions["sample"] != OUT_OF_TIME]
	rows = loans[["loan_id", "is_charged_off", "purpose", *_OFFER_TERMS[1:]]].merge(
		judged[["loan_id", "probability_of_default"]], on="loan_id"
	)
	require_an_amount(options, decider.policy.rules)
	prices = list_prices(options, decider.scenario)
	made = pd.concat(
		[
			_make_first(rows[start : start + _ROWS], prices, options, decider) for start in range(0, max(len(rows), 1), _ROWS)
		],
		ignore_index=True,
	)
	segments = [
		(segmentation, order, str(segment), part)
		for segmentation, groups in _list_segmentations(rows, options)
		for order, (segment, part) in enumerate(made.groupby(groups, observed=True))
	]
	z = float(norm.ppf(1 - 0.025 / max(len(segments), 1)))
	return pd.DataFrame(
		[
			{"segmentation": segmentation, "segment": segment, "order": order} | _describe(part, options, z)
			for segmentation, order, segment, part in segments
		]
	)


def _make_first(
	rows: pd.DataFrame, prices: tuple[PriceList, ...], options: OffersOptions, decider: Decider
) -> pd.DataFrame:
	applicants = Applicants(*(rows[name].to_numpy(float) for name in _OFFER_TERMS))
	offers = make_offers(applicants, prices, options, decider.policy.rules)
	first = offers.offer <= 1
	terms = {name: values[first] for name, values in offers.terms.items()}
	values = value_units(terms["rate_pct"], terms["term_months"], decider.scenario)
	charged_off = rows["is_charged_off"].to_numpy() == 1
	per_unit = np.where(charged_off, values.charged_off, values.paid)
	return pd.DataFrame(
		{
			"decision": np.array(DECISIONS)[offers.decision[first]],
			"amount": terms["amount"],
			"rate_pct": terms["rate_pct"],
			"term_months": terms["term_months"],
			"expected": terms["expected_npv"],
			"imputed": per_unit * terms["amount"],
			"at_stake": (values.paid - values.charged_off) * terms["amount"],
			"probability_of_default": terms["probability_of_default"],
			"is_charged_off": charged_off,
		}
	)


def _list_segmentations(rows: pd.DataFrame, options: OffersOptions) -> Iterator[tuple[str, pd.Series]]:
	yield "all", pd.Series("all", index=rows.index)
	bands = options.rate_bands
	ends = [band.up_to_pd for band in bands]
	names = [f"{band.above_pd:.0%} to {band.up_to_pd:.0%}" for band in bands]
	if ends[-1] < 1:
		ends, names = [*ends, 1.0], [*names, f"above {ends[-1]:.0%}"]
	yield "PD", pd.cut(rows["probability_of_default"], [-np.inf, *ends], labels=names)
	yield "term asked for", rows["term_months"].map("{:.0f} months".format)
	incomes = pd.cut(rows["annual_income"], _INCOMES, right=False, labels=_INCOME_NAMES)
	yield "income", incomes
	yield "purpose", rows["purpose"].astype("str").fillna("not stated")


def _describe(part: pd.DataFrame, options: OffersOptions, z: float) -> dict[str, Any]:
	n = len(part)
	figures: dict[str, Any] = {"n": n}
	shares = {"as_asked": "approve", "other_terms": "refer", "no_offer": "decline"}
	for name, decision in shares.items():
		figures |= estimate_share(int(part["decision"].eq(decision).sum()), n).named(name)
	for name in ("amount", "rate_pct"):
		spread = part[name].quantile(list(_SPREAD.values()))
		figures |= {f"{name}_{end}": v for end, v in zip(_SPREAD, spread, strict=True)}
	figures["mean_term_months"] = part["term_months"].mean()
	asked = part[part["decision"].eq("approve")]
	figures["n_as_asked"] = len(asked)
	figures |= estimate_share(int(asked["is_charged_off"].sum()), len(asked)).named("default_rate")
	return figures | _compare_margins(asked, options, z)


def _compare_margins(asked: pd.DataFrame, options: OffersOptions, z: float) -> dict[str, Any]:
	pds, amount = asked["probability_of_default"], asked["amount"].to_numpy()
	bad, good = pds.sum(), (1 - pds).sum()
	if asked.empty:
		return {"margin_expected": np.nan, **NO_ESTIMATE.named("margin_imputed"), "finding": TOO_FEW}
	total = amount.sum()
	expected, imputed = asked["expected"].sum() / total, asked["imputed"].sum() / total
	spread = asked["imputed"].to_numpy() - imputed * amount
	# With hardly any charge-off, outcomes alone understate what chance does.
	chance = (asked["at_stake"] ** 2 * pds * (1 - pds)).sum()
	error = float(np.sqrt(max((spread**2).sum(), chance)) / total)
	earned = Estimate(float(imputed), float(imputed - Z95 * error), float(imputed + Z95 * error))
	finding = NOT_TOLD_APART
	if len(asked) < options.min_loans or min(bad, good) < _MIN_OUTCOMES:
		finding = TOO_FEW
	elif abs(imputed - expected) > z * error:
		finding = EARNS_LESS if imputed < expected else EARNS_MORE
	return {"margin_expected": float(expected), **earned.named("margin_imputed"), "finding": finding}


AGREES = "the value in force lies in the interval"
DIFFERS = "the value in force lies outside of the interval: estimate it again"
_TERM, _AMOUNT = "two_years_of_term", "log2_amount"
_APPLICANT = (
	"log_annual_income",
	"dti_pct",
	"revolving_utilisation_pct",
	"open_accounts",
	"total_accounts",
	"public_records",
)
# With fewer loans of either outcome, dozens of sub-grades say nothing.
_MIN_OF_EITHER = 500


def estimate_counterfactuals(loans: pd.DataFrame, options: OffersOptions) -> pd.DataFrame:
	"""Odds ratios of default of a term two years longer, and of twice the amount.

	As `COUNTERFACTUALS` has it: `unadjusted` (given the applicant) and `adjusted` (given the sub-grade as well) with
	bounds (95%, Wald), missing where too few loans tell.
	"""
	effects = {
		"a term two years longer": (_TERM, options.two_years_longer),
		"twice the amount": (_AMOUNT, options.twice_the_amount),
	}
	outcome = loans["is_charged_off"].to_numpy(float)
	estimates = _estimate(loans, outcome)
	return pd.DataFrame(
		[
			{"effect": effect, "n": len(loans), "charged_off": int(outcome.sum())}
			| _name("unadjusted", estimates["unadjusted"], column)
			| _name("adjusted", adjusted := estimates["adjusted"], column)
			| {"in_force": value.odds_ratio, "finding": _compare(adjusted, column, value)}
			for effect, (column, value) in effects.items()
		]
	)


def _estimate(loans: pd.DataFrame, outcome: Any) -> dict[str, pd.DataFrame | None]:
	"""None where there are too few outcomes."""
	bad = outcome.sum()
	terms = loans["term_months"].to_numpy()
	is_long = terms > terms.min(initial=np.inf)
	# Without either outcome at a term, its odds ratio has no bound.
	groups = np.unique(2 * is_long + outcome)
	if min(bad, len(outcome) - bad) < _MIN_OF_EITHER or len(groups) < 4:
		return {"unadjusted": None, "adjusted": None}
	table = build_features(loans, list(_APPLICANT)).assign(
		**{_TERM: terms / TWO_YEARS, _AMOUNT: np.log2(loans["loan_amount"].to_numpy(float))}
	)
	graded = table.assign(sub_grade=loans["sub_grade"].astype("category"))
	return {"unadjusted": _fit(table, outcome), "adjusted": _fit(graded, outcome)}


def _fit(table: pd.DataFrame, outcome: Any) -> pd.DataFrame:
	distinct = table.nunique()
	table = table.loc[:, distinct > 1]
	table = table.fillna(table.median(numeric_only=True))
	model = GeneralizedLinearRegressor(family="binomial", alpha=0, drop_first=True)
	model.fit(table, outcome)
	fitted: pd.DataFrame = model.coef_table(X=table, y=outcome, robust=False)
	return fitted


def _name(name: str, fitted: pd.DataFrame | None, column: str) -> dict[str, float]:
	if fitted is None or column not in fitted.index:
		return NO_ESTIMATE.named(name)
	row = fitted.loc[column, ["coef", "ci_lower", "ci_upper"]].to_numpy(float)
	return Estimate(*np.exp(row).tolist()).named(name)


def _compare(adjusted: pd.DataFrame | None, column: str, value: Counterfactual) -> str:
	if adjusted is None or column not in adjusted.index:
		return TOO_FEW
	low, high = np.exp(adjusted.loc[column, ["ci_lower", "ci_upper"]].to_numpy(float))
	return AGREES if low <= value.odds_ratio <= high else DIFFERS
