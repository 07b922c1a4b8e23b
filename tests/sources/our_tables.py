import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from pandas.testing import assert_frame_equal

from loantap.datasets import TargetTableDataset
from loantap.portfolio.errors import InputError

TABLE = "underwriting.portfolio"


def make_loans(rows, version=0):
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


def make_target(connection, **changes):
	given = {"system": "warehouse", "table": "portfolio", "key": ["loan_id"], "mode": "replace"}
	credentials = {"connection": connection}
	return TargetTableDataset(**(given | {"time_limit_s": 5} | changes), credentials=credentials)


def write(connection, data, **changes):
	"""Save and publish in a run of its own; one that fails discards what it staged."""
	target = make_target(connection, **changes)
	try:
		target.save(data)
		target.publish()
	finally:
		target.discard()


def read(server):
	rows = make_target(server.owner_connection).load().read_pandas()
	return rows.sort_values("loan_id", ignore_index=True)


def assert_holds(server, expected):
	assert_frame_equal(read(server), expected, check_dtype=False)


def tables(server):
	names = "SELECT tablename FROM pg_tables WHERE schemaname = 'underwriting' ORDER BY 1"
	return server.run_sql(names).split()


def refusal(server, data):
	with pytest.raises((InputError, DatasetError)) as refused:
		write(server.owner_connection, data)
	error = refused.value if isinstance(refused.value, InputError) else refused.value.__cause__
	assert isinstance(error, InputError)
	return error


def holds_one_of(server, *versions):
	found = read(server)
	return any(found.equals(rows.astype(found.dtypes.to_dict())) for rows in versions)
