"""Runs that write a table of ours to PostgreSQL."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import TargetTableDataset
from loantap.portfolio.errors import InputError
from tools.sources.postgres import Postgres

TABLE = "underwriting.portfolio"


def make_loans(rows: int, version: int = 0) -> pd.DataFrame:
	"""Loans all of whose values differ from version to version."""
	numbers = np.arange(rows)
	return pd.DataFrame(
		{
			"loan_id": [f"{number:07d}" for number in numbers],
			"interest_rate_pct": numbers / 7 + version,
			"months": numbers + version,
			"profession": pd.Series([f"Bäcker {n % 97} v{version}" for n in numbers], dtype="str"),
			"updated_at": pd.Timestamp("2026-11-23") + pd.to_timedelta(numbers + version, "s"),
		}
	)


def make_target(connection: str, **changes: Any) -> TargetTableDataset:
	given = {"system": "warehouse", "table": "portfolio", "key": ["loan_id"], "mode": "replace"}
	credentials = {"connection": connection}
	return TargetTableDataset(**(given | {"time_limit_s": 5} | changes), credentials=credentials)


def write(connection: str, data: Any, **changes: Any) -> None:
	"""Save and publish in a run of its own; one that fails discards what it staged."""
	target = make_target(connection, **changes)
	try:
		target.save(data)
		target.publish()
	finally:
		target.discard()


def read(server: Postgres) -> pd.DataFrame:
	rows = make_target(server.owner_connection).load().read_pandas()
	return rows.sort_values("loan_id", ignore_index=True)


def assert_holds(server: Postgres, expected: pd.DataFrame) -> None:
	assert_frame_equal(read(server), expected, check_dtype=False)


def tables(server: Postgres) -> list[str]:
	names = "SELECT tablename FROM pg_tables WHERE schemaname = 'underwriting' ORDER BY 1"
	return server.run_sql(names).split()


def refusal(server: Postgres, data: Any) -> InputError:
	with pytest.raises((InputError, DatasetError)) as refused:
		write(server.owner_connection, data)
	error = refused.value if isinstance(refused.value, InputError) else refused.value.__cause__
	assert isinstance(error, InputError)
	return error


def holds_one_of(server: Postgres, *versions: pd.DataFrame) -> bool:
	found = read(server)
	return any(found.equals(rows.astype(found.dtypes.to_dict())) for rows in versions)
