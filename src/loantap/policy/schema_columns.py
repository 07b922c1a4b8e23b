"""Columns that Pandera schemas of policy share."""

from typing import Final

import pandera.pandas as pa

RATE: Final = pa.Check.in_range(0, 1)
COUNT: Final = pa.Column("int64", pa.Check.ge(0))
# Texts that repeat are categories in batches, text in files and frames.
IS_TEXT: Final = pa.Check(
    lambda texts: (texts.cat.categories if texts.dtype == "category" else texts).dtype == "str", error="text"
)


def bounded(*names: str, check: pa.Check | None = None) -> dict[str, pa.Column]:
    """Figures with `_low` and `_high`; missing where there are too few loans."""
    return {
        f"{name}{end}": pa.Column("float64", check, nullable=True) for name in names for end in ("", "_low", "_high")
    }
