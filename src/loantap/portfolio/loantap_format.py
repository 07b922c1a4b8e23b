"""The LoanTap format: rows as text, as they stand in the CSV file and in the source tables.

`parse` turns them into typed canonical columns and lists every value it cannot use; `render` is
its inverse. Ingestion, scoring and the API read applications through the same `parse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from loantap.portfolio.dictionary import Column, Kind
from loantap.portfolio.errors import InputError

MONTH_FORMAT = "%b-%Y"
_LONGEST_SHOWN = 20
PROBLEM_COLUMNS = ("column", "value", "reason")
# A month is that of the place where it was written down, whatever its offset from UTC.
_UTC_OFFSET = r"(:\d{2}(?:\.\d+)?)\s*(?:Z|[+-]\d{2}:?\d{2})$"
_ADDRESS = r"\b(?P<state>[A-Z]{2}) (?P<pincode>\d{5})\s*$"


@dataclass(frozen=True, slots=True)
class Parsed:
    """Typed rows and what was wrong with them.

    Attributes:
        rows: same index as the input, canonical columns; a value that cannot be used is missing.
        problems: one row per bad value, indexed like the input: `column` (source name), `value`
            (as text), `reason`.
    """

    rows: pd.DataFrame
    problems: pd.DataFrame

    @property
    def is_bad(self) -> pd.Series:
        """One boolean per input row: whether any of its values cannot be used."""
        return pd.Series(self.rows.index.isin(self.problems.index), index=self.rows.index)


def require_columns(frame: pd.DataFrame, columns: Sequence[Column], where: str) -> None:
    """Raise `InputError` naming the source columns that `frame` lacks."""
    missing = [c.source_name for c in columns if c.source_name not in frame.columns]
    if missing:
        raise InputError(
            where,
            f"column{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))} missing",
            f"Add {'them' if len(missing) > 1 else 'it'}; the columns expected are "
            f"{', '.join(str(c.source_name) for c in columns)}",
        )


def parse(frame: pd.DataFrame, columns: Sequence[Column], as_of: pd.Timestamp) -> Parsed:
    """Type and check rows in LoanTap format.

    Args:
        frame: any number of rows with the columns' source names; text or already typed.
        columns: the dictionary's entries to read.
        as_of: the day of the run; a month after it is a problem.

    Returns:
        Canonical columns (see `dictionary`), and the problems found.
    """
    parsed: dict[str, pd.Series] = {}
    problems: list[pd.DataFrame] = []
    for column in columns:
        raw = frame[column.source_name]
        values, reasons = _parse_column(raw, column, as_of)
        parsed[column.name] = values
        bad = reasons.notna()
        if bad.any():
            problems.append(
                pd.DataFrame(
                    {
                        "column": column.source_name,
                        "value": _mask_long(raw[bad]),
                        "reason": reasons[bad].astype("str"),
                    }
                )
            )
    empty = pd.DataFrame(columns=list(PROBLEM_COLUMNS), index=frame.index[:0], dtype="str")
    found = pd.concat(problems) if problems else empty
    return Parsed(pd.DataFrame(parsed, index=frame.index), found)


def _mask_long(values: pd.Series) -> pd.Series:
    """Values as text for a message; long ones, such as a shifted address, by their length."""
    text = values.astype("str").fillna("").str.strip()
    length = text.str.len()
    return text.mask(length > _LONGEST_SHOWN, "text of " + length.astype("str") + " characters")


def _list_some(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= 8 else [*names[:3], "...", names[-1]])


def _parse_column(
    raw: pd.Series, column: Column, as_of: pd.Timestamp
) -> tuple[pd.Series, pd.Series]:
    """Typed values and, beside each, the reason it cannot be used (missing when it can)."""
    reasons: pd.Series[Any] = pd.Series(np.nan, index=raw.index, dtype="str")
    is_blank = raw.isna() | raw.astype("str").str.strip().isin(_blanks(column))
    match column.kind:
        case Kind.NUMBER | Kind.COUNT:
            values = _to_number(raw, column)
            reasons = _check_range(values, column, reasons)
            unreadable = "not a number"
        case Kind.MONTH | Kind.DATE:
            values = _to_month(raw)
            reasons = reasons.mask(values > as_of, f"after the day of the run, {as_of:%Y-%m-%d}")
            unreadable = "not a month such as Jan-2015"
        case _:
            values = raw.astype("str")
            if column.kind is Kind.CATEGORY:
                values = values.str.strip()
            if column.categories:
                known = values.isin(column.categories)
                reasons = reasons.mask(~known, f"not one of {_list_some(column.categories)}")
            unreadable = "not text"
    values = values.mask(is_blank)
    reasons = reasons.mask(values.isna() & ~is_blank & reasons.isna(), unreadable)
    reasons = reasons.mask(is_blank, np.nan if column.nullable else "missing")
    return values.mask(reasons.notna()), reasons


def _blanks(column: Column) -> tuple[str, ...]:
    """Texts that stand for a missing value."""
    return ("", "n/a") if column.name == "employment_years" else ("",)


def _to_number(raw: pd.Series, column: Column) -> pd.Series:
    """Numbers as float64; reads `36 months`, `10+ years` and `< 1 year` as well."""
    if pd.api.types.is_bool_dtype(raw):
        return pd.Series(np.nan, index=raw.index)
    if pd.api.types.is_numeric_dtype(raw):
        return raw.astype("float64")
    text = raw.astype("str").str.strip()
    if column.name == "term_months":
        text = text.str.replace(r"\s*months?$", "", regex=True)
    if column.name == "employment_years":
        text = text.str.replace(r"^<\s*1 years?$", "0", regex=True)
        text = text.str.replace(r"\+?\s*years?$", "", regex=True)
    return pd.to_numeric(text, errors="coerce").astype("float64")


def _check_range(values: pd.Series, column: Column, reasons: pd.Series) -> pd.Series:
    if column.minimum is not None:
        reasons = reasons.mask(values < column.minimum, f"below {column.minimum:g}")
    if column.maximum is not None:
        reasons = reasons.mask(values > column.maximum, f"above {column.maximum:g}")
    if column.values:
        first, *_, last = column.values
        few = f"{first:g} or {last:g}"
        allowed = few if len(column.values) == 2 else f"a whole number from {first:g} to {last:g}"
        reasons = reasons.mask(values.notna() & ~values.isin(column.values), f"not {allowed}")
    if column.kind is Kind.COUNT:
        reasons = reasons.mask(values.notna() & (values % 1 != 0), "not a whole number")
    return reasons.mask(np.isinf(values), "not a finite number")


def _to_month(raw: pd.Series) -> pd.Series:
    """First day of the month, from `Jan-2015`, an ISO date or a timestamp."""
    if pd.api.types.is_datetime64_any_dtype(raw):
        months = pd.to_datetime(raw).dt.tz_localize(None)
    else:
        text = raw.astype("str").str.strip()
        named = pd.to_datetime(text, format=MONTH_FORMAT, errors="coerce")
        # A year alone is ISO 8601 as well, but no month.
        local = text.str.replace(_UTC_OFFSET, r"\1", regex=True).mask(text.str.len() == 4)
        dated = pd.to_datetime(local, format="ISO8601", errors="coerce")
        months = named.astype("datetime64[s]").fillna(dated.astype("datetime64[s]"))
    first_days = months - pd.to_timedelta(months.dt.day - 1, unit="D")
    return first_days.dt.normalize().astype("datetime64[s]")


def render(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Write typed canonical rows in LoanTap format: the inverse of `parse`.

    Numbers stay float64; `term` becomes ` 36 months`, `emp_length` `10+ years`, months `Jan-2015`.
    Columns carry their source names, in the order of `columns`.
    """
    written: dict[str, pd.Series] = {}
    for column in columns:
        values = rows[column.name]
        if column.kind is Kind.MONTH:
            values = values.dt.strftime(MONTH_FORMAT)
        elif column.name == "term_months":
            values = values.map({v: f" {v:g} months" for v in column.values})
        elif column.name == "employment_years":
            names = {0.0: "< 1 year", 1.0: "1 year", 10.0: "10+ years"}
            values = values.map(names | {float(n): f"{n} years" for n in range(2, 10)})
        written[str(column.source_name)] = values
    return pd.DataFrame(written, index=rows.index)


def split_address(address: pd.Series) -> pd.DataFrame:
    """State (AA, AE, AP for the military) and pincode read from two-line addresses.

    One row per address, columns `state` and `pincode`, missing where the form is another.
    """
    return address.astype("str").str.extract(_ADDRESS)
