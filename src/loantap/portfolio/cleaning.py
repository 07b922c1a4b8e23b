"""Typed, valid rows out of raw ones; the others go to quarantine with a reason each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.portfolio.contradictions import count_exceptions, require_few_exceptions
from loantap.portfolio.dictionary import (
    CHARGED_OFF,
    KEYS,
    LOAN_ID,
    ORIGIN,
    ORIGINS,
    UPDATED_AT,
    Table,
    columns_of,
    portfolio_columns,
)
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import content_ids, read_ids, unify_uuids
from loantap.portfolio.loantap_format import list_faults, parse, require_columns
from loantap.portfolio.statuses import LEFT_OUT, Statuses, read_statuses
from loantap.portfolio.units import require_known_units

_FILE = "portfolio file"
_BOOKKEEPING = (LOAN_ID.name, UPDATED_AT.name, ORIGIN.name)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Rows kept and rows set aside; together they are the rows that came in.

    Attributes:
        rows: typed canonical columns.
        quarantine: one row per row set aside: `loan_id`, `row` (its number in the input, from 1)
            and `reason`.
    """

    rows: pd.DataFrame
    quarantine: pd.DataFrame


def clean_source_table(
    raw: pd.DataFrame, table: Table, as_of: pd.Timestamp, statuses: Statuses | None = None
) -> Cleaned:
    """Type, check and deduplicate the rows of one source table; the latest of equal keys stays.

    `raw` is as extracted: source column names, `loan_id`, `updated_at`, `origin`. `statuses` says
    what words of `loan_status` mean, besides those that are known.

    Raises:
        InputError: a column is missing, or nobody has said what a status means.
    """
    columns = columns_of(table)
    missing = [name for name in _BOOKKEEPING if name not in raw.columns]
    if missing:
        raise InputError(
            f"source table {table}",
            f"column {', '.join(missing)} missing",
            "Add it: every source table has loan_id, updated_at and origin",
        )
    require_columns(raw, columns, f"source table {table}")
    raw = raw.reset_index(drop=True)
    left_out = pd.Series(np.nan, index=raw.index, dtype="str")
    if table is Table.LOANS:
        read = read_statuses(raw["loan_status"], statuses or Statuses(), f"source table {table}")
        raw, left_out = raw.assign(loan_status=read.words), read.left_out
    parsed = parse(raw, columns, as_of)
    rows = parsed.rows.assign(
        loan_id=unify_uuids(read_ids(raw["loan_id"])),
        updated_at=_to_instant(raw["updated_at"]),
        origin=raw["origin"].astype("str").str.strip(),
    )
    # What never was a loan has no terms either, and that is no fault.
    reasons = describe_problems(parsed.problems, rows.index).where(left_out.isna())
    reasons = reasons.mask(rows["loan_id"].isna(), "loan_id is missing")
    reasons = reasons.mask(~rows["origin"].isin(ORIGINS), "origin is neither real nor simulated")
    reasons = reasons.mask(rows["updated_at"].isna(), "updated_at is not a time")
    keys = list(KEYS[table])
    usable = rows.loc[reasons.isna(), [*keys, "updated_at"]]
    latest_first = usable.sort_values("updated_at", ascending=False, kind="stable")
    repeated = latest_first.duplicated(keys).reindex(rows.index, fill_value=False)
    reasons = reasons.mask(repeated, f"repeats the {' and '.join(keys)} of a row as new or newer")
    return set_aside(rows, reasons.fillna(left_out))


def _to_instant(values: pd.Series) -> pd.Series:
    read = pd.to_datetime(values, errors="coerce", utc=True)
    return read.dt.tz_localize(None).astype("datetime64[s]")


def read_portfolio(
    csv: pd.DataFrame,
    as_of: pd.Timestamp,
    tolerated_bad_share: float,
    max_exceptions: float = 0.1,
    statuses: Statuses | None = None,
) -> Cleaned:
    """Check a portfolio in LoanTap format as a file gave it: 27 columns, as text.

    `tolerated_bad_share` of the rows may be bad; `max_exceptions` is the share of loans whose
    instalment may not be that of their terms.

    Returns:
        Canonical rows with their `loan_id`, made from all columns but the outcome, which can
        still change; and the rows that are bad or left out.

    Raises:
        InputError: no rows, a missing column, a status that nobody has mapped, more bad rows or
            more such loans than tolerated, or a column in another unit throughout.
    """
    columns = portfolio_columns()
    require_columns(csv, columns, _FILE)
    if csv.empty:
        raise InputError(_FILE, "it has no rows", "Give a file with loans in it")
    csv = csv.reset_index(drop=True)
    stable = [str(c.source_name) for c in columns if c.name != "loan_status"]
    # In a row that could not be read the words of other columns may stand there.
    readable = csv["loan_status"].where(list_faults(csv).isna())
    read = read_statuses(readable, statuses or Statuses(), _FILE)
    parsed = parse(csv.assign(loan_status=read.words), columns, as_of)
    ids = content_ids(csv, stable)
    rows = parsed.rows.assign(loan_id=ids)
    problems = describe_problems(parsed.problems, rows.index).where(read.left_out.isna())
    reasons = list_faults(csv).fillna(problems)
    repeated = csv.duplicated(stable)
    reasons = reasons.mask(repeated & reasons.isna(), "repeats an earlier row")
    _require_few_bad(set_aside(rows, reasons), len(csv), tolerated_bad_share)
    cleaned = set_aside(rows, reasons.fillna(read.left_out))
    if cleaned.rows.empty:
        raise InputError(_FILE, "all its rows are left out", "Give a file with loans in it")
    require_known_units(cleaned.rows, _FILE)
    require_few_exceptions(
        _FILE, count_exceptions(cleaned.rows), len(cleaned.rows), max_exceptions, "sources.max_instalment_exceptions"
    )
    return cleaned


def set_aside(rows: pd.DataFrame, reasons: pd.Series) -> Cleaned:
    """Divide rows by whether a reason against them is given."""
    bad = reasons.notna()
    quarantine = pd.DataFrame(
        {
            "loan_id": rows.loc[bad, "loan_id"].astype("str"),
            "row": rows.index[bad].to_numpy() + 1,
            "reason": reasons[bad].astype("str"),
        }
    )
    return Cleaned(rows[~bad].reset_index(drop=True), quarantine.reset_index(drop=True))


def no_quarantine() -> pd.DataFrame:
    """A quarantine of no rows."""
    nothing = pd.DataFrame({"loan_id": pd.Series(dtype="str")})
    return set_aside(nothing, pd.Series(dtype="str")).quarantine


def describe_problems(problems: pd.DataFrame, index: pd.Index) -> pd.Series:
    """All problems of a row in one text; missing where there are none. Indexed by `index`."""
    texts = problems["column"] + " '" + problems["value"] + "' is " + problems["reason"]
    joined = texts.groupby(level=0).agg("; ".join).astype("str")
    return joined.reindex(index).astype("str")


def is_left_out(reasons: pd.Series) -> pd.Series:
    """Which rows of a quarantine are no loans to be judged, by their reasons."""
    return reasons.str.startswith(LEFT_OUT)


def mark_outcome(loan_status: pd.Series) -> pd.Series:
    """The target of resolved loans: 1 for charged off, 0 for fully paid, as int8."""
    return loan_status.eq(CHARGED_OFF).astype("int8")


def _require_few_bad(cleaned: Cleaned, rows: int, tolerated_share: float) -> None:
    bad = len(cleaned.quarantine)
    if bad <= tolerated_share * rows and bad < rows:
        return
    shown = "; ".join(f"row {row.row:,}: {row.reason}" for row in cleaned.quarantine.head(5).itertuples())
    more = f"; and {bad - 5:,} more" if bad > 5 else ""
    remedy = "Correct or remove them"
    if bad < rows:
        remedy += f", or set them aside with --params sources.tolerated_bad_share={_round_up(bad / rows)}"
    else:
        remedy = "Correct them: none would be left if they were set aside"
    raise InputError(_FILE, f"{bad:,} of {rows:,} rows cannot be used ({shown}{more})", remedy)


def _round_up(share: float) -> str:
    return f"{min(share * 1.01 + 1e-4, 0.99):.4f}"
