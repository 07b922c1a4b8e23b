"""The portfolio out of cleaned tables, and the account of every row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from loantap.portfolio.amortisation import implied_principal
from loantap.portfolio.cleaning import Cleaned, is_left_out, mark_outcome, set_aside
from loantap.portfolio.contradictions import find_conflicts
from loantap.portfolio.dictionary import COLUMNS, RESOLVED, SIMULATED, Table
from loantap.portfolio.errors import InputError
from loantap.portfolio.identity import fold_ids, is_among
from loantap.portfolio.loantap_format import split_address

_MAX_REASONS = 3
_NO_APPLICATION, _NO_LOAN = "has no application", "has no loan"
_UNKNOWN_LOAN = "is about a loan that is not in the portfolio"
_PARTNERLESS = (_NO_LOAN, _UNKNOWN_LOAN)
# A row's own value, as `describe_problems` quotes it.
_VALUE = r"(?s) '.*?' is "


@dataclass(frozen=True, slots=True)
class Portfolio:
	"""Resolved and running loans with their applications, and rows of either without partner, as in quarantine."""

	loans: pd.DataFrame
	running_loans: pd.DataFrame
	unmatched_loans: pd.DataFrame
	unmatched_applications: pd.DataFrame


def join_portfolio(loans: pd.DataFrame, applications: pd.DataFrame) -> Portfolio:
	"""Join cleaned loans and applications on `loan_id`: one row per loan, ordered by it.

	Whole tables, or the rows of both with some `loan_id`. Rows set aside are numbered by their index, from 0.

	Adds `funded_principal`, `state` and `pincode` in place of the address and, for resolved loans, `is_charged_off`.
	`updated_at` is the later of the two; a loan is simulated when either side is. A contradictory pair is set aside on
	both sides.
	"""
	joined = loans.merge(applications, on="loan_id", suffixes=("", "_application"), validate="1:1").sort_values(
		"loan_id", ignore_index=True
	)
	conflicts = _find_conflicts(joined)
	joined = joined[~is_among(joined["loan_id"], conflicts.index.to_series())].reset_index(drop=True)
	is_simulated = (joined["origin"] == SIMULATED) | (joined["origin_application"] == SIMULATED)
	assembled = joined.assign(
		funded_principal=implied_principal(joined["instalment"], joined["interest_rate_pct"], joined["term_months"]),
		**split_address(joined["address"]),
		updated_at=joined[["updated_at", "updated_at_application"]].max(axis=1),
		origin=joined["origin"].mask(is_simulated, SIMULATED),
	).drop(columns=["address", "updated_at_application", "origin_application"])
	is_resolved = assembled["loan_status"].isin(RESOLVED)
	resolved = assembled[is_resolved].reset_index(drop=True)
	return Portfolio(
		resolved.assign(is_charged_off=mark_outcome(resolved["loan_status"])),
		assembled[~is_resolved].reset_index(drop=True),
		_set_partnerless_aside(loans, applications, _NO_APPLICATION, conflicts).quarantine,
		_set_partnerless_aside(applications, loans, _NO_LOAN, conflicts).quarantine,
	)


def build_loan_months(events: pd.DataFrame, loans: pd.DataFrame) -> Cleaned:
	"""One row per loan and month, ordered so; others of unknown loans or times are set aside.

	Adds `months_on_book`: whole months since issue.
	"""
	issued = loans.set_index("loan_id")["issue_month"].reindex(events["loan_id"])
	is_orphan = issued.isna().to_numpy()
	month = events["month"]
	months = (month.dt.year - issued.dt.year.to_numpy()) * 12
	months += month.dt.month - issued.dt.month.to_numpy()
	reasons = (
		pd.Series(np.nan, index=events.index, dtype="str")
		.mask(is_orphan, _UNKNOWN_LOAN)
		.mask(months < 0, "is before the loan was issued")
	)
	# Of an unknown loan there is no month.
	timed = set_aside(events.assign(months_on_book=months.mask(is_orphan, 0).astype("int64")), reasons)
	rows = timed.rows.sort_values(["loan_id", "month"], ignore_index=True)
	return Cleaned(rows, timed.quarantine)


def reconcile(counts: pd.DataFrame, max_quarantined_share: float, reasons: Mapping[str, pd.Series]) -> pd.DataFrame:
	"""Check that no row disappeared and that not too many were set aside.

	Args:
		counts: one row per table: `table`, `extracted`, `kept`, `running` (of those kept, rows of
			loans that still run), `left_out`, `quarantined`.
		max_quarantined_share: share above which the run stops.
		reasons: by table, why each row in quarantine is there.

	Returns:
		`counts` with `difference` (extracted less kept, left out and quarantined) and `quarantined_share`.

	Raises:
		InputError: rows are unaccounted for, too many are in quarantine, none is left, or all loans still run.
	"""
	account = counts.assign(
		difference=counts["extracted"] - counts[["kept", "left_out", "quarantined"]].sum(axis=1),
		quarantined_share=counts["quarantined"] / np.maximum(counts["extracted"], 1),
	)
	for row in account.to_dict("records"):
		where, extracted, quarantined = (
			f"source table {row['table']}",
			f"{row['extracted']:,} rows",
			f"{row['quarantined']:,}",
		)
		if row["difference"]:
			raise InputError(
				where,
				f"{extracted} extracted, but {row['kept']:,} kept and {quarantined} in quarantine",
				"This is a fault of the pipeline: report it with this message",
			)
		if row["extracted"] == 0:
			raise InputError(where, "it has no rows", "Fill the source table and run again")
		if row["kept"] == 0:
			raise InputError(
				where,
				f"no usable row: {quarantined} of {extracted} are in quarantine: {_count_reasons(reasons[row['table']])}",
				"Correct the source and run again",
			)
		if row["kept"] == row["running"] and row["table"] == Table.LOANS.value:
			raise InputError(
				where,
				f"all {row['kept']:,} loans still run: none has an outcome to learn from",
				"Extract resolved loans too, or map their words under ingestion.statuses",
			)
		if row["quarantined_share"] > max_quarantined_share:
			raise InputError(
				where,
				f"{quarantined} of {extracted} are in quarantine, more than "
				f"{max_quarantined_share:.0%}: {_count_reasons(reasons[row['table']])}",
				"Correct the source. To see the rows with their reasons, raise "
				"ingestion.max_quarantined_share and run again: the quarantine tables are in data/02_intermediate",
			)
	return account


def divide_left_out(set_aside: Mapping[str, pd.DataFrame]) -> tuple[dict[str, int], dict[str, pd.Series]]:
	"""How many rows of each table are left out, and the reasons of those that cannot be used.

	Applications and events of a loan that is left out are left out as well.
	"""
	loans = set_aside[Table.LOANS.value]
	ids = loans.loc[is_left_out(loans["reason"]), "loan_id"]
	counts, reasons = {}, {}
	for table, rows in set_aside.items():
		is_out = is_left_out(rows["reason"])
		if table != Table.LOANS.value:
			is_out = rows["reason"].isin(_PARTNERLESS) & rows["loan_id"].isin(ids)
		counts[table], reasons[table] = int(is_out.sum()), rows.loc[~is_out, "reason"]
	return counts, reasons


def _count_reasons(reasons: pd.Series) -> str:
	counts = reasons.str.replace(_VALUE, " is ", regex=True).value_counts()
	shown = [f"{reason} ({rows:,})" for reason, rows in counts.head(_MAX_REASONS).items()]
	others = int(counts.iloc[_MAX_REASONS:].sum())
	return "; ".join([*shown, *([f"other reasons ({others:,})"] if others else [])])


def origin_of_rows(rows: pd.DataFrame) -> str:
	"""Simulated as soon as one row is; raises InputError where there is none."""
	if rows.empty:
		raise InputError(
			"source tables",
			"one of loans, applications and loan_events has no rows",
			"Fill it and run again; the simulator makes no monthly events for loans issued after March 2017",
		)
	return SIMULATED if rows["origin"].eq(SIMULATED).any() else str(rows["origin"].iloc[0])


def portfolio_origin(reconciliation: pd.DataFrame) -> str:
	"""Origin of the loans themselves; monthly events are simulated beside real loans too."""
	return origin_of_rows(reconciliation[reconciliation["table"] != Table.LOAN_EVENTS.value])


def events_origin(reconciliation: pd.DataFrame) -> str:
	"""Origin of the monthly events."""
	return origin_of_rows(reconciliation[reconciliation["table"] == Table.LOAN_EVENTS.value])


def require_common_ids(loans: pd.DataFrame, applications: pd.DataFrame) -> None:
	"""Stop where the two systems have other identifiers, and say how they differ (InputError)."""
	if loans.empty or applications.empty or loans["loan_id"].isin(applications["loan_id"]).any():
		return
	folded, others = (fold_ids(rows["loan_id"]) for rows in (loans, applications))
	matching = int(folded.isin(others).sum())
	raise InputError(
		"source tables loans and applications",
		f"no loan_id of the one is in the other: '{loans['loan_id'].iloc[0]}' is in loans, "
		f"'{applications['loan_id'].iloc[0]}' in applications"
		+ (f"; {matching:,} differ only in capitals, zeros or dashes" if matching else ""),
		"Give the same loan_id in all three systems, or read a view that does",
	)


def _find_conflicts(joined: pd.DataFrame) -> pd.Series:
	found = list(find_conflicts(joined))
	names = [COLUMNS[each.column].source_name for each in found]
	return pd.Series(
		[f"{name} is {each.reason}" for name, each in zip(names, found, strict=True)],
		index=joined["loan_id"].iloc[[each.row for each in found]],
		dtype="str",
	)


def _set_partnerless_aside(rows: pd.DataFrame, partners: pd.DataFrame, reason: str, conflicts: pd.Series) -> Cleaned:
	is_orphan = ~is_among(rows["loan_id"], partners["loan_id"])
	contradicted = rows["loan_id"].map(conflicts).astype("str")
	return set_aside(rows, contradicted.mask(is_orphan, reason))
