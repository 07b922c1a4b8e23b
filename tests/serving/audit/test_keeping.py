import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loantap.portfolio.errors import InputError
from loantap.serving.audit.records import Caller, Entry, Kind
from tests.serving.entries import ANN, BOB, ask, connected, keep, make_decision


def test_a_decision_is_found_as_it_was_given(store):
	before = datetime.now(UTC)
	entry = make_decision(1)

	[kept] = store.append([entry], ANN)

	assert store.find(kept.id) == kept
	assert store.find("dec_unknown") is None
	assert (kept.public, kept.personal) == (entry.public, entry.personal)
	assert (kept.seq, kept.kind, kept.caller, kept.person) == (1, "decision", "key-a", "Ann Lee")
	assert before <= kept.at <= datetime.now(UTC)
	assert kept.id.startswith("dec_")
	assert not kept.is_erased


def test_names_keep_their_order_and_numbers_their_last_digit(store):
	public = {"b": 0.1 + 0.2, "a": 1.0, "c": 1, "z": [5e-324, 1.7976931348623157e308, "NaN", True]}

	assert store.append([], ANN) == []
	[kept] = store.append([Entry(Kind.OFFERS, public, {"ü\u0000": "\U0001f600 'x'\n"})], ANN)

	found = store.find(kept.id)
	assert repr(found.public) == repr(public)
	assert found.personal == {"ü\u0000": "\U0001f600 'x'\n"}


def test_records_are_numbered_without_gaps_and_their_ids_sort_as_they_were_kept(store):
	kept = [keep(store, i, i) for i in range(5)]
	records = [record for pair in kept for record in pair]

	assert [record.seq for record in records] == list(range(1, 11))
	assert all(a.id < b.id for a, b in pairwise(records))
	assert all(re.fullmatch("dec_[0-9a-f]{32}", record.id) for record in records)
	assert len({record.id[-10:] for record in records}) == 10


def test_ids_sort_as_kept_also_where_the_clock_is_put_back(store, monkeypatch):
	times = iter([datetime(2030, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)])
	clock = SimpleNamespace(now=lambda _: next(times))
	monkeypatch.setattr("loantap.serving.audit.transaction.datetime", clock)
	[first], [second] = keep(store, 1), keep(store, 1)

	assert first.id < second.id
	assert first.at > second.at
	assert store.verify().is_ok


@pytest.mark.parametrize("value", [float("nan"), -float("inf"), object(), "\ud800"])
@pytest.mark.parametrize("part", ["public", "personal"])
def test_what_is_no_json_is_refused(store, value, part):
	entry = replace(make_decision(), **{part: {"decision": "approve", "deep": [{"x": value}]}})

	with pytest.raises(InputError, match=f"{part} part of a record: it cannot be written as JSON"):
		store.append([make_decision(), entry], ANN)

	assert store.verify().n == 0


@pytest.mark.parametrize("name", ["key_id", "person", "request_id", "idempotency_key", "request_digest"])
def test_a_caller_that_not_every_database_could_keep_is_refused(sqlite_store, name):
	caller = replace(Caller("k", "p", "r"), **{name: "x" * 255})
	sqlite_store.append([make_decision()], caller)
	for given in ("", "a\nb", "a\x00b", "x" * 256):
		with pytest.raises(InputError, match=f"caller, {name}"):
			sqlite_store.append([make_decision()], replace(caller, **{name: given}))


def list_ids(page):
	return [record.id for record in page.records]


@pytest.fixture
def ids(store):
	entries = [
		make_decision(1, "approve"),
		make_decision(2, "decline", policy={"version": "npv 2", "digest": "other"}),
		make_decision(3, "refer", model={"version": "4"}),
		make_decision(2, "approve"),
	]
	kept = [store.append([entry], by)[0] for entry, by in zip(entries, [ANN, ANN, BOB, BOB])]  # noqa: B905
	store.append([Entry(Kind.OFFERS, {"decision": "approve"})], ANN)
	return [record.id for record in kept]


@pytest.mark.parametrize(
	("wanted", "found"),
	[
		({}, [4, 3, 2, 1]),
		({"decision": "approve"}, [4, 1]),
		({"person": "Bob Ray"}, [4, 3]),
		({"application_id": "A2"}, [4, 2]),
		({"application_id": "A2", "person": "Ann Lee"}, [2]),
		({"model_version": "4"}, [3]),
		({"policy_digest": "other"}, [2]),
		({"decision": "invalid"}, []),
	],
)
def test_a_search_finds_decisions_newest_first(store, ids, wanted, found):
	page = store.search(**wanted)

	assert list_ids(page) == [ids[number - 1] for number in found]
	assert page.next is None


def test_since_includes_its_moment_and_until_does_not(store, ids):
	moment = store.find(ids[1]).at
	later = moment + timedelta(days=1)

	assert list_ids(store.search(since=moment)) == ids[:0:-1]
	assert list_ids(store.search(until=moment)) == ids[:1]
	assert list_ids(store.search(since=later)) == []
	assert list_ids(store.search(until=later)) == ids[::-1]


def test_pages_go_on_where_the_last_one_ended(store, ids):
	seen, after = [], None
	for _ in range(2):
		page = store.search(after=after, limit=2)
		assert len(page.records) == 2
		seen += list_ids(page)
		after = page.next

	assert seen == ids[::-1]
	assert after is None
	assert len(store.search(limit=0).records) == 1


def test_a_search_of_an_application_all_decisions_are_found_however_many(store):
	store.append([make_decision(7, "refer"), make_decision(8)], ANN)
	many = store.append([make_decision(7) for _ in range(10_001)], BOB)

	[oldest] = store.search(application_id="A7", decision="refer").records
	page = store.search(application_id="A7", after=many[2].id, limit=2)

	assert [record.seq for record in page.records] == [many[1].seq, many[0].seq]
	assert store.search(application_id="A7", after=page.next).records == (oldest,)


def test_a_referred_decision_opens_its_case_and_no_other_does(store, url):
	kept = store.append(
		[
			make_decision(7, "refer"),
			make_decision(8, "approve"),
			Entry(Kind.REPLAY, {"decision": "refer"}),
			make_decision(9, "refer", amount=None),
		],
		ANN,
	)

	rows = ask(url, "SELECT decision_id, state, amount FROM cases ORDER BY seq")
	assert rows == [(kept[0].id, "open", 7000.0), (kept[3].id, "open", 0.0)]


@pytest.mark.parametrize("n", [64, 65])
def test_many_are_kept_as_few_are(store, url, n):
	entries = [make_decision(i, "refer" if i % 3 == 0 else "approve") for i in range(n)]
	keep(store, 999)

	kept = store.append(entries, ANN)

	assert [record.seq for record in kept] == list(range(2, n + 2))
	assert store.verify().is_ok
	assert store.verify().n == n + 1
	for record in (kept[0], kept[63], kept[-1]):
		assert store.find(record.id) == record
	assert ask(url, "SELECT decision_id FROM cases ORDER BY seq") == [
		(record.id,) for record in kept if record.public["decision"] == "refer"
	]
	assert len(store.search(limit=500).records) == n + 1


def test_many_records_are_copied_into_the_file_when_nobody_waits(sqlite_url, sqlite_store):
	path = Path(sqlite_url.removeprefix("sqlite:///"))
	sqlite_store.append([make_decision(number) for number in range(1_500)], ANN)
	before = path.stat().st_size
	sqlite_store.tidy()

	assert before < 200_000
	assert path.stat().st_size > 1_000_000
	assert sqlite_store.verify().n == 1_500


@pytest.mark.parametrize(
	"statement",
	[
		"UPDATE records SET person = 'Eve'",
		"UPDATE records SET decision = NULL WHERE seq = 1",
		"DELETE FROM records",
		"DELETE FROM records WHERE seq = 2",
		"UPDATE personal SET content = '{}'",
	],
)
def test_a_change_is_refused(store, url, statement):
	keep(store, 1, 2)
	with pytest.raises(DBAPIError, match="the log is append-only"), connected(url) as connection:
		connection.execute(text(statement))

	assert store.verify().n == 2
	assert store.verify().is_ok


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
@pytest.mark.parametrize("table", ["records", "personal"])
def test_a_table_is_not_emptied_in_postgresql(store, url, table):
	with pytest.raises(DBAPIError, match="refuses TRUNCATE"), connected(url) as connection:
		connection.execute(text(f"TRUNCATE {table}"))


def test_what_reads_does_not_write(store):
	refused = "readonly|read-only|does not do it|cannot execute"

	with pytest.raises(Exception, match=refused):
		store.read(lambda connection: connection.execute(text("INSERT INTO probe VALUES ('a', 'b')")))
