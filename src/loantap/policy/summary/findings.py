"""The five findings."""

import pandas as pd
from scipy.stats import norm

from loantap.measures.intervals import Z95
from loantap.policy.findings.claims import Verdict
from loantap.policy.findings.effects import Finding, control_discoveries, tell_rate
from loantap.policy.findings.find import DRIVES, TOO_FEW
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import name_bounds
from loantap.policy.summary.headlines import (
	Headline,
	find_policy,
	join_names,
	name_segment,
	read_earned,
	read_gain,
	select_policies,
	take_first,
)

# Benjamini-Hochberg over all groups of applicants.
_FALSE_DISCOVERIES = 0.05


def summarise_findings(
	drivers: pd.DataFrame, findings: pd.DataFrame, policies: pd.DataFrame, claims: pd.DataFrame, scenario: str
) -> list[Headline]:
	"""Five findings: drivers, price, segments that lose money, decisions by PD, claims; profit is of `scenario`."""
	told = findings[findings["role"].ne("audit")]
	return [
		_find_drivers(drivers, told),
		_find_price(told),
		_find_losses(told),
		_find_cut(policies, scenario),
		_find_claims(claims),
	]


def _find_drivers(drivers: pd.DataFrame, findings: pd.DataFrame) -> Headline:
	whole = drivers[drivers["year"].eq(0)].sort_values("rank")
	drives = whole[whole["finding"].eq(DRIVES)]
	by_role = {role: list(drives.loc[drives["role"].eq(role), "phrase"]) for role in ("lender", "applicant")}
	quiet = list(whole.loc[~whole["finding"].isin([DRIVES, TOO_FEW]), "phrase"])
	loans = int(whole["loans"].max())
	if whole["finding"].eq(TOO_FEW).all():
		return Headline("Too few loans to say what drives default", "", None, loans)
	if not by_role["applicant"]:
		title = "Beside the lender's own price, no factor is shown to drive default"
	else:
		title = f"Default goes with {join_names(by_role['applicant'])}, beside the lender's own price"
	text = "Other factors equal. "
	if by_role["lender"]:
		text += f"Strongest is the price: {join_names(by_role['lender'])}. "
	if quiet:
		text += f"No effect is shown for {join_names(quiet)}. "
	more = findings[findings["finding"].eq(Finding.MORE) & findings["role"].eq("applicant")]
	if more.empty:
		return Headline(title, text.strip(), None, loans)
	worst = take_first(more, "effect", largest=True)
	text += (
		f"Of all groups of applicants, {name_segment(worst)} stands out most: {tell_rate(worst)} "
		f"were charged off (n = {int(worst['loans']):,})."
	)
	return Headline(title, text, None, loans)


def _find_price(findings: pd.DataFrame) -> Headline:
	priced = findings[findings["segmentation"].eq("interest_rate_pct")]
	priced = priced[priced["finding"].ne(Finding.TOO_FEW)].sort_values("order")
	if priced.empty:
		return Headline("Too few loans to say what each rate earns", "", None, 0)
	cheap, dear = priced.iloc[0], priced.iloc[-1]
	money = read_earned(cheap)
	if money.is_loss:
		title = "Loans at the lowest rates lose money"
	elif money.is_gain:
		title = "Loans at the lowest rates earn money"
	else:
		title = "Loans at the lowest rates neither earn nor lose beyond chance"
	text = (
		f"At a rate of {cheap['segment']}, {tell_rate(cheap)} were charged off; at "
		f"{dear['segment']}, {tell_rate(dear)} were, and a loan earned {read_earned(dear)}. A low "
		"default rate is not profit: the rate must cover the risk and the costs."
	)
	return Headline(title, text, money, int(cheap["loans"]))


def _find_losses(findings: pd.DataFrame) -> Headline:
	known = findings[findings["role"].eq("applicant") & findings["finding"].ne(Finding.TOO_FEW)]
	if known.empty:
		return Headline("Too few loans to say who loses money", "", None, 0)
	losing, prepaid = (_select_losing(known, life) for life in PaidLife)
	if losing.empty and len(prepaid):
		worst = prepaid.iloc[0]
		others = prepaid.iloc[1:].apply(name_segment, axis=1).tolist()
		same = f" The same holds for {join_names(others)}." if others else ""
		text = (
			f"{tell_rate(worst)} were charged off. The price does not cover that if paid loans ran "
			"no longer than they were observed; if they ran to the end of their term, no loss "
			f"beyond chance is shown: {read_earned(worst)}.{same} No loss is shown of the other "
			f"{len(known) - len(prepaid)} groups (false discovery rate {_FALSE_DISCOVERIES:.0%})."
		)
		title = f"With prepayment, applicants with {name_segment(worst)} lose money"
		money = read_earned(worst, PaidLife.CAPPED)
		return Headline(title, text, money, int(worst["loans"]))
	if losing.empty:
		below = known[known["profit_contractual_high"] < 0]
		least = take_first(below if len(below) else known, "profit_contractual")
		count = len(below)
		text = (
			f"{'A loss shows most for' if count else 'Least is earned on'} {name_segment(least)}, {tell_rate(least)} "
			f"charged off. Of {len(known)} groups {count} {'lies' if count == 1 else 'lie'} wholly below zero at "
			f"95%{', the one named here' if count == 1 else ''}; about {len(known) / 40:.0f} would by chance."
		)
		title = "Grouped by their own traits, no applicants lose money beyond chance"
		return Headline(title, text, read_earned(least), int(least["loans"]))
	worst = losing.iloc[0]
	text = (
		f"{tell_rate(worst)} were charged off, and the price did not cover it. Of {len(known)} groups of applicants, "
		f"{len(losing)} lost money beyond chance (false discovery rate {_FALSE_DISCOVERIES:.0%})."
	)
	title = f"Applicants with {name_segment(worst)} lose money"
	return Headline(title, text, read_earned(worst), int(worst["loans"]))


def _select_losing(known: pd.DataFrame, life: PaidLife) -> pd.DataFrame:
	"""Those that lost beyond what their number explains, most in all first."""
	value, low, high = (known[name] for name in name_bounds(f"profit_{life.value}"))
	p_values = pd.Series(norm.cdf(value * 2 * Z95 / (high - low)), known.index)
	q_values = control_discoveries(p_values, pd.Series(data=False, index=known.index))
	total = (value * known["loans"])[q_values <= _FALSE_DISCOVERIES]
	return known.loc[total.sort_values(kind="stable").index]


def _find_cut(policies: pd.DataFrame, scenario: str) -> Headline:
	judged = select_policies(policies, "cv", scenario)
	bands, f2 = find_policy(judged, "bands"), find_policy(judged, "f2_threshold")
	money = read_gain(bands)
	what = "does not change profit beyond chance"
	if money is not None and money.is_loss:
		what = "costs money"
	elif money is not None and money.is_gain:
		what = "earns money"
	text = f"It avoids {bands['charge_offs_avoided']:.0%} of charge-offs and forgoes what the others would have paid."
	f2_gain = read_gain(f2)
	if f2_gain is not None:
		text += f" The F2 threshold declines {1 - f2['approval_rate']:.0%}: {f2_gain}."
	title = f"To decline the tenth of the highest PDs {what}"
	return Headline(title, text, money, int(bands["n"]))


def _find_claims(claims: pd.DataFrame) -> Headline:
	counted = claims["verdict"].value_counts()
	of_pincodes = claims[claims["segmentation"].eq("pincode")]
	lending = claims[claims["segmentation"].ne("pincode")]
	shown = lending[lending["verdict"].eq(Verdict.SHOWN)]
	title = f"Of the case study's {len(claims)} claims the loans bear out {counted.get(Verdict.SHOWN, 0)}"
	if untold := counted.get(Verdict.TOO_FEW, 0):
		title += f"; of {untold} there are too few to say"
	text = (
		f"{len(of_pincodes)} are about pincodes, which no decision may use: stricter rules for 11650 and 86630 are refused"
	)
	refused = of_pincodes[of_pincodes["claimed"].eq(Finding.MORE) & of_pincodes["loans"].gt(0)]
	is_leak = len(refused) and refused["charged_off"].eq(refused["loans"]).all()
	text += ", since the pincode in this data is made from the outcome. " if is_leak else ". "
	earning = shown[
		shown["claimed"].eq(Finding.MORE) & (shown["profit_contractual"] > shown["profit_contractual_others"])
	]
	if earning.empty:
		return Headline(title, text.strip(), None, int(claims["loans"].max()))
	most = take_first(earning, "profit_contractual", largest=True)
	text += (
		f"{most['said']}, as claimed, and yet they earn more: all others earn "
		f"{most['profit_contractual_others']:+,.0f} per loan."
	)
	return Headline(title, text, read_earned(most), int(most["loans"]))
