"""The same borrower on both sides of a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from loantap.model.leakage.statistics import Folds

BORROWER_ID: Final = "borrower_id"


@dataclass(frozen=True, slots=True)
class DuplicateBorrowers:
	"""Loans that share a borrower, or the very application, with one on the other side.

	`test_duplicates` are held-out loans, `fold_duplicates` training loans with one in another fold; `keys` are the
	columns that told, in words; `by_key` counts held-out loans per key.
	"""

	keys: tuple[str, ...]
	test_loans: int
	test_duplicates: int
	train_loans: int
	fold_duplicates: int
	by_key: tuple[int, ...]

	@property
	def share(self) -> float:
		"""Of the held-out loans, with a training duplicate."""
		return self.test_duplicates / self.test_loans if self.test_loans else 0.0

	def as_dict(self) -> dict[str, Any]:
		"""Figures for a record."""
		return {
			"keys": list(self.keys),
			"test_loans": self.test_loans,
			"test_duplicates": self.test_duplicates,
			"test_duplicates_by_key": list(self.by_key),
			"train_loans": self.train_loans,
			"fold_duplicates": self.fold_duplicates,
		}


def find_duplicate_borrowers(
	loans: pd.DataFrame, is_train: pd.Series, folds: Folds, borrower_keys: Sequence[tuple[str, ...]]
) -> DuplicateBorrowers:
	"""Look for borrowers on both sides of the split (`is_train`, same index), and of the folds.

	By `borrower_id` where the loans carry one, else by `borrower_keys`: loans equal in all columns of a key, none
	missing.
	"""
	train = is_train.to_numpy()
	keys = ((BORROWER_ID,),) if BORROWER_ID in loans else tuple(borrower_keys)
	fold = np.zeros(len(loans))
	for number, (_, outside) in enumerate(folds):
		fold[np.flatnonzero(train)[outside]] = number
	across, between = [], []
	for key in keys:
		duplicates = _find_partners(loans[list(key)])
		across.append(_meets_other_side(duplicates, train) & ~train)
		inside = np.where(train, duplicates, -1)
		between.append(_meets_other_side(inside, fold))
	return DuplicateBorrowers(
		keys=tuple(" + ".join(key) for key in keys),
		test_loans=int((~train).sum()),
		test_duplicates=int(np.any(across, axis=0).sum()),
		train_loans=int(train.sum()),
		fold_duplicates=int(np.any(between, axis=0).sum()),
		by_key=tuple(int(found.sum()) for found in across),
	)


def _find_partners(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
	"""A number per loan, the same for loans equal in all columns; -1 without a partner."""
	# 64-bit digests: among a million loans two different ones agree once in 40 million tries.
	digests = pd.util.hash_pandas_object(rows, index=False)
	is_shared = digests.duplicated(keep=False) & rows.notna().all(axis=1)
	partners = np.full(len(rows), -1)
	partners[is_shared.to_numpy()] = pd.factorize(digests[is_shared])[0]
	return partners


def _meets_other_side(partners: npt.NDArray[np.int64], side: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
	meets = np.zeros(len(partners), dtype=bool)
	found = partners >= 0
	sides = pd.Series(side[found]).groupby(partners[found]).transform("nunique")
	meets[found] = sides.to_numpy() > 1
	return meets
