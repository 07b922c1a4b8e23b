"""Columns that Pandera schemas of policy share."""

from typing import Final

import pandera.pandas as pa

from loantap.policy.money.scenarios import PaidLife

RATE: Final = pa.Check.in_range(0, 1)
COUNT: Final = pa.Column("int64", pa.Check.ge(0))
AT_LEAST_ONE: Final = pa.Column("int64", pa.Check.gt(0))
TEXT: Final = pa.Column("str")
# Missing where there are too few loans.
FIGURE: Final = pa.Column("float64", nullable=True)
MAYBE_RATE: Final = pa.Column("float64", RATE, nullable=True)
# Texts that repeat are categories in batches, text in files and frames.
IS_TEXT: Final = pa.Check(
  lambda texts: (texts.cat.categories if texts.dtype == "category" else texts).dtype == "str", error="text"
)


def one_of(*values: str) -> pa.Column:
  """A text out of these."""
  return pa.Column("str", pa.Check.isin(values))


PAID_LIFE: Final = one_of(*(life.value for life in PaidLife))


def bounded(*names: str, check: pa.Check | None = None) -> dict[str, pa.Column]:
  """Figures with `_low` and `_high`; missing where there are too few loans."""
  return {f"{name}{end}": pa.Column("float64", check, nullable=True) for name in names for end in ("", "_low", "_high")}
