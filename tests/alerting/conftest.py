from datetime import UTC, date, datetime, timedelta

import pytest

from loantap.alerting.ledger import list_waiting, open_ledger, take_report
from loantap.surveillance.monitoring.checks import AlertReport, Finding, Severity

DAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULE = "applicants_moved"


def make_finding(subject="dti_pct", **changes):
	content = {
		"rule": RULE,
		"severity": Severity.WARNING,
		"silence_days": 30,
		"owner": "data science",
		"channels": ("risk",),
		"words": "the DTI moved up by 0.5 standard deviations",
	}
	return Finding(subject=subject, **{**content, **changes})


class Ledger:
	"""A ledger in a SQLite file, as a run and its reader use it."""

	def __init__(self, engine):
		self.engine = engine

	def take(self, *findings, later=0, quiet=("dti_pct", "annual_income")):
		"""A report so many days later; of `quiet` what is not found."""
		subjects = [subject for subject in quiet if subject not in {finding.subject for finding in findings}]
		report = AlertReport(
			as_of=DAY + timedelta(days=later), findings=findings, quiet=tuple((RULE, subject) for subject in subjects)
		)
		with self.engine.begin() as connection:
			return take_report(connection, report, NOW)

	@property
	def waiting(self):
		with self.engine.begin() as connection:
			return list_waiting(connection)

	@property
	def kinds(self):
		return [(message.kind.value, message.finding.subject) for message, _ in self.waiting]


@pytest.fixture
def ledger(tmp_path):
	engine = open_ledger(f"sqlite:///{tmp_path / 'alerts.db'}")
	yield Ledger(engine)
	engine.dispose()
