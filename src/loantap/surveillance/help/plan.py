"""The plan of each borrower: action by the rules, schedule, cost, benefit, and why.

Schedules and choices are arrays of one row per loan.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.policy.money.cash_flows import Scenario
from loantap.policy.options import Affordability
from loantap.portfolio.amortisation import MONTHS_PER_YEAR, emi, implied_principal, monthly_rate, months_to_repay
from loantap.portfolio.arrays import FloatArray
from loantap.portfolio.products import PRODUCTS
from loantap.surveillance.help.actions import Action
from loantap.surveillance.options import HelpOptions, WatchlistOptions
from loantap.surveillance.schemas import HELP_PLANS
from loantap.tables.rows import LongTable, read_batches

# No plan leaves more months than a loan made today may have.
_LONGEST: Final = PRODUCTS.terms_months[-1]
_ARREARS: Final = ("days_past_due", "max_dpd_", "payment_to_emi")
_FROM_PANEL: Final = (
	"loan_id",
	"month",
	"instalment",
	"interest_rate_pct",
	"remaining_months",
	"annual_income",
	"dti_pct",
	"max_dpd_6m",
)
# As far back as `max_dpd_6m` looks.
_MONTHS: Final = 6
_Row = Mapping[Hashable, Any]
_OWED: Final = ("outstanding_balance", "interest_rate_pct", "instalment", "remaining_months")


@dataclass(frozen=True, slots=True)
class Owed:
	"""What is owed, arrears included, and the contract's instalment and months left."""

	balance: FloatArray
	rate_pct: FloatArray
	instalment: FloatArray
	months_left: FloatArray


@dataclass(frozen=True, slots=True)
class Schedule:
	"""An instalment for `step` months, then another up to `months`; NaN for none."""

	first: FloatArray
	step: FloatArray
	later: FloatArray
	months: FloatArray

	def value(self, rate_pct: float) -> FloatArray:
		"""Present value at a yearly rate."""
		low = implied_principal(self.first - self.later, rate_pct, self.step)
		return low + implied_principal(self.later, rate_pct, self.months)


def highest_instalment(income: FloatArray, other_dti_pct: FloatArray, limits: Affordability) -> FloatArray:
	"""The instalment at the nearer cap; income is monthly."""
	shares = np.minimum(limits.max_instalment_share, (limits.max_dti_pct - other_dti_pct) / 100)
	highest: FloatArray = shares * income
	return highest


def fewest_months(balance: FloatArray, rate_pct: FloatArray, highest: FloatArray) -> FloatArray:
	"""Whole months in which instalments of at most `highest` repay a balance; NaN where none do."""
	months = np.ceil(months_to_repay(balance, rate_pct, highest))
	# At an exact number of months the logarithm may end on either side.
	months = months + (emi(balance, rate_pct, months) > highest)
	fewer = np.maximum(months - 1, 1)
	return np.where(emi(balance, rate_pct, fewer) <= highest, fewer, months)


def extend(owed: Owed, highest: FloatArray) -> Schedule:
	"""All that is owed over the fewest months that suffice, no fewer than are left."""
	months = np.maximum(fewest_months(owed.balance, owed.rate_pct, highest), owed.months_left)
	instalment = emi(owed.balance, owed.rate_pct, months)
	return Schedule(instalment, np.zeros_like(months), instalment, months)


def step_up(owed: Owed, highest: FloatArray, highest_later: FloatArray, step: int) -> Schedule:
	"""Pay the highest instalment now, at least the interest, and the rest at the later cap."""
	rate = monthly_rate(owed.rate_pct)
	rest = (owed.balance - implied_principal(highest, owed.rate_pct, step)) * (1 + rate) ** step
	rest = np.where((highest >= owed.balance * rate) & (rest > 0), rest, np.nan)
	months = np.maximum(fewest_months(rest, owed.rate_pct, highest_later), owed.months_left - step)
	return Schedule(highest, np.full_like(months, step), emi(rest, owed.rate_pct, months), step + months)


def value_contract(owed: Owed, rate_pct: float) -> FloatArray:
	"""Present value of arrears at once and the instalments left, lower ones of who has paid ahead."""
	level = np.minimum(owed.instalment, emi(owed.balance, owed.rate_pct, np.maximum(owed.months_left, 1)))
	arrears = owed.balance - implied_principal(level, owed.rate_pct, owed.months_left)
	return arrears + implied_principal(level, rate_pct, owed.months_left)


@dataclass(frozen=True, slots=True)
class Choice:
	"""Actions; where instalments change their schedule, else NaN; days by which due dates move."""

	action: npt.NDArray[np.str_]
	schedule: Schedule
	shift_days: FloatArray


def choose(borrowers: pd.DataFrame, owed: Owed, options: HelpOptions, default_days: int) -> Choice:
	"""The first rule that holds for each of the borrowers (see `describe_borrowers`)."""
	income, other, overdue, worst, late = (
		borrowers[name].to_numpy(float)
		for name in ("income", "other_dti_pct", "days_past_due", "max_dpd_6m", "late_months")
	)
	highest = highest_instalment(income, other, options.limits)
	growth = (1 + options.income_growth_pct / 100) ** (options.step_months / MONTHS_PER_YEAR)
	# Other debts stay what they are while income grows.
	later = highest_instalment(income * growth, other / growth, options.limits)
	longer, stepped = extend(owed, highest), step_up(owed, highest, later, options.step_months)
	limit = np.maximum(np.minimum(owed.months_left + options.max_extension_months, _LONGEST), owed.months_left)
	fits = owed.instalment <= highest
	is_open = fits | np.isnan(highest)
	is_light = borrowers["is_arrears_alone"].to_numpy() & (overdue <= options.light_days)
	is_again = (late >= options.min_late_months) & (worst <= options.light_days)
	rules = {
		Action.NONE: overdue >= default_days,
		Action.DUE_DATE_SHIFT: fits & is_light & is_again,
		Action.REMINDER: is_open & is_light,
		Action.COUNSELLING: is_open,
		Action.TERM_EXTENSION: longer.months <= limit,
		Action.STEP_UP: stepped.months <= limit,
	}
	action = np.select(list(rules.values()), [name.value for name in rules], Action.NONE.value)
	new = [action == Action.TERM_EXTENSION, action == Action.STEP_UP]
	picked = (np.select(new, [getattr(longer, n), getattr(stepped, n)], np.nan) for n in Schedule.__slots__)
	days = np.where(action == Action.DUE_DATE_SHIFT, np.minimum(worst, options.max_shift_days), 0.0)
	return Choice(action, Schedule(*picked), days)


def describe_borrowers(
	watchlist: pd.DataFrame, panel: pd.DataFrame | LongTable, listing: WatchlistOptions, dti_includes_instalment: bool
) -> pd.DataFrame:
	"""The entries with the figures of each loan's last month up to the list's.

	Adds monthly `income` and `other_dti_pct`, without this loan (if known), `late_months` of six, and
	`is_arrears_alone`: no other trigger.
	"""
	listed = watchlist[["loan_id", "as_of_month"]]
	parts = []
	for batch in read_batches(panel, _FROM_PANEL):
		rows = batch.merge(listed, on="loan_id")
		parts.append(rows[rows["month"] <= rows["as_of_month"]].drop(columns=["month", "as_of_month"]))
	last = pd.concat(parts).drop_duplicates("loan_id", keep="last")
	found = watchlist.merge(last, on="loan_id", how="left", validate="1:1")
	income = found["annual_income"] / MONTHS_PER_YEAR
	own = 100 * found["instalment"] / income if dti_includes_instalment else 0.0
	is_known = (income > 0) & found["dti_pct"].notna()
	alone = {
		text: all(listing.triggers[name].figure.startswith(_ARREARS) for name in text.split(", "))
		for text in found["triggers"].unique()
	}
	late = [sum(float(days) > 0 for days in text.split()[-_MONTHS:]) for text in found["trend_dpd"]]
	return found.assign(
		income=income.where(is_known),
		other_dti_pct=(found["dti_pct"] - own).clip(lower=0).where(is_known),
		late_months=pd.Series(late, index=found.index, dtype="int64"),
		is_arrears_alone=found["triggers"].map(alone).astype("bool"),
	)


def word_why(row: _Row, options: HelpOptions, default_days: int) -> str:
	"""One sentence from a plan and its figures; `rule` is the action before costs were weighed."""
	limits, action = options.limits, row["action"]
	burden = (
		f"EMI {row['emi_now'] / row['income']:.1%} of income (cap {limits.max_instalment_share:.0%}), "
		f"DTI {row['dti_now']:.1f}% (cap {limits.max_dti_pct:g}%)"
	)
	if action == Action.TERM_EXTENSION:
		share, dti = row["emi_new"] / row["income"], row["dti_new"]
		return f"Above a cap: {burden}; over {row['months_left_new']} months {share:.1%} of income, DTI {dti:.1f}%."
	if action == Action.STEP_UP:
		return (
			f"Above a cap, even over more months: {burden}; {row['emi_new']:,.0f} is within the caps, and so is "
			f"{row['emi_later']:,.0f} after {row['step_months']:.0f} months if income grows by "
			f"{options.income_growth_pct:g}% a year."
		)
	if action == Action.NONE:
		return f"No feasible plan: {_word_obstacle(row, burden, default_days)}."
	if action == Action.DUE_DATE_SHIFT:
		seen = f"Late in {row['late_months']} of the last 6 months, by at most {row['max_dpd_6m']:.0f} days"
	else:
		overdue = f"{row['days_past_due']:.0f} days past due" if row["days_past_due"] > 0 else "Nothing is overdue now"
		seen = f"{overdue}, listed for {'arrears alone' if row['is_arrears_alone'] else 'DTI, utilisation or PD'}"
	is_known = row["income"] > 0
	return f"{seen}; {burden if is_known else 'income or DTI is not known, so that no cap can be checked'}."


def _word_obstacle(row: _Row, burden: str, default_days: int) -> str:
	if row["days_past_due"] >= default_days:
		return "in default, recoveries deal with it"
	if row["rule"] != Action.NONE:
		what = row["rule"].replace("_", " ")
		return f"{what} would cost {row['rule_cost']:,.0f} and avoid {row['expected_loss_avoidable']:,.0f}"
	return f"{burden}; neither an extension nor a step-up brings both under the caps"


def plan_help(
	watchlist: pd.DataFrame,
	panel: pd.DataFrame | LongTable,
	scenario: Scenario,
	listing: WatchlistOptions,
	options: HelpOptions,
	default_days: int,
) -> pd.DataFrame:
	"""One plan per loan on the watch-list, in its order; see `schemas.HELP_PLANS`.

	`panel` is ordered by loan and month; `listing` made the list.
	"""
	known = describe_borrowers(watchlist, panel, listing, options.dti_includes_instalment)
	owed = Owed(*(known[name].to_numpy(float) for name in _OWED))
	choice = choose(known, owed, options, default_days)
	funds, new = scenario.cost_of_funds_pct, choice.schedule
	due = value_contract(owed, funds)
	delay = due * (1 - (1 + monthly_rate(funds)) ** (-choice.shift_days * MONTHS_PER_YEAR / 365))
	less = np.where(np.isnan(new.months), delay, due - new.value(funds))
	rule = pd.Series(choice.action, known.index, dtype="str")
	work = rule.map({action.value: options.handling.get(action, 0.0) for action in Action}).astype("float64")
	# Only who goes on paying pays less, or later.
	cost = (1 - known["pd_12m"]) * less + work
	action = rule.where(cost <= known["expected_loss_avoidable"], Action.NONE.value)
	is_none = action.eq(Action.NONE)
	new = Schedule(*(np.where(is_none, np.nan, getattr(new, name)) for name in Schedule.__slots__))
	other, share = known["other_dti_pct"], 100 / known["income"]
	plans = known.assign(
		rule=rule,
		rule_cost=cost,
		action=action,
		emi_now=owed.instalment,
		emi_new=new.first,
		emi_later=np.where(new.step > 0, new.later, np.nan),
		step_months=np.where(new.step > 0, new.step, np.nan),
		months_left=owed.months_left.astype(np.int64),
		months_left_new=np.where(np.isnan(new.months), owed.months_left, new.months).astype(np.int64),
		shift_days=np.where(is_none, 0, choice.shift_days).astype(np.int64),
		dti_now=other + owed.instalment * share,
		dti_new=other + new.first * share,
		cost=cost.mask(is_none, 0.0),
		loss_avoided=known["expected_loss_avoidable"].mask(is_none, 0.0),
	)
	why = [word_why(row, options, default_days) for row in plans.to_dict("records")]
	net = plans["loss_avoided"] - plans["cost"]
	return plans.assign(net_benefit=net, why=pd.Series(why, plans.index, dtype="str"))[list(HELP_PLANS.columns)]
