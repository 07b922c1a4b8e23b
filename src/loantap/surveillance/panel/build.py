"""The panel: what is known of each loan at the end of each month in which it is alive."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

import pandas as pd

from loantap.portfolio.dictionary import SIMULATED
from loantap.portfolio.errors import InputError
from loantap.surveillance.options import PanelOptions
from loantap.surveillance.schemas import SIMULATED_FROM_OUTCOME
from loantap.tables.database import connect
from loantap.tables.ordered import group_rows, pair_groups
from loantap.tables.rows import LongTable, frame_of, read_batches

_SQL: Final = files("loantap.surveillance.panel").joinpath("panel.sql").read_text("utf-8")
_ID: Final = "loan_id"
_OF_A_MONTH: Final = (
	_ID,
	"month",
	"months_on_book",
	"outstanding_balance",
	"days_past_due",
	"payment",
	"current_dti_pct",
	"current_utilisation_pct",
	"origin",
)
_OF_A_LOAN: Final = (
	_ID,
	"term_months",
	"instalment",
	"interest_rate_pct",
	"annual_income",
	"funded_principal",
	"origin",
)
# A query's fixed cost is then nothing beside the rest.
GROUP_ROWS: Final = 524_288


def build_panel(months: pd.DataFrame, loans: pd.DataFrame, options: PanelOptions) -> pd.DataFrame:
	"""The panel of some loans, whose months are all given; neither frame needs an order.

	Returns:
		One row per loan and month alive at its end, ordered so; see `schemas.LOAN_PANEL`. Nothing in a row comes from a
		later month. What reaches 3 or 6 months back counts calendar months: a change is missing where that very month is.

	Raises:
		InputError: a month of a loan is there twice.
	"""
	repeated = months[months.duplicated([_ID, "month"])]
	if not repeated.empty:
		first = repeated.iloc[0]
		raise InputError(
			"table loan_months",
			f"loan {first[_ID]} has {first['month']:%Y-%m} twice",
			"Build it with the ingestion pipeline, which keeps the row that was updated last",
		)
	with connect() as connection:
		connection.register("months", months[[*_OF_A_MONTH]])
		connection.register("loans", loans[[*_OF_A_LOAN]])
		found = connection.sql(
			_SQL,
			params={
				"unknown_dti_pct": options.unknown_dti_pct,
				"default_days": options.default_days,
				"simulated": SIMULATED,
				"from_outcome": SIMULATED_FROM_OUTCOME,
			},
		)
		return frame_of(found.to_arrow_table())


def build_panel_in_groups(
	months: pd.DataFrame | LongTable, loans: pd.DataFrame, options: PanelOptions, rows: int = GROUP_ROWS
) -> Iterator[pd.DataFrame]:
	"""`build_panel` of a table in the order of `loan_id`, about `rows` months at a time.

	Raises:
		InputError: see `build_panel`.
		ValueError: the months have another order.
	"""
	pairs = pair_groups(
		group_rows(read_batches(months, _OF_A_MONTH), _ID, rows),
		group_rows(iter([loans[[*_OF_A_LOAN]].sort_values(_ID, ignore_index=True)]), _ID, rows),
		_ID,
	)
	for some_months, some_loans in pairs:
		yield build_panel(some_months, some_loans, options)
