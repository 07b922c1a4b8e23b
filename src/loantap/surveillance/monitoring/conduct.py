"""Whether decisions are still made as before: approvals, overrides, what cannot be scored, groups."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd

from loantap.measures.intervals import chance_of_shares
from loantap.policy.fairness.proxies import PROXIES, ApprovalRatios, measure_ratios
from loantap.policy.money.returns import estimate_share
from loantap.portfolio.arrays import BoolArray
from loantap.surveillance.monitoring.checks import Check, Verdict, judge
from loantap.surveillance.monitoring.options import ConductOptions

_APPROVE, _REFER, _INVALID = "approve", "refer", "invalid"
# Shares that are compared, and what is said of those that count.
_SHARES = {
	"approval_rate": "were approved by the policy",
	"referral_rate": "were referred to a person",
	"invalid_share": "could not be scored",
	"override_rate": "of those that a person decided were approved",
}


def check_conduct(recent: pd.DataFrame, earlier: pd.DataFrame, options: ConductOptions) -> list[Check]:
	"""Shares of recent decisions beside those of the months before, then approvals by group.

	All shares together raise a false alarm in at most `false_alarms` of the runs (Bonferroni). A group raises one where
	the intervals before and now do not touch, which chance brings about far more rarely than either bound fails.
	"""
	groups = [name for name, proxy in PROXIES.items() if not proxy.audit_only]
	share = options.false_alarms / len(_SHARES)
	shares = [_check_share(what, recent, earlier, share, options) for what in _SHARES]
	return [*shares, *(_check_group(name, recent, earlier, options) for name in groups)]


def _check_share(
	what: str, recent: pd.DataFrame, earlier: pd.DataFrame, share: float, options: ConductOptions
) -> Check:
	(hits, n), (hits_then, n_then) = (_count(what, rows) for rows in (recent, earlier))
	found, then = estimate_share(hits, n), estimate_share(hits_then, n_then)
	is_large = abs(found.value - then.value) > options.share_moved
	is_moved = is_large and chance_of_shares(hits, n, hits_then, n_then) < share
	before = f"; in the months before {then.value:.1%} of {n_then:,}" if n_then else ""
	words = f"{found.value:.1%} of {n:,} decisions {_SHARES[what]}{before}"
	return Check(
		subject="all decisions",
		what=what,
		verdict=judge(min(n, n_then), options.min_rows, is_alarm=is_moved),
		n=n,
		against_n=n_then,
		words=words if n else f"no decision to say how many {_SHARES[what]}",
		**(asdict(found) if n else {}),
	)


def _count(what: str, rows: pd.DataFrame) -> tuple[int, int]:
	decision, final = rows["decision"], rows["final_decision"]
	if what == "invalid_share":
		return int(decision.eq(_INVALID).sum()), len(rows)
	if what == "override_rate":
		decided = final[decision.eq(_REFER) & final.notna()]
		return int(decided.eq(_APPROVE).sum()), len(decided)
	valid = decision[decision.ne(_INVALID)]
	wanted = _APPROVE if what == "approval_rate" else _REFER
	return int(valid.eq(wanted).sum()), len(valid)


def _check_group(name: str, recent: pd.DataFrame, earlier: pd.DataFrame, options: ConductOptions) -> Check:
	found, then = (_measure(name, rows, options) for rows in (recent, earlier))
	now, before = found.worst, then.worst
	known = not (np.isnan(now.value) or np.isnan(before.value))
	is_worse = known and now.high < before.low and now.value < options.least_ratio
	words = f"{PROXIES[name].phrase}: the group approved least is approved {now.value:.2f} times as often as the one "
	words += f"approved most ({now.low:.2f} to {now.high:.2f}); in the months before {before.value:.2f}"
	return Check(
		subject=name,
		what="approval_ratio",
		verdict=judge(is_alarm=is_worse) if known else Verdict.CANNOT_TELL,
		limit=options.least_ratio,
		n=len(recent),
		against_n=len(earlier),
		words=words if known else f"{PROXIES[name].phrase}: too few decisions to compare groups",
		**(asdict(now) if known else {}),
	)


def _measure(name: str, rows: pd.DataFrame, options: ConductOptions) -> ApprovalRatios:
	valid = rows[rows["is_readable"]]
	approved: BoolArray = valid["decision"].eq(_APPROVE).to_numpy()
	codes = PROXIES[name].group(valid).cat.codes.to_numpy()
	size = codes.max(initial=-1) + 1
	counts, hits = (np.bincount(codes[part], minlength=size) for part in (codes >= 0, approved & (codes >= 0)))
	return measure_ratios(hits, counts, options.min_rows)


def tabulate_months(decisions: pd.DataFrame) -> Iterator[dict[str, object]]:
	"""One row per month of decision: counts by decision, mean PD, versions of the model."""
	for month, rows in decisions.groupby(decisions["decided_at"].dt.strftime("%Y-%m")):
		counts, mean_pd = rows["decision"].value_counts(), float(rows["probability_of_default"].mean())
		yield {
			"month": month,
			"n": len(rows),
			**{name: int(counts.get(name, 0)) for name in (_APPROVE, _REFER, "decline", _INVALID)},
			"mean_pd": None if np.isnan(mean_pd) else mean_pd,
			"models": sorted(rows["model"].dropna().unique().tolist()),
		}
