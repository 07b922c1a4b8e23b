"""One application, a dictionary in, the decision with its reasons out.

    python -m tools.benchmarks.bench_one_row

Simulated applications are underwritten one by one, typed and as text as a form or a queue gives
them, and for comparison one by one as frames of one row.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from loantap.policy.decisions import make_decider
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.scorers import KINDS, make_scorer, read_policy, read_scoring_options

_FRAMES = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applications", type=int, default=20_000)
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="of model")
    arguments = parser.parse_args()
    count = arguments.applications
    options = read_scoring_options()
    underwriter = Underwriter(make_scorer(arguments.kind), make_decider(*read_policy()))
    day = options.day
    typed = render(simulate_portfolio(count, seed=7).portfolio, portfolio_columns())
    texts = typed.astype("str").replace("nan", "")
    frames = [typed[n : n + 1] for n in range(_FRAMES)]

    def one(application: Any) -> object:
        return underwriter.underwrite_one(application, day)

    table = Table(title="One application to a decision with reasons", title_justify="left")
    for column in ("given as", "applications", "median, ms", "99th percentile, ms"):
        table.add_column(column, justify="left" if column == "given as" else "right")
    cases: dict[str, tuple[Callable[[Any], object], Iterable[Any]]] = {
        "dictionary, typed": (one, typed.to_dict("records")),
        "dictionary of texts": (one, texts.to_dict("records")),
        "frame of one row": (lambda frame: underwriter.underwrite(frame, day), frames),
    }
    for name, (answer, applications) in cases.items():
        milliseconds = time_each(answer, applications)
        median, high = np.quantile(milliseconds, [0.5, 0.99])
        table.add_row(name, f"{len(milliseconds):,}", f"{median:.3f}", f"{high:.3f}")
    Console(width=100).print(table)


def time_each(answer: Callable[[Any], object], applications: Iterable[Any]) -> pd.Series:
    """Milliseconds of each answer."""
    taken = []
    for application in applications:
        started = time.perf_counter_ns()
        answer(application)
        taken.append((time.perf_counter_ns() - started) / 1e6)
    return pd.Series(taken)


if __name__ == "__main__":
    main()
