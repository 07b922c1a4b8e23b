"""One application, a dictionary in, the decision with its reasons out.

	python -m tools.benchmarks.bench_one_row

Typed, as text, and for comparison as frames of one row.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from loantap.policy.decisions import make_decider
from loantap.policy.underwriting import Underwriter
from tools.benchmarks.configured import make_scorer, read_policy, read_scoring, simulate_loans
from tools.benchmarks.measured import print_table, read_number, time_call

_FRAMES = 200


def main() -> None:
	"""Measure and print."""
	count = read_number(__doc__, "--applications", 20_000)
	day = read_scoring().day
	underwriter = Underwriter(make_scorer(), make_decider(*read_policy()))
	typed = simulate_loans(count, seed=7)
	texts = typed.astype("str").replace("nan", "")
	frames = [typed[n : n + 1] for n in range(_FRAMES)]

	def one(application: Any) -> object:
		return underwriter.underwrite_one(application, day)

	cases: dict[str, tuple[Callable[[Any], object], Iterable[Any]]] = {
		"dictionary, typed": (one, typed.to_dict("records")),
		"dictionary of texts": (one, texts.to_dict("records")),
		"frame of one row": (lambda frame: underwriter.underwrite(frame, day), frames),
	}
	headings = ("given as", "applications", "median, ms", "99th percentile, ms")
	rows = [(name, *time_each(*case)) for name, case in cases.items()]
	print_table("One application to a decision with reasons", headings, rows)


def time_each(answer: Callable[[Any], object], applications: Iterable[Any]) -> tuple[str, str, str]:
	"""How many, and the median and 99th percentile of their milliseconds."""
	taken = [time_call(lambda one=one: answer(one)) * 1e3 for one in applications]  # type: ignore[misc]
	median, high = np.quantile(taken, [0.5, 0.99])
	return f"{len(taken):,}", f"{median:.3f}", f"{high:.3f}"


if __name__ == "__main__":
	main()
