import duckdb
import pandas as pd
import pytest

from loantap.databases.backends.embedded import DuckDB
from loantap.databases.backends.interface import Query
from loantap.portfolio.cleaning import clean_source_table
from loantap.portfolio.dictionary import Table
from tests.conftest import AS_OF


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_midnight_in_any_zone_is_the_month_it_was_written_as(zone, extract, tmp_path):
  months = ["2014-01-01", "2014-02-01", "2014-07-01", "2015-12-01"]
  given = extract(Table.LOANS, *[{"issue_d": month} for month in months])
  path = tmp_path / "source.duckdb"
  with duckdb.connect(str(path)) as connection:
    connection.execute(f"SET TimeZone = '{zone}'")
    connection.register("given", given)
    connection.execute("CREATE TABLE source AS FROM given")
    connection.execute("ALTER TABLE source ALTER issue_d TYPE TIMESTAMPTZ USING issue_d::TIMESTAMPTZ")

  raw = DuckDB("warehouse", path).read(Query("SELECT * FROM source")).read_all().to_pandas()
  cleaned = clean_source_table(raw, Table.LOANS, AS_OF)

  assert cleaned.quarantine.empty
  assert cleaned.rows["issue_month"].tolist() == [pd.Timestamp(month) for month in months]
