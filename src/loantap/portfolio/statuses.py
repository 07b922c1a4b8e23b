"""What the words mean by which sources tell the status of a loan.

The words of LoanTap and of Lending Club's public files are known. Others are mapped by
configuration (`ingestion.statuses`); a word that nobody mapped stops the run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loantap.portfolio.dictionary import (
	CHARGED_OFF,
	CURRENT,
	DEFAULT,
	FULLY_PAID,
	GRACE_PERIOD,
	LATE_16_30,
	LATE_31_120,
)
from loantap.portfolio.errors import InputError
from loantap.portfolio.values import fold

# What the reason of a row begins with that is no loan, or none that is to be judged.
LEFT_OUT: Final = "left out: "
_NOT_FUNDED: Final = "it was not funded"
# A prefix of loans made before the credit policy changed.
_OLD_POLICY: Final = "Does not meet the credit policy. Status:"
_KNOWN: Final = MappingProxyType(
	{
		"paid": (FULLY_PAID, f"{_OLD_POLICY}{FULLY_PAID}"),
		"charged_off": (CHARGED_OFF, f"{_OLD_POLICY}{CHARGED_OFF}"),
		"current": (CURRENT, "Issued", f"{_OLD_POLICY}{CURRENT}"),
		"grace_period": (GRACE_PERIOD, f"{_OLD_POLICY}{GRACE_PERIOD}"),
		"late_16_30": (LATE_16_30, f"{_OLD_POLICY}{LATE_16_30}"),
		"late_31_120": (LATE_31_120, f"{_OLD_POLICY}{LATE_31_120}"),
		"default": (DEFAULT, f"{_OLD_POLICY}{DEFAULT}"),
		"not_funded": ("Expired", "Withdrawn", "Removed", "In Review", "In Funding"),
	}
)
_WORD_OF: Final = MappingProxyType(
	{
		"paid": FULLY_PAID,
		"charged_off": CHARGED_OFF,
		"current": CURRENT,
		"grace_period": GRACE_PERIOD,
		"late_16_30": LATE_16_30,
		"late_31_120": LATE_31_120,
		"default": DEFAULT,
	}
)
_SHOWN: Final = 5
_Word = Annotated[str, Field(min_length=1)]


class LeftOut(BaseModel):
	"""A status of rows that are no loans to be judged."""

	model_config = ConfigDict(frozen=True, extra="forbid")

	status: _Word
	reason: _Word


class Statuses(BaseModel):
	"""Words of a source besides those that are known; a word given here counts as it says here.

	Attributes:
		charged_off: lost: the target.
		current: running, nothing overdue.
		grace_period: running, overdue by at most 15 days.
		late_16_30: running, overdue by 16 to 30 days.
		late_31_120: running, overdue by 31 to 120 days.
		default: running, overdue by more than 120 days, not charged off yet.
		not_funded: applications that never became a loan.
		left_out: other rows that are no loans to be judged.
	"""

	model_config = ConfigDict(frozen=True, extra="forbid")

	paid: tuple[_Word, ...] = ()
	charged_off: tuple[_Word, ...] = ()
	current: tuple[_Word, ...] = ()
	grace_period: tuple[_Word, ...] = ()
	late_16_30: tuple[_Word, ...] = ()
	late_31_120: tuple[_Word, ...] = ()
	default: tuple[_Word, ...] = ()
	not_funded: tuple[_Word, ...] = ()
	left_out: tuple[LeftOut, ...] = ()

	@model_validator(mode="after")
	def _map_each_word_once(self) -> "Statuses":
		given = [fold(word) for word, _, _ in self._list_given()]
		repeated = sorted({word for word in given if given.count(word) > 1})
		if repeated:
			raise ValueError(f"a word is mapped twice: {', '.join(repeated)}")
		return self

	def _list_given(self) -> Iterator[tuple[str, str, str]]:
		for name in _KNOWN:
			for word in getattr(self, name):
				yield word, _WORD_OF.get(name, ""), "" if name in _WORD_OF else _NOT_FUNDED
		for each in self.left_out:
			yield each.status, "", each.reason

	def meanings(self) -> dict[str, tuple[str, str]]:
		"""By folded word: the word of the data dictionary, or why its rows are left out."""
		known = {
			fold(word): (_WORD_OF.get(name, ""), "" if name in _WORD_OF else _NOT_FUNDED)
			for name, words in _KNOWN.items()
			for word in words
		}
		return known | {fold(word): (ours, why) for word, ours, why in self._list_given()}


@dataclass(frozen=True, slots=True)
class ReadStatuses:
	"""Statuses in the dictionary's words, indexed as the raw ones; `left_out` has the reasons of rows left out."""

	words: pd.Series
	left_out: pd.Series


def read_statuses(raw: pd.Series, statuses: Statuses, where: str) -> ReadStatuses:
	"""Read the statuses of loans, one word per row; InputError where one is not mapped."""
	meanings = statuses.meanings()
	counts = raw.value_counts()
	texts = {word: str(word).strip() for word in counts.index}
	unknown = [word for word, text in texts.items() if text and fold(text) not in meanings]
	if unknown:
		shown = ", ".join(f"'{texts[w]}' ({counts[w]:,} rows)" for w in unknown[:_SHOWN])
		more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
		raise InputError(
			where,
			f"nobody has said what loan_status {shown}{more} means",
			"Map it in conf/base/parameters_ingestion.yml, under ingestion.statuses: paid, "
			"charged_off, current, grace_period, late_16_30, late_31_120, default, not_funded, or "
			"left_out with a reason",
		)
	found = {word: meanings[fold(text)] for word, text in texts.items() if text}
	words = {word: ours or CURRENT for word, (ours, _) in found.items()}
	left_out = {word: LEFT_OUT + why for word, (_, why) in found.items() if why}
	return ReadStatuses(raw.map(words).astype("str"), raw.map(left_out).astype("str"))
