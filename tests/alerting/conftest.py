import pytest

from loantap.alerting.ledger import list_waiting, open_ledger, take_report
from tests.alerting.findings import DAY, NOW


class Ledger:
	"""A ledger in a SQLite file, as a run and its reader use it."""

	def __init__(self, engine):
		self.engine = engine

	def take(self, *findings, day=DAY):
		with self.engine.begin() as connection:
			return take_report(connection, day, findings, NOW)

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
