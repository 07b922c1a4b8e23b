"""The demo portfolio and its monthly events: simulated, with the truth about each loan kept.

What comes from here is simulated and must be called so wherever it shows.
"""

from loantap.simulator.book import SimulatedBook, iter_book, no_truth, snapshot_month
from loantap.simulator.courses import AS_OF_MONTH, true_courses
from loantap.simulator.events import iter_events, iter_months, simulate_events
from loantap.simulator.portfolio import (
	COEFFICIENTS,
	INTERCEPT,
	SimulatedPortfolio,
	default_drivers,
	iter_portfolio,
	simulate_portfolio,
	true_log_odds,
)

__all__ = [
	"AS_OF_MONTH",
	"COEFFICIENTS",
	"INTERCEPT",
	"SimulatedBook",
	"SimulatedPortfolio",
	"default_drivers",
	"iter_book",
	"iter_events",
	"iter_months",
	"iter_portfolio",
	"no_truth",
	"simulate_events",
	"simulate_portfolio",
	"snapshot_month",
	"true_courses",
	"true_log_odds",
]
