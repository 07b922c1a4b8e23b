import logging

import pytest

from loantap.tables.progress import Progress


@pytest.fixture(autouse=True)
def _clock(monkeypatch, caplog):
	"""Two seconds pass between the beginning and what is told."""
	caplog.set_level(logging.INFO, "loantap.progress")
	times = iter([100.0, 102.0])
	monkeypatch.setattr("loantap.tables.progress.time.perf_counter", lambda: next(times))


def test_a_record_has_fields_for_who_shows_it(caplog):
	Progress("loans", 400_000, "rows").tell(131_072)

	[record] = caplog.records
	fields = {name: getattr(record, name) for name in ("label", "done", "total", "rate")}
	assert fields == {"label": "loans", "done": 131_072, "total": 400_000, "rate": 65_536.0}


@pytest.mark.parametrize(
	("label", "total", "done", "now", "said"),
	[
		("loans", 400_000, 131_072, "", "loans: 131,072 of 400,000 rows, 65,536 a second"),
		("", None, 7, "", "7 rows, 3.5 a second"),
		("search", 150, 20, "fold 3", "fold 3: 20 of 150 rows, 10 a second"),
	],
)
def test_it_is_said_in_words(label, total, done, now, said, caplog):
	Progress(label, total, "rows").tell(done, now)

	assert caplog.messages == [said]
