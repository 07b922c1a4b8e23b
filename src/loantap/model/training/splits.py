"""Which loans train the model and which judge it, and digests of the first.

Digests are eight bytes, keyed by all loans of a training together: enough to recognise a loan, too little to recover
it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from loantap.features.definitions import FEATURE_SETS, FEATURES
from loantap.model.training.options import OutOfTimeOptions, SplitOptions, TrainingOptions
from loantap.portfolio.arrays import MonthArray
from loantap.portfolio.dictionary import COLUMNS, Kind
from loantap.portfolio.errors import InputError

# Fewer of an outcome among all loans judged say nothing about a model.
_MIN_JUDGED = 10


def date_loans(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.DataFrame:
	"""From when on each loan may train, and at which origin it is judged.

	Takes `is_charged_off`, `issue_month`, `term_months`. Returns `known_from`, the first origin whose model may train
	on the loan, and `judged_at`, the origin whose model scores it (missing where none does).
	"""
	plan = plan_origins(loans, window)
	judged_at = _judged_at(loans, window)
	skipped = plan.loc[plan["skipped"].ne(""), "origin"]
	return pd.DataFrame(
		{
			"known_from": _known_from(loans, settled_only=window.settled_only),
			"judged_at": judged_at.mask(judged_at.isin(skipped)),
		}
	)


def plan_origins(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.DataFrame:
	"""What each origin has to train on and to judge, and why one is skipped.

	Takes what `date_loans` takes. One row per origin: `origin`; `until`, issue month of the last loans judged;
	`trained_loans`, `trained_charge_offs`; of those issued before it `settled_loans`, `settled_charge_offs`, their
	contractual end before it too; `judged_loans`, `judged_charge_offs`; `skipped`, the reason or "".
	"""
	outcome = loans["is_charged_off"].to_numpy()
	known = _known_from(loans, settled_only=window.settled_only).to_numpy()
	settled = _known_from(loans, settled_only=True).to_numpy()
	judged_at = _judged_at(loans, window).to_numpy()
	rows = []
	last = np.datetime64(window.last_month, "M")
	for origin in _list_origins(window):
		sets = {"trained": known <= origin, "settled": settled <= origin}
		until = min(origin.astype("datetime64[M]") + window.step_months - 1, last)
		row: dict[str, object] = {"origin": origin, "until": until}
		for name, is_in in (sets | {"judged": judged_at == origin}).items():
			row |= {f"{name}_loans": is_in.sum(), f"{name}_charge_offs": outcome[is_in].sum()}
		rows.append(row)
	plan = pd.DataFrame(rows).astype({"origin": "datetime64[s]", "until": "datetime64[s]"})
	return plan.assign(skipped=_explain_skips(plan, window)).astype({"skipped": "str"})


def end_of_contract(loans: pd.DataFrame) -> pd.Series:
	"""Month of the last instalment: `issue_month` plus `term_months`, first day, datetime64[s]."""
	return _add_months(loans["issue_month"], loans["term_months"].to_numpy())


def _list_origins(window: OutOfTimeOptions) -> MonthArray:
	origins = np.arange(
		np.datetime64(window.first_origin, "M"),
		np.datetime64(window.last_month, "M") + 1,
		np.timedelta64(window.step_months, "M"),
	)
	return origins.astype("datetime64[s]")


def _known_from(loans: pd.DataFrame, *, settled_only: bool) -> pd.Series:
	# A loan of the month itself, or settled in it, is not known yet on its first day.
	known = end_of_contract(loans) if settled_only else loans["issue_month"]
	return _add_months(known, np.ones(len(loans)))


def _judged_at(loans: pd.DataFrame, window: OutOfTimeOptions) -> pd.Series:
	origins = _list_origins(window)
	issued = loans["issue_month"]
	place = np.searchsorted(origins, issued.to_numpy().astype("datetime64[s]"), side="right") - 1
	is_judged = loans["term_months"].eq(window.term_months) & issued.le(pd.Timestamp(window.last_month)) & (place >= 0)
	return pd.Series(origins[np.maximum(place, 0)], index=loans.index).where(is_judged)


def _add_months(months: pd.Series, count: npt.NDArray[np.float64]) -> pd.Series:
	moved = months.to_numpy().astype("datetime64[M]") + count.astype("int64")
	return pd.Series(moved.astype("datetime64[s]"), index=months.index)


def _explain_skips(plan: pd.DataFrame, window: OutOfTimeOptions) -> list[str]:
	counts = plan[["trained_loans", "trained_charge_offs", "judged_loans"]].to_numpy()
	reasons = [_explain_skip(*map(int, counted), window=window) for counted in counts]
	judged = plan[[not reason for reason in reasons]]
	charged_off = int(judged["judged_charge_offs"].sum())
	rarest = min(charged_off, int(judged["judged_loans"].sum()) - charged_off)
	if rarest >= _MIN_JUDGED:
		return reasons
	too_few = f"all origins together judge {rarest} loans of the rarer outcome, too few"
	return [reason or too_few for reason in reasons]


def _explain_skip(loans: int, charged_off: int, judged: int, *, window: OutOfTimeOptions) -> str:
	rarest = min(charged_off, loans - charged_off)
	which = "settled" if window.settled_only else "issued"
	if rarest < window.min_outcomes:
		return (
			f"{charged_off:,} charge-offs among the {loans:,} loans {which} before it: "
			f"fewer than {window.min_outcomes} of an outcome"
		)
	return "" if judged else "no loan to judge"


class Split(StrEnum):
	"""Random split."""

	TRAIN = "train"
	TEST = "test"


def require_enough(loans: pd.DataFrame, min_outcomes: int) -> None:
	"""Stop with InputError where the loans have fewer than `min_outcomes` charge-offs, or paid ones, to train on."""
	charged_off = int(loans["is_charged_off"].sum())
	paid = len(loans) - charged_off
	if min(charged_off, paid) >= min_outcomes:
		return
	needed = math.ceil(min_outcomes * len(loans) / max(min(charged_off, paid), 1))
	raise InputError(
		"portfolio",
		f"it has {len(loans):,} loans, {charged_off:,} of them charged off and {paid:,} paid: too "
		f"few to train a model, which needs {min_outcomes} of each",
		f"Give about {needed:,} loans, if the rarer outcome is as frequent in them as here"
		if min(charged_off, paid)
		else "Give a portfolio that holds loans of both outcomes",
	)


def split_loans(loans: pd.DataFrame, options: SplitOptions) -> pd.DataFrame:
	"""Assign each loan to the random split and to its place in the rolling origin.

	Takes what `date_loans` takes, and `loan_id`. Returns one row per loan, same order: `loan_id`,
	`split`, `known_from`, `judged_at`.

	Raises:
		InputError: an outcome has too few loans to be on both sides of the split.
	"""
	target = loans["is_charged_off"]
	is_tested = np.zeros(len(loans), bool)
	tested = math.ceil(len(loans) * options.test_share)
	counts = target.value_counts()
	# Fewer than this, and a stratified split cannot even be tried.
	if counts.size == 2 <= min(counts.min(), tested, len(loans) - tested):
		_, test = train_test_split(
			np.arange(len(loans)), test_size=options.test_share, stratify=target, random_state=options.seed
		)
		is_tested[test] = True
	if any(target[side].nunique() < 2 for side in (is_tested, ~is_tested)):
		raise InputError(
			"loans",
			f"{len(loans)} loans with outcomes {counts.to_dict()} cannot be split into training "
			f"and test with both outcomes on each side",
			"Give a portfolio with more loans of the rarer outcome",
		)
	split = pd.Series(Split.TRAIN.value, index=loans.index, dtype="str")
	split[is_tested] = Split.TEST.value
	assigned = pd.DataFrame({"loan_id": loans["loan_id"], "split": split})
	return assigned.join(date_loans(loans, options.out_of_time))


def make_folds(options: TrainingOptions) -> StratifiedKFold:
	"""The stratified folds that search, out-of-fold predictions and thresholds share."""
	return StratifiedKFold(options.folds, shuffle=True, random_state=options.seed)


FILE: Final = "training_loans.npz"
# What any file of resolved loans has beside the columns of a model.
_ALWAYS: Final = ("issue_month", "interest_rate_pct")
_KINDS: Final = (Kind.NUMBER, Kind.COUNT, Kind.MONTH)
_BYTES: Final = 8
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class TrainingDigests:
	"""The loans one version was trained on: rising digests of `columns` that are never missing."""

	columns: tuple[str, ...]
	key: bytes
	digests: npt.NDArray[np.uint64]

	def count_shared(self, loans: pd.DataFrame) -> int:
		"""How many of these loans the version was trained on."""
		asked = _digest(_tell_apart(loans, self.columns), self.key)
		return int(np.isin(asked, self.digests).sum())

	def save(self, path: Path) -> None:
		"""Write them to a file, 8 bytes a loan."""
		key = np.frombuffer(self.key, dtype="uint8")
		np.savez(path, columns=np.array(self.columns), key=key, digests=self.digests)

	@staticmethod
	def load(path: Path) -> TrainingDigests:
		"""Read what `save` wrote; ValueError where the file is damaged or another."""
		try:
			with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
				columns = tuple(map(str, held["columns"]))
				return TrainingDigests(columns, held["key"].tobytes(), held["digests"])
		except (BadZipFile, EOFError, KeyError, OSError, TypeError) as error:
			raise ValueError(f"{path.name} holds no digests: {error}") from error


def digest_loans(loans: pd.DataFrame, feature_set: str) -> TrainingDigests:
	"""Digests of the loans that a model of this feature set is trained on."""
	columns = _choose_columns(feature_set)
	rows = _tell_apart(loans, columns)
	# The same loans get the same key, in any order: a run can be repeated.
	whole = hashlib.blake2b(digest_size=_KEY_BYTES)
	for row in sorted(rows):
		whole.update(row)
	key = whole.digest()
	return TrainingDigests(columns, key, np.sort(_digest(rows, key)))


def _choose_columns(feature_set: str) -> tuple[str, ...]:
	used = {name for feature in FEATURE_SETS[feature_set].features for name in FEATURES[feature].uses}
	known = (COLUMNS[name] for name in sorted({*used, *_ALWAYS}))
	# No texts: a purpose in another spelling, or an outcome that came later, is the same loan.
	return tuple(c.name for c in known if c.kind in _KINDS and not c.nullable)


def _tell_apart(loans: pd.DataFrame, columns: Iterable[str]) -> list[bytes]:
	texts = [_write(loans[name]) for name in columns]
	return ["|".join(row).encode() for row in zip(*texts, strict=True)]


def _write(values: pd.Series) -> list[str]:
	if pd.api.types.is_datetime64_any_dtype(values):
		return [f"{month:%Y-%m}" for month in values]
	return [f"{value:.4f}" for value in values.to_numpy("float64")]


def _digest(rows: Iterable[bytes], key: bytes) -> npt.NDArray[np.uint64]:
	hashed = b"".join(hashlib.blake2b(row, digest_size=_BYTES, key=key).digest() for row in rows)
	return np.frombuffer(hashed, dtype="<u8")
