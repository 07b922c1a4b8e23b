import logging
from datetime import date, datetime, timedelta

import pytest

from loantap.portfolio.options import IngestionOptions
from loantap.snapshots.extraction import Extraction, plan_extraction, show_progress
from tests.snapshots.small_source import AS_OF, SmallSource, day, extraction

MIDNIGHT = datetime.fromisoformat


def watermark(last_update, since=None, as_of=AS_OF, overlap_days=1, read_on=AS_OF):
	asked = extraction(SmallSource(), since, as_of, timedelta(days=overlap_days))
	return asked.watermark(last_update, read_on)


@pytest.mark.parametrize(
	("last_update", "asked", "expected"),
	[
		(day(20), {}, day(19)),
		(day(20), {"overlap_days": 7}, day(13)),
		(day(20), {"overlap_days": 0}, day(20)),
		(day(5_000), {}, MIDNIGHT("2016-03-31")),
		# What changed after the snapshot was read has to be seen.
		(day(5_000), {"read_on": date(2016, 3, 20)}, MIDNIGHT("2016-03-20")),
		(day(5_000), {"as_of": date(2016, 3, 20)}, MIDNIGHT("2016-03-20")),
		(day(20), {"since": date(2016, 1, 3)}, MIDNIGHT("2016-01-03")),
		# No gap behind the snapshot.
		(day(20), {"since": date(2016, 3, 1)}, day(19)),
		(day(20), {"since": "all"}, None),
		(None, {}, None),
	],
	ids=[
		"a day before",
		"long overlap",
		"no overlap",
		"a clock ran ahead",
		"read earlier",
		"as of an earlier day",
		"an earlier day",
		"a later day",
		"all",
		"no update known",
	],
)
def test_from_when_on_it_is_read_again(last_update, asked, expected):
	assert watermark(last_update, **asked) == expected


def test_a_plan_reads_nothing():
	source = SmallSource()
	options = IngestionOptions(as_of=AS_OF, max_quarantined_share=0.05, since="2016-02", overlap_days=3)

	planned = plan_extraction(source, options)

	assert planned == Extraction(source, date(2016, 2, 1), AS_OF, timedelta(days=3))
	assert source.readings == []


def test_progress_counts_rows_and_tells_how_fast(caplog):
	caplog.set_level(logging.INFO, "loantap.progress")
	source = SmallSource()
	source.fill(5_000)

	batches = list(show_progress(source.read(), "loan_events", 5_000))

	assert sum(batch.num_rows for batch in batches) == 5_000
	counted = [(record.done, record.total) for record in caplog.records]
	assert counted == [(2_048, 5_000), (4_096, 5_000), (5_000, 5_000)]
	assert caplog.messages[1].startswith("loan_events: 4,096 of 5,000 rows, ")
	assert caplog.messages[1].endswith(" a second")


def test_a_batch_counts_when_it_has_been_dealt_with(caplog):
	caplog.set_level(logging.INFO, "loantap.progress")
	source = SmallSource()
	source.fill(10)

	batches = show_progress(source.read(), "loan_events", 10)
	next(batches)
	assert caplog.records == []
	assert list(batches) == []
	assert len(caplog.records) == 1
