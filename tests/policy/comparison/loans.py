import numpy as np
import pandas as pd

from loantap.features.build import columns_used
from loantap.features.definitions import FEATURE_SETS
from loantap.policy.comparison.portfolio import LoanValues
from loantap.policy.options import ComparisonOptions
from loantap.portfolio.dictionary import COLUMNS, Kind

_TEXTS = {Kind.CATEGORY, Kind.TEXT}


def make_options(**changed):
	given = {
		"caps": (0.15, 0.17),
		"shown_cap": 0.17,
		"referred_share": 0.1,
		"profit_score_penalty": 10_000.0,
		"frontier_points": 5,
	}
	return ComparisonOptions.model_validate(given | changed)


def make_values(pds, expected=None, realised=None, cells=None, declined=None):
	"""Loans of 1 each, of which only what is given matters."""
	n = len(pds)
	of = [1.0] * n if expected is None else expected
	return LoanValues(
		probability_of_default=np.array(pds, float),
		declined=np.array([False] * n if declined is None else declined, bool),
		grade_term=np.array([0] * n if cells is None else cells, int),
		margin=np.array(of, float),
		expected=np.array(of, float),
		realised=np.array(of if realised is None else realised, float),
		profit_score=np.array(of, float),
	)


def make_portfolio(loans=600, seed=7):
	"""The PDs are the probabilities that the outcomes were drawn with."""
	rng = np.random.default_rng(seed)
	pds = rng.uniform(0.02, 0.6, loans)
	charged_off = (rng.random(loans) < pds).astype("int8")
	names = [f"L{number:04d}" for number in range(loans)]
	columns = dict.fromkeys([*columns_used(FEATURE_SETS["lending"].features), "grade"])
	table = pd.DataFrame({name: _fill(name, loans, rng) for name in columns}).assign(
		loan_id=names,
		loan_amount=rng.choice([5_000.0, 10_000.0, 20_000.0], loans),
		interest_rate_pct=6 + 15 * pds + rng.uniform(0, 8, loans),
		term_months=rng.choice([36.0, 60.0], loans),
		grade=np.array(list("ABCDEFG"))[(pds * 11).astype(int)],
		issue_month=pd.to_datetime("2012-01-01") + pd.to_timedelta(rng.integers(0, 700, loans), "D"),
		is_charged_off=charged_off,
	)
	is_test = np.arange(loans) % 6 == 5
	later = np.arange(loans) % 6 == 4
	origin = np.where(np.arange(loans) % 12 == 4, "2013-01-01", "2013-07-01")
	splits = pd.DataFrame(
		{
			"loan_id": names,
			"known_from": table["issue_month"] + pd.DateOffset(months=6),
			"judged_at": pd.to_datetime(pd.Series(origin).where(later)),
		}
	)
	base = pd.DataFrame(
		{
			"loan_id": names,
			"fold": np.arange(loans) % 3,
			"is_charged_off": charged_off,
			"probability_of_default": pds,
			"threshold": 0.3,
			"declined": pds >= 0.3,
		}
	)
	predictions = pd.concat(
		[
			base[~is_test].assign(sample="cv"),
			base[is_test].assign(sample="test", fold=-1),
			base[later].assign(sample="out_of_time", fold=-1),
		],
		ignore_index=True,
	)
	return predictions, table, splits


def _fill(name, loans, rng):
	match COLUMNS[name].kind:
		case kind if kind in _TEXTS:
			return pd.Series(rng.choice(["one", "other"], loans), dtype="str")
		case Kind.MONTH | Kind.DATE:
			return pd.Series(pd.Timestamp("2000-01-01"), index=range(loans))
		case _:
			return rng.uniform(1, 30, loans).round()
