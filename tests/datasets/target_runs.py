import duckdb
import pytest
from kedro.io import DatasetError

from loantap.datasets import TargetTableDataset
from loantap.portfolio.errors import InputError

Credentials = dict[str, str]


def make_target(credentials, **changes):
	given = {"system": "warehouse", "table": "portfolio", "key": ["loan_id"], "mode": "replace"}
	return TargetTableDataset(**(given | changes), credentials=credentials)


def write(credentials, data, **changes):
	"""Save in a run of its own that succeeds."""
	end_run(make_target(credentials, **changes), data)


def ask(credentials, sql):
	with duckdb.connect(credentials["path"]) as connection:
		return connection.execute(sql).fetchall()


def read(credentials, table="portfolio"):
	with duckdb.connect(credentials["path"], read_only=True) as connection:
		return connection.execute(f'FROM "{table}" ORDER BY ALL').df()


def tables(credentials):
	return [name for (name,) in ask(credentials, "SHOW TABLES")]


def end_run(target, data):
	target.save(data)
	target.publish()


def refusal(target, data):
	"""What saving and publishing ends with."""
	with pytest.raises((InputError, DatasetError)) as refused:
		end_run(target, data)
	error = refused.value if isinstance(refused.value, InputError) else refused.value.__cause__
	assert isinstance(error, InputError)
	return error
