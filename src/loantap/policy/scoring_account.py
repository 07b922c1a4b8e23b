"""What became of a file of applications: decisions, offers by kind, and why others cannot be scored."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.policy.decisions import Decision
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import fold_ids

COUNTED_COLUMNS = ("application_id", "decision", "reason_1")
COUNTED_OF_OFFERS = ("application_id", "offer", "kind", "decision", "reason")
# Rows shown of each reason, and reasons in a message.
_SHOWN_ROWS, _SHOWN_REASONS = 5, 3
# In a smaller file one bad row is more than any small share.
_MIN_ROWS = 20
_FEW_ROWS_SHARE = 0.5
# What is said of one row alone: its value, and numbers made of it.
_OWN_VALUE = re.compile(r" '.*?': ", re.DOTALL)
_NUMBER = re.compile(r"-?\d[\d,.]*")
_IDS = np.dtype([("digest", "uint64"), ("row", "int64")])
_NO_IDS = np.zeros(0, _IDS)
_NO_ROWS = np.zeros(0, "int64")


@dataclass(slots=True)
class _Cause:
	rows: int = 0
	example: str = ""
	first_rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CountedRows:
	"""Rows that have something in common; `first_rows` are numbered from 1."""

	rows: int
	first_rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ScoringAccount:
	"""What became of the rows of a file.

	`causes`: why rows cannot be scored, the most frequent first: `rows`, an `example` in words, `first_rows` from 1.
	`without_id` are not written back, of those `repeated` the last one is; ids that are `alike` differ in capitals, zeros
	or dashes alone; None without a column of ids.
	"""

	rows: int
	invalid: int
	causes: tuple[dict[str, Any], ...]
	has_ids: bool
	without_id: CountedRows | None = None
	repeated: CountedRows | None = None
	alike: CountedRows | None = None

	@property
	def invalid_share(self) -> float:
		"""Share of the rows that cannot be scored; 0 of none."""
		return self.invalid / self.rows if self.rows else 0.0

	def as_dict(self) -> dict[str, Any]:
		"""For `scoring_account.json`."""
		return asdict(self) | {"invalid_share": self.invalid_share}


def account_for_scores(batches: Iterable[pd.DataFrame], *, has_ids: bool) -> ScoringAccount:
	"""Count what became of each row, batches of scores being in order, with `COUNTED_COLUMNS`."""
	rows = invalid = 0
	causes: dict[str, _Cause] = {}
	ids, folded, missing = [_NO_IDS], [_NO_IDS], [_NO_ROWS]
	for batch in batches:
		is_invalid = batch["decision"].eq(Decision.INVALID.value).to_numpy()
		_add_causes(causes, batch["reason_1"], np.flatnonzero(is_invalid), rows)
		invalid += int(is_invalid.sum())
		if has_ids:
			texts = batch["application_id"].astype("str")
			missing.append(np.flatnonzero(texts.isna()) + rows)
			ids.append(_digest(texts, len(batch), rows))
			folded.append(_digest(fold_ids(texts), len(batch), rows))
		rows += len(batch)
	by_frequency = sorted(causes.values(), key=lambda cause: -cause.rows)
	account = ScoringAccount(rows, invalid, tuple(asdict(cause) for cause in by_frequency), has_ids)
	if not has_ids:
		return account
	repeated, alike = _find_repeated(np.concatenate(ids)), _find_repeated(np.concatenate(folded))
	return replace(
		account,
		without_id=_name_rows(np.concatenate(missing)),
		repeated=_name_rows(repeated),
		alike=_name_rows(np.setdiff1d(alike, repeated)),
	)


def require_few_invalid(account: ScoringAccount, max_share: float) -> None:
	"""Refuse a file of which so many rows cannot be scored that it is plainly another.

	Of fewer than 20 rows half may be invalid, unless none is allowed.
	"""
	is_small = account.rows < _MIN_ROWS and max_share > 0
	allowed = max(max_share, _FEW_ROWS_SHARE) if is_small else max_share
	if account.invalid <= allowed * account.rows:
		return
	shown = [say_cause(cause) for cause in account.causes[:_SHOWN_REASONS]]
	others = sum(cause["rows"] for cause in account.causes[_SHOWN_REASONS:])
	shown += [f"{others:,} for other reasons"] if others else []
	remedy = "Correct the file"
	if account.invalid < account.rows:
		enough = np.ceil(account.invalid_share * 100) / 100
		remedy += f"; to score the others all the same, add --params scoring.max_invalid_share={enough:g}"
	problem = f"{account.invalid:,} of {account.rows:,} cannot be scored, more than {allowed:.3g} of them"
	raise InputError("applications", f"{problem}: {'; '.join(shown)}", remedy)


def say_cause(cause: dict[str, Any]) -> str:
	"""A cause in words: how many rows, which are first, what is wrong with the first."""
	first = [f"{row:,}" for row in cause["first_rows"]]
	more = ", ..." if cause["rows"] > len(first) else ""
	where = f"row {first[0]}" if cause["rows"] == 1 else f"rows {', '.join(first)}{more}"
	return f"{cause['rows']:,} ({where}): {cause['example']}"


def _add_causes(causes: dict[str, _Cause], reasons: pd.Series, places: npt.NDArray[np.intp], before: int) -> None:
	"""`before` rows came earlier."""
	codes, texts = pd.factorize(reasons.iloc[places].astype("str"))
	# The cause of each distinct reason.
	keys, names = pd.factorize(np.array([_NUMBER.sub("", _OWN_VALUE.sub(": ", text)) for text in texts], dtype=object))
	of_rows = keys[codes]
	for number, name in enumerate(names):
		rows = places[of_rows == number]
		first_text = texts[codes[np.argmax(of_rows == number)]]
		cause = causes.setdefault(name, _Cause(example=first_text))
		cause.rows += len(rows)
		room = _SHOWN_ROWS - len(cause.first_rows)
		cause.first_rows += [before + int(row) + 1 for row in rows[:room]]


def _digest(texts: pd.Series, rows: int, before: int) -> npt.NDArray[np.void]:
	"""Eight bytes for each id: a file may hold millions."""
	digests = np.zeros(rows, _IDS)
	digests["digest"] = pd.util.hash_array(texts.to_numpy(object), categorize=False)
	digests["row"] = np.arange(before, before + rows)
	return digests[texts.notna().to_numpy()]


def _find_repeated(ids: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
	order = np.argsort(ids["digest"], kind="stable")
	ordered = ids[order]
	is_again = ordered["digest"][1:] == ordered["digest"][:-1]
	rows: npt.NDArray[np.int64] = np.sort(ordered["row"][1:][is_again])
	return rows


def _name_rows(rows: npt.NDArray[np.int64]) -> CountedRows:
	return CountedRows(len(rows), tuple(int(row) + 1 for row in rows[:_SHOWN_ROWS]))


@dataclass(frozen=True, slots=True)
class OffersAccount:
	"""What became of the applications of a file: by their best decision, by kind of offer, and why none."""

	applications: ScoringAccount
	decisions: dict[str, int]
	kinds: dict[str, int]
	no_offer: dict[str, int]

	def as_dict(self) -> dict[str, Any]:
		"""For `offers_account.json`."""
		return self.applications.as_dict() | {"decisions": self.decisions, "kinds": self.kinds, "no_offer": self.no_offer}


def account_for_offers(batches: Iterable[pd.DataFrame], *, has_ids: bool) -> OffersAccount:
	"""Count the offers, batches being in order, with `COUNTED_OF_OFFERS`."""
	decisions: Counter[str] = Counter()
	kinds: Counter[str] = Counter()
	no_offer: Counter[str] = Counter()

	def count() -> Iterator[pd.DataFrame]:
		for batch in batches:
			# The first row of an application has its best decision.
			first = batch[batch["offer"] <= 1]
			decisions.update(first["decision"].astype("str"))
			kinds.update(batch["kind"].astype("str"))
			no_offer.update(first["reason"].astype("str")[first["decision"].eq("decline")])
			yield first.rename(columns={"reason": "reason_1"})

	applications = account_for_scores(count(), has_ids=has_ids)
	return OffersAccount(
		applications, dict(decisions.most_common()), dict(kinds.most_common()), dict(no_offer.most_common())
	)
