"""Where each running loan stands: which are judged, and why the others are not."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import pandas as pd

from loantap.portfolio.dictionary import CURRENT, LATE_31_120
from loantap.portfolio.errors import InputError
from loantap.surveillance.options import WatchlistOptions


class Situation(StrEnum):
	"""Where a running loan stands in the month of the list; the first two are judged."""

	JUDGED = "judged"
	STALE = "stale"
	TOO_STALE = "too_stale"
	IN_DEFAULT = "in_default"
	ENDED = "ended"
	NO_MONTHS = "no_months"


_MEANINGS: Final = MappingProxyType(
	{
		Situation.JUDGED: "judged",
		Situation.STALE: "judged on figures that are older than the month of the list",
		Situation.TOO_STALE: "not judged: the figures are too old",
		Situation.IN_DEFAULT: "not judged: in default before the last month; recoveries has it",
		Situation.ENDED: "not judged: its months say that nothing is owed, its status that it runs",
		Situation.NO_MONTHS: "not judged: it has no months",
	}
)
SAYS_CURRENT: Final = "its status says current, its last month that it is overdue"
SAYS_LATE: Final = "its status says 31 to 120 days late, its last month that nothing is overdue"


def explain_situation(situation: str) -> str:
	"""What a situation means, in words."""
	return _MEANINGS[Situation(situation)]


def choose_month(last_months: pd.Series, options: WatchlistOptions) -> pd.Timestamp:
	"""The month of the list: the last one in which enough running loans have figures.

	`last_months` is missing for a loan without months. A month that has only begun to arrive would make all others
	stale.

	Raises:
		InputError: no running loan has a month.
	"""
	known = last_months.dropna().sort_values(ascending=False, ignore_index=True)
	if known.empty:
		raise InputError(
			"table loan_months",
			f"none of the {len(last_months):,} running loans has a month",
			"Load the events of running loans; there is no watch-list without them",
		)
	needed = max(1, round(options.min_month_share * len(known)))
	return pd.Timestamp(known[needed - 1])


def find_situations(outcomes: pd.DataFrame, month: pd.Timestamp, max_stale_months: int) -> pd.DataFrame:
	"""Where each running loan stands in the month of the list.

	`outcomes`, one row per loan: `loan_id, last_month, default_month, paid_month`, missing where there is none.

	Returns:
		One row per running loan: `loan_id, situation, last_month, months_behind`.
	"""
	last = outcomes["last_month"]
	behind = (month.year - last.dt.year) * 12 + month.month - last.dt.month
	situation = pd.Series(Situation.JUDGED.value, index=last.index, dtype="str")
	situation = situation.mask(behind > 0, Situation.STALE)
	situation = situation.mask(behind > max_stale_months, Situation.TOO_STALE)
	situation = situation.mask(outcomes["default_month"] < last, Situation.IN_DEFAULT)
	situation = situation.mask(outcomes["paid_month"].notna(), Situation.ENDED)
	situation = situation.mask(last.isna(), Situation.NO_MONTHS)
	return pd.DataFrame(
		{
			"loan_id": outcomes["loan_id"],
			"situation": situation,
			"last_month": last,
			"months_behind": behind.clip(lower=0).astype("float64"),
		}
	)


def is_judged(situations: pd.DataFrame) -> pd.Series:
	"""Which loans the list can hold."""
	return situations["situation"].isin([Situation.JUDGED, Situation.STALE])


def find_contradictions(last: pd.DataFrame, statuses: pd.Series) -> pd.DataFrame:
	"""Loans whose status and last month cannot both be right: `loan_id`, `contradiction`.

	`last`: the last month of each, with `days_past_due`; the list follows it.
	"""
	status = last["loan_id"].map(statuses)
	says_current = status.eq(CURRENT) & last["days_past_due"].gt(0)
	says_late = status.eq(LATE_31_120) & last["days_past_due"].eq(0)
	found = pd.Series("", index=last.index, dtype="str")
	found = found.mask(says_current, SAYS_CURRENT).mask(says_late, SAYS_LATE)
	return last[["loan_id"]].assign(contradiction=found)[found.ne("")]
