from datetime import UTC, datetime, timedelta

import pytest

from loantap.portfolio.errors import InputError
from loantap.serving.audit import erasure
from loantap.serving.audit.records import Entry, Kind
from loantap.serving.errors import NotThereError
from tests.serving.entries import ANN, BOB, ask, erase, keep, make_decision, tamper


@pytest.fixture
def ids(store):
	kept = keep(store, 1, 2, 1)
	store.append([Entry(Kind.CASE_DECIDED, {}, {"note": "she called"}, kept[0].id)], BOB)
	return [record.id for record in kept]


def test_an_erased_decision_keeps_all_but_its_person(store, ids, url):
	before = store.find(ids[1])

	assert erase(store, ids[1]) == 1

	after = store.find(ids[1])
	assert after.is_erased
	assert after.personal is None
	assert (after.public, after.hash, after.at) == (before.public, before.hash, before.at)
	assert not store.find(ids[0]).is_erased
	assert store.verify().is_ok
	# The erasure is a record itself.
	said = f'{{"reason":"asked for","records":["{ids[1]}"]}}'
	erasures = "SELECT seq, person, public FROM records WHERE kind = 'erased'"
	assert ask(url, erasures) == [(5, "Bob Ray", said)]


def test_an_application_goes_as_a_whole_and_is_not_found_again(store, ids, url):
	assert store.erase(BOB, "asked for", application_id="A1") == 3

	assert ask(url, "SELECT seq FROM personal") == [(2,)]
	assert store.search(application_id="A1").records == ()
	# Ids of records may hold the letters of A1, of any case, without its quotes.
	assert not any('"A1"' in public for (public,) in ask(url, "SELECT public FROM records"))
	assert store.verify().is_ok


def test_what_is_about_a_decision_goes_with_it_and_twice_is_once(store, ids):
	assert erase(store, *ids[:1]) == 2
	assert store.about(ids[0])[0].is_erased
	assert erase(store, *ids) == 2
	assert erase(store, *ids) == 0
	assert store.erase(BOB, "asked for", application_id="A1") == 0
	assert store.verify().is_ok
	assert store.verify().n == 6


def test_an_unknown_id_is_named_and_nothing_is_erased(store, ids):
	with pytest.raises(NotThereError, match="record dec_x: there is none"):
		erase(store, ids[0], "dec_x")

	assert store.verify().n == 4
	assert not store.find(ids[0]).is_erased


def test_an_erased_part_that_comes_back_is_found(store, ids, url):
	[(salt, content)] = ask(url, "SELECT salt, content FROM personal WHERE seq = 2")
	erase(store, ids[1])
	tamper(url, "INSERT INTO personal VALUES (2, :salt, :content, 'A2')", salt=salt, content=content)

	fault = store.verify().fault
	assert (fault.seq, fault.problem) == (2, "its personal part was erased, and is there again")


def test_nothing_of_it_is_left_in_the_files(sqlite_store, tmp_path):
	marked = Entry(Kind.OFFERS, {}, {"note": "a secret that must go " * 20})
	[kept] = sqlite_store.append([marked], ANN)
	sqlite_store.append([make_decision(number) for number in range(50)], ANN)
	files = [tmp_path / "log" / f"audit.db{end}" for end in ("", "-wal")]
	assert any(b"a secret that must go" in file.read_bytes() for file in files)

	erase(sqlite_store, kept.id)

	assert not any(b"a secret that must go" in file.read_bytes() for file in files)


def test_only_what_is_older_goes(store, ids, monkeypatch):
	third = store.find(ids[2])
	monkeypatch.setattr(erasure, "find_cutoff", lambda _: third.at)
	keep(store, 9)

	# Kept in one call, they are of one time: none is older.
	assert store.purge_older_than(30, ANN) == 0
	assert store.verify().n == 5
	monkeypatch.setattr(erasure, "find_cutoff", lambda _: third.at + timedelta(microseconds=1))
	assert store.purge_older_than(30, ANN) == 3
	assert store.verify().is_ok
	assert [record.is_erased for record in store.search().records] == [False, True, True, True]


def test_erasure_goes_step_by_step(store, ids, url, monkeypatch):
	monkeypatch.setattr(erasure, "_STEP", 3)

	assert store.purge_older_than(0, ANN) == 4

	public = [text for (text,) in ask(url, "SELECT public FROM records WHERE kind = 'erased'")]
	assert [text.partition('"up_to"')[2] for text in public] == [':3,"n":3}', ':4,"n":1}']
	assert store.verify().is_ok
	assert store.purge_older_than(0, ANN) == 0
	assert store.verify().n == 6


def test_a_part_that_was_deleted_without_a_record_is_still_found(store, ids, url):
	store.purge_older_than(0, ANN)
	keep(store, 8)
	tamper(url, "DELETE FROM personal WHERE seq = 6")

	assert store.verify().fault is not None
	assert store.verify().n == 5


def test_days_are_counted_back_from_now():
	before = datetime.now(UTC)
	cutoff = erasure.find_cutoff(30)

	assert before - timedelta(days=30) <= cutoff <= datetime.now(UTC) - timedelta(days=30)
	with pytest.raises(InputError, match="-1 is negative"):
		erasure.find_cutoff(-1)
