"""Early warning at size: time and peak memory of its steps, in a run of its own for each size.

    python -m tools.early_warning.scale --months 2.5 5 10

Sizes are millions of loan-months, all simulated; `nice` keeps out of the way of other work.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from rich.console import Console

from tools.benchmarks.bench_full import scratch_project, watch
from tools.benchmarks.measured import print_table

# Of the book as of March 2017, for each resolved loan.
_MONTHS_PER_LOAN: Final = 35.8
_LIST: Final = ("build_loan_panel", "find_outcomes", "list_loans")


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=float, nargs="+", default=[2.5, 5, 10], help="millions")
    kedro = [str(Path(sys.executable).with_name("kedro")), "run", "--pipelines", "sources,ingestion,early_warning"]
    rows = []
    for millions in parser.parse_args().months:
        loans = round(millions * 1e6 / _MONTHS_PER_LOAN)
        command = [*kedro, "--to-nodes", f"early_warning.{_LIST[-1]}", "--params", f"loans={loans}"]
        with scratch_project() as folder:
            nodes = {name.rpartition(".")[2]: used for name, used in watch(folder, command, Console()).nodes.items()}
            found = pq.ParquetFile(folder / "data/03_primary/loan_months.parquet").metadata.num_rows
        used = [nodes[name] for name in _LIST]
        steps = [f"{each.seconds:,.0f} s, {each.cpu_seconds:,.0f}, {each.peak_mib:,.0f}" for each in used]
        total, processor = sum(each.seconds for each in used), sum(each.cpu_seconds for each in used)
        peak = max(each.peak_mib for each in used)
        rows.append((f"{found:,}", *steps, f"{total:,.0f}", f"{processor:,.0f}", f"{peak:,.0f}"))
    headings = ("loan-months", *(f"{name}: s, processor, MiB" for name in _LIST), "s", "processor s", "peak MiB")
    print_table("The watch-list of simulated loans", headings, rows)


if __name__ == "__main__":
    main()
