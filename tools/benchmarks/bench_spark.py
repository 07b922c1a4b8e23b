"""Batch scoring on one machine against Spark on the same two cores: time, memory, growth.

	python -m tools.benchmarks.bench_spark --rows 100000 400000 1600000 4000000

Every run is a process of its own, which scores the file twice: with all that has to be started,
then with Spark running.
"""

import argparse
import tempfile
from pathlib import Path
from typing import cast

import yaml

from loantap.datasets import SparkFileDataset, SparkTableDataset
from loantap.datasets.spark.table import open_session
from loantap.pipelines.scoring.nodes import score_applications
from loantap.tables.rows import MappedFile
from tools.benchmarks.bench_scoring import score, write_applications
from tools.benchmarks.configured import make_scorer, read_policy, read_scoring
from tools.benchmarks.measured import measure_apart, print_table, time_call

_CATALOG = Path(__file__).parents[2] / "conf/spark/catalog.yml"


def main() -> None:
	"""Write each file, measure both sides, print the comparison."""
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 400_000])
	parser.add_argument("--cores", type=int, default=2)
	arguments = parser.parse_args()
	table = []
	for rows in arguments.rows:
		with tempfile.TemporaryDirectory() as folder:
			write_applications(rows, Path(folder))
			for side in (score_here, score_on_spark):
				found, usage = measure_apart(side, folder, arguments.cores)
				started, first, again = found
				figures = [f"{started:.1f}", f"{first:.2f}", f"{again:.2f}", f"{rows / again:,.0f}"]
				table.append([f"{rows:,}", side.__name__, *figures, f"{usage.peak_mib:,.0f}"])
	headings = ("applications", "", "seconds to start", "first run", "second run", "rows a second", "peak memory, MiB")
	print_table(f"On one machine and on Spark, local[{arguments.cores}]", headings, table)


def score_here(folder: str, _cores: int) -> list[float]:
	"""Seconds to start, which is nothing, and of two runs in this process."""
	return [0.0, score(folder), score(folder)]


def score_on_spark(folder: str, cores: int) -> list[float]:
	"""Seconds until Spark is there, and of two runs on it, the first of which starts workers."""
	settings = yaml.safe_load(_CATALOG.read_text())["_session"]
	settings |= {"spark.master": f"local[{cores}]"}
	source = SparkFileDataset(filepath=f"{folder}/applications.parquet")
	target = SparkTableDataset(
		dataset={"type": "pandas.ParquetDataset", "filepath": f"{folder}/there.parquet"},
		schema="loantap.policy.schemas.SCORES",
		session=settings,
	)
	scorer, deciding = make_scorer(), (read_scoring(), *read_policy(), None)

	def run() -> None:
		for promise in score_applications(source.load(), scorer, *deciding):
			target.save(cast("MappedFile", promise))
		target.publish()

	return [time_call(lambda: open_session(settings)), time_call(run), time_call(run)]


if __name__ == "__main__":
	main()
