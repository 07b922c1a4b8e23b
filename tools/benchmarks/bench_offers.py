"""Offers to applicants, against the scores of the same applicants.

    python -m tools.benchmarks.bench_offers

Simulated applicants in memory: all at once, and one by one as dictionaries.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from loantap.model.scoring.tally import ApplicationTally
from loantap.policy.decisions import make_decider
from loantap.policy.offers.maker import OfferMaker
from loantap.policy.underwriting import Underwriter
from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from loantap.simulator.portfolio import simulate_portfolio
from tools.benchmarks.bench_one_row import time_each
from tools.benchmarks.configured import read_offers
from tools.benchmarks.scorers import KINDS, make_scorer, read_policy

_ONE_BY_ONE = 5_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=200_000)
    count = parser.parse_args().applicants
    options, decider = read_offers(), make_decider(*read_policy())
    day = options.day
    scorer = make_scorer(KINDS[0], "application")
    maker, underwriter = (
        OfferMaker(scorer, options, decider),
        Underwriter(make_scorer(KINDS[0]), decider),
    )
    applicants = render(simulate_portfolio(count, seed=7).portfolio, portfolio_columns())

    def score() -> object:
        return underwriter.underwrite_batch(applicants, 0, day)

    def offer() -> object:
        return maker.make_offers_batch(applicants, 0, day, ApplicationTally())

    scored, offered = _time(score), _time(offer)
    ones = applicants.head(_ONE_BY_ONE).to_dict("records")
    each = time_each(lambda one: maker.make_offers_one(one, day), ones)
    median, high = np.quantile(each, [0.5, 0.99])
    table = Table(title="Offers, at most three for each applicant", title_justify="left")
    for column in ("what", "applicants", "measured", "asked"):
        table.add_column(column, justify="left" if column == "what" else "right")
    table.add_row("all at once", f"{count:,}", f"{count / offered:,.0f} a second", "2,000")
    table.add_row("  times the time of their scores", f"{count:,}", f"{offered / scored:.1f}", "")
    table.add_row("one, median", f"{len(each):,}", f"{median:.3f} ms", "15 ms")
    table.add_row("one, 99th percentile", f"{len(each):,}", f"{high:.3f} ms", "15 ms")
    Console(width=100).print(table)


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
