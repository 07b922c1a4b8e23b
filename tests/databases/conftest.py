import pandas as pd
import pytest


@pytest.fixture
def loans():
	"""A table with one column of each type that a source holds, missing values included."""
	return pd.DataFrame(
		{
			"loan_id": ["a-1", "b-1", "c-1"],
			"int_rate": [10.1, 1 / 3, 12.75],
			"mort_acc": [2.0, None, 0.0],
			"emp_title": pd.Series(["Clock maker", None, "Bäcker"], dtype="str"),
			"updated_at": pd.to_datetime(["2026-11-23"] * 3),
		}
	)


@pytest.fixture
def duckdb_credentials(tmp_path):
	"""An embedded database that does not exist yet."""
	return {"backend": "duckdb", "path": str(tmp_path / "sources" / "warehouse.duckdb")}
