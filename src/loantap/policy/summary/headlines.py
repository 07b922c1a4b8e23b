"""A finding or an action as the head of credit reads it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from loantap.model.training.predictions import OUT_OF_TIME
from loantap.model.validation.evaluation import make_plain
from loantap.policy.money.cash_flows import PaidLife
from loantap.policy.money.returns import name_bounds

PER_APPLICATION = "per application"
# What a profit is counted against, and what its column is called.
EVERYBODY = "approving everybody"
NPV = "expected NPV"
_GAINS = {EVERYBODY: "approve_all", NPV: "npv"}
PREPAID = "; with prepayment"


@dataclass(frozen=True, slots=True)
class Money:
	"""Mean imputed profit, in currency, with its 95% interval; `per` says against what, too."""

	value: float
	low: float
	high: float
	per: str

	@property
	def is_gain(self) -> bool:
		"""Whether it lies above zero beyond chance."""
		return self.low > 0

	@property
	def is_loss(self) -> bool:
		"""Whether it lies below zero beyond chance."""
		return self.high < 0

	def __str__(self) -> str:
		return f"{self.value:+,.0f} ({self.low:+,.0f} to {self.high:+,.0f})"


@dataclass(frozen=True, slots=True)
class Headline:
	"""A finding, or an action.

	`text` holds the figures that the `title` rests on, `money` what it is worth over `n` loans, None where too few say.
	"""

	title: str
	text: str
	money: Money | None
	n: int
	points: tuple[str, ...] = ()


def describe_summary(
	findings: Sequence[Headline],
	actions: Sequence[Headline],
	scenario: str,
	origin: str,
	samples: Mapping[str, int],
	later: str,
) -> dict[str, Any]:
	"""The structure of `summary.json`; `samples` are how many loans policies were judged on.

	Money is of `scenario` and of the contractual life, but where its `per` names another; `later` says which loans those
	out of time are.
	"""
	return {
		"origin": origin,
		"scenario": scenario,
		"paid_life": PaidLife.CONTRACTUAL.value,
		"profit": "imputed from outcomes",
		"samples": dict(samples),
		"out_of_time": later,
		"findings": [make_plain(asdict(finding)) for finding in findings],
		"actions": [make_plain(asdict(action)) for action in actions],
	}


def select_policies(policies: pd.DataFrame, sample: str, scenario: str) -> pd.DataFrame:
	"""The policies on one sample in one scenario, paid loans running to term."""
	return policies[
		policies["sample"].eq(sample)
		& policies["scenario"].eq(scenario)
		& policies["paid_life"].eq(PaidLife.CONTRACTUAL.value)
	]


def find_policy(policies: pd.DataFrame, name: str) -> pd.Series:
	"""The row of one policy; of missing figures where there is none."""
	found = policies[policies["policy"].eq(name)]
	return found.iloc[0] if len(found) else pd.Series(math.nan, policies.columns)


def read_gain(row: Mapping[str, Any] | pd.Series, beside: str = EVERYBODY) -> Money | None:
	"""What a policy earns more than `EVERYBODY` or `NPV`; None where too few loans say."""
	value, low, high = (float(row[name]) for name in name_bounds(f"gain_to_{_GAINS[beside]}"))
	if math.isnan(value):
		return None
	return Money(value, low, high, f"{PER_APPLICATION}, against {beside}")


def read_earned(row: pd.Series, life: PaidLife = PaidLife.CONTRACTUAL) -> Money:
	"""What a loan of the segment earned on average."""
	value, low, high = (float(row[name]) for name in name_bounds(f"profit_{life.value}"))
	return Money(value, low, high, "per loan" + (PREPAID if life is PaidLife.CAPPED else ""))


def rename_approved(row: pd.Series) -> pd.Series:
	"""The default rate of what is approved, by the names that `tell_rate` reads."""
	return row[[*name_bounds("default_rate_approved")]].set_axis(name_bounds("default_rate"))


def take_first(rows: pd.DataFrame, by: str, *, largest: bool = False) -> pd.Series:
	"""The row with the least, or the largest, of a figure."""
	return rows.sort_values(by, ascending=not largest, kind="stable").iloc[0]


def name_segment(row: pd.Series) -> str:
	"""A segment in a sentence."""
	return f"{row['phrase']} {row['segment']}"


def join_names(names: Sequence[str]) -> str:
	"""Names in a sentence: `a, b and c`."""
	return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_FOUR_FIFTHS = 0.8


def tell_fairness(fairness: pd.DataFrame, policy: str) -> str:
	"""The groups approved at less than four fifths of the highest rate."""
	of_policy = fairness[fairness["policy"].eq(policy)]
	if of_policy.empty:
		return "Fairness: not computed for this policy."
	audited = of_policy[~of_policy["audit_only"].astype(bool) & of_policy["approval_ratio"].notna()]
	if audited.empty:
		return ""
	below = audited[audited["approval_ratio"].lt(_FOUR_FIFTHS)].sort_values("approval_ratio")
	shown = below[below["approval_ratio_high"].lt(_FOUR_FIFTHS)]
	if below.empty:
		return "Fairness: no group is approved at less than four fifths of the rate of another."
	told, others = len(shown) or len(below), len(below) - len(shown)
	is_or_may = "may be" if shown.empty else "are" if told > 1 else "is"
	worst = _tell_group((below if shown.empty else shown).iloc[0].to_dict())
	more = f"; {others} more may be" if others and len(shown) else ""
	return (
		f"Fairness: {told} {'groups' if told > 1 else 'group'} {is_or_may} approved at less than "
		f"four fifths of the rate of the group approved most often{more}. Lowest: {worst}."
	)


def _tell_group(row: Mapping[Any, Any]) -> str:
	proxy = str(row["phrase"]).partition(",")[0].lower()
	low, high = row["approval_ratio_low"], row["approval_ratio_high"]
	return f"{proxy}, {row['group']}: {row['approval_ratio']:.2f} ({low:.2f} to {high:.2f})"


def count_samples(approvals: pd.DataFrame) -> dict[str, int]:
	"""How many loans each sample holds, by its name."""
	counted = approvals["sample"].value_counts(sort=False)
	return {str(name): int(count) for name, count in counted.items()}


def describe_later(approvals: pd.DataFrame, loans: pd.DataFrame) -> str:
	"""Which loans were judged out of time, and of which term none was; empty where none was."""
	is_later = approvals["sample"].eq(OUT_OF_TIME)
	known = loans.set_index("loan_id")
	later = known.loc[approvals.loc[is_later, "loan_id"]]
	if later.empty:
		return ""
	terms = later["term_months"].unique()
	others = known.loc[approvals.loc[~is_later, "loan_id"], "term_months"]
	first, last = (f"{month:%B %Y}" for month in later["issue_month"].agg(["min", "max"]))
	told = f"{_join(terms)}-month loans issued {first} to {last}"
	untested = others[~others.isin(terms)].unique()
	if len(untested):
		return f"{told} ({_join(untested)} months are untested)"
	return told


def _join(terms: Iterable[float]) -> str:
	return " and ".join(f"{term:.0f}" for term in sorted(terms))
