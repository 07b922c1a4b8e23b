from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from loantap.portfolio.options import IngestionOptions, SourcesOptions

SOURCES = {"loans": 20_000, "seed": 42, "as_of": "2026-11-23", "tolerated_bad_share": 0.0}
INGESTION = {"as_of": "2026-11-23", "max_quarantined_share": 0.05, "overlap_days": 1}


def test_the_day_of_the_run_is_a_date():
	assert SourcesOptions(**SOURCES).day == pd.Timestamp("2026-11-23")


@pytest.mark.parametrize(
	("options", "given", "name", "value"),
	[
		*[
			(SourcesOptions, SOURCES, name, value)
			for name, value in [
				("loans", 999),
				("loans", 5_000_001),
				("seed", -1),
				("seed", 2**32),
				("tolerated_bad_share", -0.1),
				("tolerated_bad_share", 1),
				("tolerated_share", 0.1),
			]
		],
		*[
			(IngestionOptions, INGESTION, name, value)
			for name, value in [
				("max_quarantined_share", 0),
				("max_quarantined_share", 1.1),
				("overlap_days", -1),
				("seed", 1),
			]
		],
	],
)
def test_a_bad_or_unknown_option_is_refused_by_name(options, given, name, value):
	with pytest.raises(ValidationError, match=name):
		options(**(given | {name: value}))


@pytest.mark.parametrize(
	("given", "read"),
	[
		(None, None),
		("all", "all"),
		(2016, date(2016, 1, 1)),
		("2016", date(2016, 1, 1)),
		("2016-02", date(2016, 2, 1)),
		("2016-02-29", date(2016, 2, 29)),
		("2026-11-23", date(2026, 11, 23)),
	],
	ids=str,
)
def test_since_is_a_year_a_month_a_day_or_all(given, read):
	assert IngestionOptions(**INGESTION, since=given).since == read


@pytest.mark.parametrize(
	("given", "said"),
	[
		*[
			(given, "give a year .2016., a month")
			for given in ("ALL", "soon", "2016-1", 201_601, 20_160_115, 2016.0, True, 86_400, "")
		],
		("2016-13", "month must be in 1..12"),
		("2015-02-29", "day is out of range"),
		("2026-11-24", "2026-11-24 is after 2026-11-23, the day of the run .as_of."),
		(2027, "2027-01-01 is after 2026-11-23"),
	],
	ids=str,
)
def test_any_other_since_is_refused_with_what_can_be_given(given, said):
	with pytest.raises(ValidationError, match=rf"since\n.*{said}"):
		IngestionOptions(**INGESTION, since=given)
