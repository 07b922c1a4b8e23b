from datetime import date

import pandas as pd
import pytest

from loantap.reporting.insights.sections import PortfolioSummary


@pytest.fixture
def make_summary():
	def make(origin="real", monthly_events_origin="simulated"):
		return PortfolioSummary(
			loans=1_000,
			charged_off=200,
			default_rate=0.2,
			low=0.176,
			high=0.226,
			origin=origin,
			as_of=date(2017, 3, 1),
			first_issued=date(2007, 6, 1),
			last_issued=date(2016, 12, 1),
			monthly_events_origin=monthly_events_origin,
		)

	return make


@pytest.fixture
def findings():
	"""One is for the audit only."""
	rows = [
		("grade", "lender", "B", 1, 600, 90, 0.150, 0.124, 0.181),
		("grade", "lender", "A", 0, 300, 60, 0.200, 0.159, 0.249),
		("grade", "lender", "C", 2, 100, 50, 0.500, 0.404, 0.596),
		("purpose", "applicant", "debt consolidation", 0, 999, 199, 0.199, 0.176, 0.225),
		("purpose", "applicant", "wedding", 1, 1, 1, 1.000, 0.207, 1.000),
		("pincode", "audit", "11650", 0, 100, 100, 1.000, 0.963, 1.000),
		("pincode", "audit", "00813", 1, 900, 100, 0.111, 0.092, 0.133),
	]
	columns = "segmentation role segment order loans charged_off default_rate default_rate_low default_rate_high"
	table = pd.DataFrame(rows, columns=columns.split())
	return table.assign(
		effect=2.0,
		effect_low=-1.0,
		effect_high=5.0,
		finding="no difference shown",
		profit_contractual=-366.0,
		profit_contractual_low=-467.0,
		profit_contractual_high=-265.0,
	)


@pytest.fixture
def summary():
	gain = {"value": 105.3, "low": 73.2, "high": 137.3, "per": "per application"}
	loss = {"value": -366.0, "low": -467.0, "high": -265.0, "per": "per loan"}
	return {
		"scenario": "mid",
		"samples": {"cv": 900, "test": 100, "out_of_time": 300},
		"out_of_time": "36-month loans issued July 2012 to December 2013",
		"findings": [
			{"title": "The safest loans lose money", "text": "At 5%.", "points": ["At others"], "n": 815, "money": loss},
			{"title": "Too few to say", "text": "", "points": [], "n": 3, "money": None},
		],
		"actions": [{"title": "Decide by expected NPV", "text": "62%.", "points": [], "n": 4_715, "money": gain}],
	}


@pytest.fixture
def economics():
	assumed = {
		"cost_of_funds_pct": 7,
		"loss_given_default": 0.7,
		"default_at_share_of_term": 0.4,
		"origination_cost_share": 0.01,
		"paid_share_of_term": 1,
	}
	allowed = {"low": 0.3, "high": 1, "source": "the Basel framework"}
	return {"scenarios": {"mid": assumed}, "ranges": {"loss_given_default": allowed}}
