"""Monitoring of many decisions: time and peak memory, beside a tenth of them.

	python -m tools.benchmarks.bench_monitoring --decisions 1000000

The decisions are made up of demo applications, a year of them up to today, and are read from a file as
`loantap-audit export` writes it. The run is `kedro run --pipelines monitoring`, in a process of its own.
"""

import sys
from pathlib import Path

import duckdb
from rich.console import Console

from tools.benchmarks.bench_full import scratch_project, show, watch
from tools.benchmarks.measured import read_number

_LOANS = 5_000
_DECISIONS = """
ATTACH '{folder}/data/00_sources/warehouse.duckdb' AS w (READ_ONLY);
ATTACH '{folder}/data/00_sources/appstream.duckdb' AS a (READ_ONLY);
COPY (
	SELECT decided.*, applied.* EXCLUDE (loan_id, place) FROM (
		SELECT i, 'decision-' || i AS decision_id, now()::TIMESTAMP - to_minutes(i % 525600) AS decided_at,
			'loantap-lending-demo 1' AS model, 'made up' AS policy_digest,
			CASE WHEN p < .2 THEN 'approve' WHEN p < .25 THEN 'refer' ELSE 'decline' END AS decision,
			CASE WHEN p < .2 THEN 'approve' WHEN p >= .25 THEN 'decline' END AS final_decision,
			p AS probability_of_default, 600.0 AS score, 5000 * (.2 - p) AS expected_npv
		FROM (SELECT i, .4 * random() * random() + .05 AS p FROM range({decisions}) t(i))
	) decided
	JOIN (
		SELECT loan_id, loan_id AS application_id, row_number() OVER () - 1 AS place,
			COLUMNS(* EXCLUDE (loan_id, loan_status, updated_at, origin, emp_title, title, address))::VARCHAR
		FROM w.loans JOIN a.applications USING (loan_id)
	) applied ON applied.place = decided.i % (SELECT count(*) FROM w.loans)
) TO '{target}'
"""


def main() -> None:
	"""Train once, then monitor a tenth of the decisions and all of them."""
	decisions = read_number(__doc__, "--decisions", 1_000_000)
	kedro, console = str(Path(sys.executable).with_name("kedro")), Console(width=100)
	with scratch_project() as folder:
		watch(folder, [kedro, "run", "--params", f"loans={_LOANS}"], console)
		for n in (decisions // 10, decisions):
			target = folder / "decisions.parquet"
			with duckdb.connect() as connection:
				connection.sql(_DECISIONS.format(folder=folder, decisions=n, target=target))
			given = f"decisions={target}"
			show(given, watch(folder, [kedro, "run", "--pipelines", "monitoring", "--params", given], console))


if __name__ == "__main__":
	main()
