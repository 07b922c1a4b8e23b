"""Identifiers made from a row's content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd

SEPARATOR = "\x1f"


def content_ids(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Identifier of each row: a digest of its `columns` and its occurrence number.

    The same content always gives the same identifier, whatever the file's order of rows; the
    second row of equal content ends in `-2`. Returns text, indexed like `rows`.
    """
    text = rows[columns[0]].astype("str").fillna("")
    for name in columns[1:]:
        text = text + SEPARATOR + rows[name].astype("str").fillna("")
    digests = [hashlib.blake2b(row.encode(), digest_size=8).hexdigest() for row in text]
    digest = pd.Series(digests, index=rows.index, dtype="str")
    occurrence = digest.groupby(digest.to_numpy()).cumcount() + 1
    return digest + "-" + occurrence.astype("str")
