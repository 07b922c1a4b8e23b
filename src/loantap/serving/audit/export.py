"""Decisions of the log as a table, for monitoring and for whoever analyses them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic_core import from_json
from sqlalchemy import Connection, Row

from loantap.policy.score_table import APPLICATION_ID
from loantap.portfolio.dictionary import portfolio_columns
from loantap.serving.audit import schema
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.reading import Search, list_kinds, select_decisions
from loantap.serving.audit.records import Kind
from loantap.serving.audit.tables import records
from loantap.serving.audit.transaction import REFER

_BATCH: Final = 20_000
# Not names, addresses and job titles: nobody needs them to see that applicants change.
_APPLICATION: Final = tuple(
	str(c.source_name) for c in portfolio_columns() if c.known_at_decision and not c.personal and c.name != "loan_status"
)
_FOUND: Final = ("probability_of_default", "score", "expected_npv")


def read_decisions(url: str, since: datetime | None = None, until: datetime | None = None) -> Iterator[pd.DataFrame]:
	"""Decisions kept at `since` or later and before `until`, oldest first, some thousands at a time.

	Columns: `decision_id`, `decided_at`, `application_id`, `model` (name and version), `policy_digest`, `decision`,
	`final_decision` (a person's, where the policy referred), `probability_of_default`, `score`, `expected_npv`, and the
	application as it came, as text. What was erased is missing. `AuditUnavailableError` where the log cannot be read.
	"""
	engines = open_engines(url)
	try:
		schema.require_current(engines)
		with engines.reading() as connection:
			yield from _stream(connection, Search(since=since, until=until))
	finally:
		engines.dispose()


def export_decisions(url: str, path: Path, since: datetime | None = None, until: datetime | None = None) -> int:
	"""Write `read_decisions` to a Parquet file, which appears when it is whole; times in UTC. How many rows it has."""
	staged, n = path.with_name(f".{path.name}.staged"), 0
	writer: pq.ParquetWriter | None = None
	with ExitStack() as at_end:
		# Applications must not lie about where it fails.
		at_end.callback(staged.unlink, missing_ok=True)
		for batch in read_decisions(url, since, until):
			# UTC without saying so: Arrow takes zones from pandas by a way that pandas gives up.
			in_utc = batch.assign(decided_at=batch["decided_at"].dt.tz_convert(None))
			table = pa.Table.from_pandas(in_utc, preserve_index=False)
			writer = writer or at_end.enter_context(pq.ParquetWriter(staged, table.schema))
			writer.write_table(table)
			n += len(batch)
		if writer is not None:
			writer.close()
			staged.replace(path)
	return n


def _stream(connection: Connection, wanted: Search) -> Iterator[pd.DataFrame]:
	overrides = {r.subject: r.public["decision"] for r in list_kinds(connection, [Kind.CASE_DECIDED])}
	asked = select_decisions(wanted).order_by(records.c.id).execution_options(yield_per=_BATCH)
	with connection.execute(asked) as found:
		for rows in found.partitions():
			yield _tabulate(rows, overrides)


def _tabulate(rows: Sequence[Row[Any]], overrides: Mapping[str | None, str]) -> pd.DataFrame:
	publics = [from_json(row.public) for row in rows]
	personals = [from_json(row.content) if row.content else {} for row in rows]
	told = pd.DataFrame(
		{
			"decision_id": [row.id for row in rows],
			"decided_at": pd.to_datetime([row.at for row in rows], utc=True),
			"application_id": [personal.get(APPLICATION_ID) for personal in personals],
			"model": [_name_model(public) for public in publics],
			"policy_digest": [row.policy_digest for row in rows],
			"decision": [row.decision for row in rows],
			"final_decision": [overrides.get(row.id) if row.decision == REFER else row.decision for row in rows],
		}
	)
	figures = pd.DataFrame({name: [p.get(name) for p in publics] for name in _FOUND}, dtype="float64")
	given = [personal.get("application") or {} for personal in personals]
	# As text, so that all batches have the same types.
	applications = {name: [_say(each.get(name)) for each in given] for name in _APPLICATION}
	return pd.concat([told, figures, pd.DataFrame(applications, dtype="str")], axis=1)


def _name_model(public: Mapping[str, Any]) -> str:
	return "{name} {version}".format(**public["model"])


def _say(value: object) -> str | None:
	return None if value is None else str(value)
