"""Batch scoring, Parquet to Parquet, against the time pandas needs to read the same columns.

	python -m tools.benchmarks.bench_scoring --rows 4000000

Each side runs in a process of its own on the same file. The clock of the scoring runs from the
opened file to the published one; of pandas, `read_parquet` of the columns the model needs. Imports
and training are outside of both. Memory is that of the whole process.
"""

import tempfile
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loantap.datasets import BatchedDataset, TableFileDataset
from loantap.pipelines.scoring.nodes import score_applications
from loantap.policy.schemas import SCORES
from loantap.tables.files import TableFile
from tools.benchmarks.configured import make_scorer, read_policy, read_scoring, simulate_loans
from tools.benchmarks.measured import measure_apart, print_table, read_number, time_call

_SIMULATED = 400_000
_REPEATS = 3


def main() -> None:
	"""Write the file; of each side the fastest of three runs, and the most memory of them."""
	rows, fastest, table = read_number(__doc__, "--rows", 400_000), {}, []
	with tempfile.TemporaryDirectory() as folder:
		write_applications(rows, Path(folder))
		for side in (read, score):
			runs = [measure_apart(side, folder) for _ in range(_REPEATS)]
			seconds = fastest[side] = min(seconds for seconds, _ in runs)
			peak = max(usage.peak_mib for _, usage in runs)
			figures = (f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{peak:,.0f}")
			table.append((side.__name__, *figures, f"{seconds / fastest[read]:.1f}"))
	headings = ("", "seconds", "rows a second", "peak memory, MiB", "times the reading")
	print_table(f"Batch scoring, {rows:,} simulated applications", headings, table)


def write_applications(rows: int, folder: Path) -> None:
	"""Simulated applications, the same ones again and again beyond 400,000."""
	simulated = simulate_loans(min(rows, _SIMULATED), seed=42).drop(columns="loan_status")
	table = pa.Table.from_pandas(simulated, preserve_index=False)
	with pq.ParquetWriter(folder / "applications.parquet", table.schema) as writer:
		for start in range(0, rows, len(table)):
			writer.write_table(table.slice(0, min(len(table), rows - start)))


def read(folder: str) -> float:
	"""Seconds that pandas reads the columns of the model."""
	file = Path(folder) / "applications.parquet"
	columns = [str(column.source_name) for column in make_scorer().columns]
	return time_call(lambda: pd.read_parquet(file, columns=columns))


def score(folder: str) -> float:
	"""Seconds from the file of applications to the file of scores."""
	scorer, deciding = make_scorer(), (read_scoring(), *read_policy(), None)
	source = TableFileDataset(filepath=f"{folder}/applications.parquet")
	file = {"type": "pandas.ParquetDataset", "filepath": f"{folder}/scores.parquet"}
	target = BatchedDataset(dataset=file)

	def run() -> None:
		"""What the runner does for the pipeline."""
		rows = cast("TableFile", source.load())
		for batch in score_applications(rows, scorer, *deciding):
			target.save(SCORES.validate(cast("pd.DataFrame", batch)))
		target.publish()

	return time_call(run)


if __name__ == "__main__":
	main()
