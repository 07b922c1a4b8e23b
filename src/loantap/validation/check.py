"""A reported figure beside the recomputed one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from loantap.portfolio.errors import InputError

REMEDY: Final = "Run `--pipelines training`, which writes it anew, then `make validate`"
_NAMED = 5


class Check(NamedTuple):
	"""One figure; of rows the means, and the difference furthest beyond its tolerance."""

	figure: str
	n: int
	reported: float
	recomputed: float
	difference: float
	tolerance: float
	reason: str

	@property
	def agrees(self) -> bool:
		"""False where only one side has a number."""
		return self.difference <= self.tolerance


def compare(
	figure: str, n: int, reported: Any, recomputed: Any, tolerance: float | None = None, reason: str = "exact"
) -> Check:
	"""Numbers, or arrays of one length; without a tolerance they agree to six significant digits."""
	told, found = (np.atleast_1d(np.asarray(given, dtype=float)) for given in (reported, recomputed))
	if not told.size or told.shape != found.shape:
		raise InputError(figure, f"{told.size:,} numbers are reported, and {found.size:,} recomputed", REMEDY)
	gaps = np.nan_to_num(np.where(np.isnan(told) & np.isnan(found), 0, np.abs(told - found)), nan=np.inf)
	if tolerance is None:
		reason = "six digits are reported"
	allowed = 5e-6 * np.nan_to_num(np.abs(told)) + 1e-9 if tolerance is None else np.full(told.shape, tolerance)
	worst = int(np.argmax(gaps - allowed))
	return Check(figure, n, float(told.mean()), float(found.mean()), float(gaps[worst]), float(allowed[worst]), reason)


def compare_each(figure: str, reported: pd.Series, recomputed: pd.Series, *how: Any) -> Iterator[Check]:
	"""Series as one figure, and the first that differ by name; what one of them lacks differs."""
	told, found = reported.astype(float).align(recomputed.astype(float))
	yield compare(figure, len(told), told, found, *how)
	each = (compare(f"{figure}, {name}", 1, told[name], found[name], *how) for name in told.index)
	yield from [check for check in each if not check.agrees][:_NAMED]


def count(figure: str, n: int, wrong: Iterable[Any]) -> Check:
	"""How many of `n` are wrong, none being allowed; the first are named."""
	names = list(map(str, wrong))
	more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
	return compare(f"{figure}: {', '.join(names[:_NAMED])}{more}" if names else figure, n, len(names), 0, 0)


class Material(NamedTuple):
	"""Raw loans by id; files by name, or why they cannot be read; the run's parameters by path; facts of the model.

	`absent` says of parts why they rightly have nothing to be validated; `digests` are those of the version's files.
	"""

	raw: pd.DataFrame
	files: Mapping[str, Any]
	parameters: Mapping[str, Any]
	facts: Mapping[str, Any]
	absent: Mapping[str, str]
	digests: Mapping[str, str]

	def file(self, name: str, *, may_be_empty: bool = False) -> Any:
		"""What a file holds; InputError where it is absent, damaged or empty."""
		content = self.files.get(name, InputError(name, "it is not there", REMEDY))
		if isinstance(content, InputError):
			raise content
		if not (len(content) or may_be_empty):
			raise InputError(name, "it is empty", REMEDY)
		return content

	def sample(self, name: str) -> pd.DataFrame:
		"""Its predictions beside the raw loans, which are missing where there are none; InputError without any."""
		rows: pd.DataFrame = self.file("predictions.parquet")
		rows = rows[rows["sample"] == name]
		if rows.empty:
			raise InputError("predictions.parquet", f"it has no loan of the sample {name}", REMEDY)
		return rows.join(self.raw, on="loan_id")

	def features(self) -> pd.DataFrame:
		"""The model input, by loan."""
		table: pd.DataFrame = self.file("model_input.parquet").set_index("loan_id")
		if not table.index.is_unique:
			raise InputError("model_input.parquet", "it has loans twice", REMEDY)
		return table

	def below(self, path: str) -> dict[str, Any]:
		"""Parameters below a path."""
		return {name.removeprefix(path): value for name, value in self.parameters.items() if name.startswith(path)}
