import sys

import pytest
from rich.console import Console

from tests.support.small_limits import DUCKDB_MIB
from tests.support.temporary_project import make_project
from tools.benchmarks.bench_full import watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")

SMALL, LARGE = 5_000, 20_000
# 5,000 loans do not fill what DuckDB may take, 20,000 do. The rest is for the portfolio, which some
# steps need whole (400 bytes a loan), and for what the allocator does not give back at once.
ALLOWED_MIB = DUCKDB_MIB + 36


def test_no_step_holds_a_table(tmp_path):
	"""Four times the loans, 481,000 loan-months, take no step more memory than is allowed.

	Measured: at most 62 MiB more. With a step made to hold its table whole, cleaning the events
	takes 158 MiB more and building the loan-months 105, which is found out; publishing them takes
	85, which is not told from what an allocator keeps.
	"""
	small, large = (measure(tmp_path / str(loans), loans) for loans in (SMALL, LARGE))

	assert large.keys() == small.keys()
	growth = {step: round(large[step] - small[step]) for step in large}
	assert len(growth) > 10
	assert {step: mib for step, mib in growth.items() if mib > ALLOWED_MIB} == {}


def measure(folder, loans):
	folder.mkdir()
	words = ["--pipelines", "sources,ingestion", "--params", f"loans={loans}"]
	command = [sys.executable, "-m", "tests.support.small_limits", *words]
	run = watch(make_project(folder).folder, command, Console(quiet=True))
	return {step: usage.peak_mib for step, usage in run.nodes.items()}
