"""Offers to applicants, against the scores of the same applicants.

	python -m tools.benchmarks.bench_offers

Simulated applicants in memory: all at once, and one by one as dictionaries.
"""

from loantap.model.scoring.assessed import ApplicationTally
from loantap.policy.decisions import make_decider
from loantap.policy.offers.maker import OfferMaker
from loantap.policy.underwriting import Underwriter
from tools.benchmarks.bench_one_row import time_each
from tools.benchmarks.configured import make_scorer, read_offers, read_policy, simulate_loans
from tools.benchmarks.measured import print_table, read_number, time_call

_ONE_BY_ONE = 5_000


def main() -> None:
	"""Measure and print."""
	count = read_number(__doc__, "--applicants", 200_000)
	options, decider = read_offers(), make_decider(*read_policy())
	day = options.day
	maker = OfferMaker(make_scorer("application"), options, decider)
	underwriter = Underwriter(make_scorer(), decider)
	applicants = simulate_loans(count, seed=7)
	scored = time_call(lambda: underwriter.underwrite_batch(applicants, 0, day))
	offered = time_call(lambda: maker.make_offers_batch(applicants, 0, day, ApplicationTally()))
	ones = applicants.head(_ONE_BY_ONE).to_dict("records")
	number, median, high = time_each(lambda one: maker.make_offers_one(one, day), ones)
	rows = [
		("all at once", f"{count:,}", f"{count / offered:,.0f} a second", "2,000"),
		("  times the time of their scores", f"{count:,}", f"{offered / scored:.1f}", ""),
		("one, median", number, f"{median} ms", "15 ms"),
		("one, 99th percentile", number, f"{high} ms", "15 ms"),
	]
	headings = ("what", "applicants", "measured", "asked")
	print_table("Offers, at most three for each applicant", headings, rows)


if __name__ == "__main__":
	main()
