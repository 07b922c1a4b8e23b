import json
import os
import re
import subprocess
from contextlib import closing

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url as parse_url
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loantap.serving.audit import schema
from loantap.serving.audit.commands import main
from loantap.serving.audit.engines import open_engines
from loantap.serving.audit.records import Head
from loantap.serving.audit.store import AuditStore
from loantap.serving.audit.tables import REVISION
from loantap.serving.cases.cases import CaseQueue
from loantap.serving.errors import ForbiddenErasureError
from loantap.serving.help.offer import HelpProposal, Spoken
from loantap.serving.help.offers import HelpOffers, WatchlistFiles
from loantap.serving.keys.keys import Keys, Scope
from tests.conftest import PROJECT
from tests.serving.conftest import make_url
from tests.serving.entries import ANN, BOB, connected, erase, keep, make_decision, tamper
from tests.serving.watched import write_watchlist
from tools.sources.postgres import ADMIN
from tools.sources.system_packages import find_postgres


@pytest.fixture(params=["sqlite"])
def server(request):
	"""The commands are the same on both systems, which other tests try."""
	return request.param


@pytest.fixture
def call(url):
	return lambda *words: CliRunner().invoke(main, ["--url", url, *words])


@pytest.fixture
def kept(store):
	return store.append([make_decision(1), make_decision(2, "refer")], ANN)


def test_a_log_that_holds_tells_where_it_ends(call, kept):
	said = call("verify")

	assert said.exit_code == 0
	assert said.output == f"All 2 records hold. The log ends at 2:{kept[1].hash}\n"
	assert call("verify", "--noted", f"2:{kept[1].hash}").exit_code == 0
	cut_off = call("verify", "--noted", f"3:{kept[1].hash}")
	assert cut_off.exit_code == 1
	assert "the log once ended at record 3" in cut_off.output
	assert call("verify", "--noted", "abc").exit_code == 2


def test_a_log_that_does_not_names_the_first_record(call, kept, url):
	tamper(url, "UPDATE records SET person = 'Eve' WHERE seq = 2")
	said = call("verify")

	assert said.exit_code == 1
	assert said.output.startswith(f"1 records hold. Then record 2 ({kept[1].id}): it was changed")


def test_a_record_is_shown_with_what_happened_since(call, kept, store):
	erase(store, kept[1].id)
	shown = json.loads(call("show", kept[0].id).output)
	erased = json.loads(call("show", kept[1].id).output)

	assert shown[0]["personal"]["application_id"] == "A1"
	assert erased[0]["is_erased"]
	assert erased[0]["public"]["decision"] == "refer"
	missing = call("show", "dec_x")
	assert missing.exit_code == 1
	assert "there is none of this id" in missing.output


def test_personal_parts_are_erased(call, kept, store):
	for chosen in ([kept[0].id], ["--application-id", "A2"]):
		said = call("erase", *chosen, "--reason", "asked for")
		assert said.output == "Erased 1 personal parts\n"
	assert all(record.is_erased for record in store.search().records)

	assert call("erase", kept[0].id, "--application-id", "A2", "--reason", "x").exit_code == 2
	assert call("erase", "--reason", "x").exit_code == 2
	unknown = call("erase", "dec_x", "--reason", "x")
	assert unknown.exit_code == 1
	assert "there is none of this id" in unknown.output


def test_old_personal_parts_are_purged(call, kept):
	assert call("purge", "--older-than", "1").output.startswith("Erased 0 personal parts")
	assert call("purge", "--older-than", "0").output.startswith("Erased 2 personal parts")


def test_tables_are_made_once(tmp_path):
	words = ["--url", f"sqlite:///{tmp_path}/new/audit.db", "upgrade"]

	first, again = (CliRunner().invoke(main, words).output for _ in range(2))

	assert first == f"The tables are at revision {REVISION}, before: none\n"
	assert again == f"Nothing to do: the tables are at revision {REVISION}\n"


def test_the_log_of_the_project_is_the_default(tmp_path, monkeypatch):
	monkeypatch.delenv("LOANTAP_AUDIT_URL", raising=False)
	(tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
	(tmp_path / "below").mkdir()
	monkeypatch.chdir(tmp_path / "below")

	assert CliRunner().invoke(main, ["verify"]).exit_code == 0
	assert (tmp_path / "data" / "09_serving" / "audit.db").is_file()

	monkeypatch.setenv("LOANTAP_AUDIT_URL", f"sqlite:///{tmp_path}/other.db")
	assert CliRunner().invoke(main, ["verify"]).exit_code == 0
	assert (tmp_path / "other.db").is_file()


def test_an_address_that_is_none_is_told_without_a_traceback():
	said = CliRunner().invoke(main, ["--url", "nothing", "verify"])

	assert said.exit_code == 1
	assert said.output.startswith("Error: LOANTAP_AUDIT_URL: it is not understood")


LINES = re.findall(
	r"^(?:pg_dump|createdb|pg_restore) .*$", (PROJECT / "docs" / "operations.md").read_text("utf-8"), re.MULTILINE
)
RESTORED = "loantap_audit_restored"
DATABASE = "loantap_audit"
ROLES = tuple(f"loantap_audit_{name}" for name in ("owner", "writer", "eraser", "reader"))
OWNER, WRITER, ERASER, READER = ROLES


@pytest.fixture
def documented(postgres):
	"""A server to which the SQL of the page was applied as the page says."""
	page = (PROJECT / "docs" / "audit.md").read_text("utf-8")
	made, granted = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
	for role in ROLES:
		old = f"{role} LOGIN PASSWORD '...'"
		made = made.replace(old, old.replace("...", postgres.password_of(role)))
	postgres.run_sql(made)
	engines = open_engines(make_url(postgres, OWNER, DATABASE))
	schema.upgrade(engines)
	engines.dispose()
	postgres.run_sql(granted, role=OWNER, database=DATABASE)
	yield postgres
	postgres.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
	for role in ROLES:
		postgres.run_sql(f"DROP ROLE {role}")


def test_each_role_does_its_work_and_no_other(documented, tmp_path):
	urls = {role: make_url(documented, role, DATABASE) for role in ROLES}
	writer, eraser, reader = (AuditStore.open(urls[role]) for role in (WRITER, ERASER, READER))
	[kept] = writer.append([make_decision(1, "refer")], ANN)
	assert writer.is_writable()
	assert CaseQueue(writer).take(kept.id, ANN).taken_by == "Ann Lee"
	write_watchlist(tmp_path)
	offered = HelpOffers(writer).offer(WatchlistFiles(tmp_path).read().find("L-3"), HelpProposal(action="reminder"), ANN)
	assert HelpOffers(writer).follow(offered.id, Spoken(answer="accepted"), ANN).answer == "accepted"
	key, secret = Keys(writer).create("Ann", [Scope.SCORE], ANN)
	assert Keys(reader).check(secret) == key

	with pytest.raises(ForbiddenErasureError, match="--url of the role that may"):
		erase(writer, kept.id)
	assert not reader.find(kept.id).is_erased
	assert erase(eraser, kept.id) == 1
	assert eraser.purge_older_than(0, BOB) == 1
	assert reader.find(kept.id).is_erased
	assert reader.verify().is_ok
	assert not reader.is_writable()

	for role, statement in [
		(WRITER, "UPDATE records SET person = 'Eve'"),
		(WRITER, "DELETE FROM records"),
		(WRITER, "DELETE FROM personal"),
		(WRITER, "DELETE FROM cases"),
		(WRITER, "DELETE FROM help_offers"),
		(WRITER, "ALTER TABLE records DISABLE TRIGGER ALL"),
		(ERASER, "DELETE FROM records"),
		(ERASER, "UPDATE personal SET content = ''"),
		(ERASER, "UPDATE cases SET state = 'closed'"),
		(READER, "INSERT INTO probe VALUES ('a', 'b')"),
	]:
		refused = pytest.raises(DBAPIError, match=r"permission denied|must be owner")
		with refused, connected(urls[role]) as connection:
			connection.execute(text(statement))
	for store in (writer, eraser, reader):
		store.close()


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgres"])
def test_a_restored_log_holds_and_lacks_what_came_later(url, postgres, tmp_path):
	def run(line):
		environment = os.environ | {
			"PATH": f"{find_postgres()}:{os.environ['PATH']}",
			"AUDIT_DATABASE": url,
			"PGHOST": "127.0.0.1",
			"PGPORT": str(postgres.port),
			"PGUSER": ADMIN,
			"PGPASSWORD": str(parse_url(url).password),
		}
		subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=environment, check=True)

	dump, create, restore = LINES
	with closing(AuditStore.open(url)) as store:
		kept = store.append([make_decision(n) for n in (1, 2)], ANN)
		store.erase(ANN, "request 17", record_ids=[kept[0].id])
		noted = store.verify().head
		run(dump)
		[later] = keep(store, 3)
	try:
		run(create)
		run(restore)
		with closing(AuditStore.open(make_url(postgres, database=RESTORED))) as restored:
			assert restored.verify(noted).is_ok
			assert restored.find(kept[1].id) == kept[1]
			assert restored.find(kept[0].id).is_erased
			assert restored.find(later.id) is None
			assert not restored.verify(Head(later.seq, later.hash)).is_ok
	finally:
		postgres.run_sql(f"DROP DATABASE IF EXISTS {RESTORED}")
