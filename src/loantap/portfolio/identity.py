"""Identifiers made from a row's content."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loantap.portfolio.errors import InputError

_UUID = r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?"
# Beyond this a float does not hold every whole number.
_MAX_EXACT = 2.0**53
SEPARATOR = "\x1f"


def content_ids(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
	"""Identifier of each row: a digest of its `columns` and its occurrence number, as text.

	Other rows do not change it, except equal ones in front.

	>>> content_ids(pd.DataFrame({"title": ["car", "car"]}), ["title"]).to_list()
	['d83e1a4558aa7c56-1', 'd83e1a4558aa7c56-2']
	"""
	return ContentIds(columns).number(rows)


class ContentIds:
	"""`content_ids` of a table that comes in batches. Remembers eight bytes of each row."""

	def __init__(self, columns: Sequence[str]) -> None:
		self._columns = tuple(columns)
		self._known = np.zeros(0, dtype="uint64")

	def number(self, rows: pd.DataFrame) -> pd.Series:
		"""Identifiers of the next rows, indexed like them."""
		text = rows[self._columns[0]].astype("str").fillna("")
		for name in self._columns[1:]:
			text = text + SEPARATOR + rows[name].astype("str").fillna("")
		digests = [hashlib.blake2b(row.encode(), digest_size=8).hexdigest() for row in text]
		digest = pd.Series(digests, index=rows.index, dtype="str")
		numbers = np.array([int(each, 16) for each in digests], dtype="uint64")
		# By number: groups of texts would sort half a minute for a million rows.
		repeated = pd.Series(numbers, index=rows.index).groupby(numbers, sort=False).cumcount()
		before = np.searchsorted(self._known, numbers, side="right") - np.searchsorted(self._known, numbers, side="left")
		occurrence = repeated + before + 1
		self._known = np.sort(np.concatenate([self._known, numbers]), kind="stable")
		return digest + "-" + occurrence.astype("str")


def read_ids(raw: pd.Series) -> pd.Series:
	"""Identifiers as text, missing where there is none, however a system holds them.

	Padding is no part of one; leading zeros and capitals are. Whole numbers lose the decimals that a missing one gives.

	Raises:
		InputError: they are fractions too large to be told apart.
	"""
	if pd.api.types.is_float_dtype(raw):
		return _from_fractions(raw)
	texts = raw.astype("str").str.strip()
	return texts.mask(texts.eq("") | raw.isna())


def unify_uuids(ids: pd.Series) -> pd.Series:
	"""Those identifiers that are UUIDs in one form: systems give them in capitals, or in braces."""
	if not ids.str.fullmatch(_UUID, na=False).any():
		return ids
	unified = ids.str.replace(rf"^{_UUID}$", lambda found: found[1].lower(), regex=True)
	return unified.astype("str")


def is_among(ids: pd.Series, others: pd.Series) -> pd.Series:
	"""Which identifiers are among the others, both texts without missing ones.

	`Series.isin` gives the same, and turns each text into a Python object for it.
	"""
	found = pc.is_in(pa.array(ids, pa.large_string()), pa.array(others, pa.large_string()))
	return pd.Series(found.to_numpy(zero_copy_only=False), index=ids.index)


def fold_ids(ids: pd.Series) -> pd.Series:
	"""Identifiers without what people and systems change: capitals, leading zeros, dashes."""
	return ids.str.replace(r"[\s{}-]", "", regex=True).str.casefold().str.lstrip("0")


def _from_fractions(raw: pd.Series) -> pd.Series:
	if raw.abs().max() >= _MAX_EXACT:
		raise InputError(
			str(raw.name),
			f"the identifiers are floating-point numbers of up to {raw.abs().max():.3g}, too large to tell all of them apart",
			"Give them as text, or as whole numbers",
		)
	texts = raw.astype("str").str.removesuffix(".0")
	return texts.mask(raw.isna())
