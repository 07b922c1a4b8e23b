import duckdb

from tests.support.killing import kill_extractions

_LOANS = """
CREATE TABLE loans AS
SELECT printf('%08d', i) AS loan_id, 1000.0 + i AS loan_amnt, ' 36 months' AS term,
    i / 3 AS int_rate, 100.0 AS installment, 'B' AS grade, 'B4' AS sub_grade,
    'Jan-2014' AS issue_d, 'Fully Paid' AS loan_status, 'w' AS initial_list_status,
    TIMESTAMP '2016-01-01' + INTERVAL (i) MINUTE AS updated_at, 'real' AS origin
FROM range(6000) t(i)
"""


def test_killed_at_any_moment_it_loses_and_doubles_no_row(tmp_path):
  path = tmp_path / "warehouse.duckdb"

  def run_sql(statement):
    with duckdb.connect(str(path)) as connection:
      connection.execute(statement)

  run_sql(_LOANS)

  writing = kill_extractions({"backend": "duckdb", "path": str(path)}, tmp_path / "01_raw" / "loans", run_sql)

  # Of ten each; the others had ended, or had not begun to write.
  assert writing["all"] >= 3
  assert writing[None] >= 3
