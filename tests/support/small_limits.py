"""`kedro run` with small limits, to which 20,000 loans are what a large book is to those shipped.

Batches and groups have a sixteenth of their rows, and DuckDB 64 MiB and one core: how much it takes
depends on how many cores there are.

python -m tests.support.small_limits --pipelines sources,ingestion --params loans=20000
"""

import inspect
import os
import sys
from typing import Any

from kedro.framework.cli import main

from loantap.databases import sql_rows
from loantap.databases.backends.embedded import DuckDB
from loantap.datasets.snapshot import SnapshotDataset
from loantap.datasets.source_table import SourceTableDataset
from loantap.pipelines.ingestion import nodes as ingestion
from loantap.simulator import iter_events, iter_portfolio
from loantap.snapshots import parts
from loantap.tables import database, files, ordered

PART = 16
DUCKDB_MIB = 64


def set_small_limits():
	"""In this process, which is to end after one run."""
	os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
	database._LEAST = database._MOST = DUCKDB_MIB * database.MIB
	for module, name in (
		(ordered, "GROUP_ROWS"),
		(parts, "GROUP_ROWS"),
		(files, "SCAN_ROWS"),
		(sql_rows, "BATCH_ROWS"),
		(ingestion, "PUBLISHED_ROWS"),
	):
		_shrink_constant(module, name)
	_shrink_default(ordered.clean_in_groups, "rows")
	_shrink_default(ordered.join_in_groups, "rows")
	_shrink_default(ordered.build_months_in_groups, "rows")
	_shrink_default(iter_portfolio, "batch_loans")
	_shrink_default(iter_events, "chunk_loans")
	_shrink_default(DuckDB.read, "batch_rows")
	_shrink_default(SourceTableDataset.__init__, "batch_rows")
	_shrink_default(SnapshotDataset.__init__, "part_rows")


def _shrink_constant(module, name):
	setattr(module, name, getattr(module, name) // PART)


def _shrink_default(function, name):
	"""A default stays what its constant was when the function was made."""
	# Kedro wraps how a dataset is made.
	plain: Any = inspect.unwrap(function)
	parameters = inspect.signature(plain).parameters.values()
	defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
	defaults[name] //= PART
	by_name = plain.__kwdefaults__ or {}
	plain.__kwdefaults__ = {each: defaults[each] for each in by_name}
	plain.__defaults__ = tuple(value for each, value in defaults.items() if each not in by_name)


if __name__ == "__main__":
	set_small_limits()
	sys.argv.insert(1, "run")
	main()
