# ruff: noqa: S608 - statements are made of the names of our own columns

import hashlib
import json

import pytest

from loantap.serving.audit.chain import hash_record
from loantap.serving.audit.records import Entry, Head, Kind
from loantap.serving.audit.tables import records
from tests.serving.entries import ANN, BOB, ask, keep, make_decision, tamper

COLUMNS = [column.name for column in records.columns]


@pytest.fixture
def log(store):
	"""The second is referred, the third without a personal part."""
	store.append([make_decision(1), make_decision(2, "refer")], ANN)
	store.append([Entry(Kind.OFFERS, {"n": 3})], BOB)
	keep(store, 4)
	keep(store, 5)
	return store


def test_a_log_that_nobody_touched_holds(log):
	verdict = log.verify()

	assert verdict.is_ok
	assert verdict.n == 5
	assert verdict.head == Head(5, log.search(limit=1).records[0].hash)


def test_anybody_can_compute_the_hashes(log, url):
	previous = "0" * 64
	for row in ask(url, f"SELECT {', '.join(COLUMNS)} FROM records ORDER BY seq"):
		*columns, hashed = row
		text = json.dumps(columns, separators=(",", ":"), ensure_ascii=False)

		assert columns[-1] == previous
		assert hashlib.sha256(text.encode()).hexdigest() == hashed
		previous = hashed


def test_the_personal_part_is_in_it_as_a_salted_digest(log, url):
	asked = "SELECT salt, content, personal_digest, public FROM records JOIN personal ON records.seq = personal.seq"
	rows = ask(url, asked)

	assert len(rows) == 4
	assert len({bytes(salt) for salt, *_ in rows}) == 4
	for salt, content, digest, public in rows:
		assert hashlib.sha256(bytes(salt) + content.encode()).hexdigest() == digest
		assert "annual_inc" not in public


def say(store, noted=None):
	fault = store.verify(noted).fault
	return fault.seq, fault.problem


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "seq"])
def test_a_change_of_any_column_is_found(log, url, column):
	value = "7" if column == "position" else "'changed'"

	tamper(url, f"UPDATE records SET {column} = {value} WHERE seq = 3")

	assert say(log) == (3, "it was changed after it was kept: its hash is of something else")
	assert log.verify().n == 2


def rehash(url, seq, **changes):
	"""As a forger would."""
	[row] = ask(url, f"SELECT {', '.join(COLUMNS)} FROM records WHERE seq = {seq}")
	columns = dict(zip(COLUMNS, row, strict=True)) | changes
	columns["hash"] = hash_record([columns[name] for name in COLUMNS[:-1]])
	assigned = ", ".join(f"{name} = :{name}" for name in COLUMNS if name != "seq")
	tamper(url, f"UPDATE records SET {assigned} WHERE seq = {seq}", **columns)


def test_a_record_that_was_hashed_anew_breaks_the_next(log, url):
	rehash(url, 3, person="Eve")

	assert say(log) == (4, "it does not follow the record before: that has another hash")


@pytest.mark.parametrize("column", ["decision", "model_version", "policy_digest"])
def test_a_record_is_found_by_what_it_says(log, url, column):
	rehash(url, 5, **{column: "other"})

	seq, problem = say(log)
	assert seq == 5
	assert "which it" in problem or "public part has not" in problem


@pytest.mark.parametrize(
	("statement", "seq"),
	[
		("UPDATE records SET public = x'FF00' WHERE seq = 3", 3),
		("UPDATE personal SET salt = 'text' WHERE seq = 4", 4),
		("UPDATE personal SET content = x'FF00' WHERE seq = 4", 4),
	],
)
def test_values_of_another_type_are_found_in_sqlite(sqlite_url, sqlite_store, statement, seq):
	sqlite_store.append([make_decision(number) for number in range(1, 6)], ANN)
	tamper(sqlite_url, statement)

	assert say(sqlite_store)[0] == seq


@pytest.mark.parametrize(
	("statement", "seq", "problem"),
	[
		("UPDATE personal SET content = '{}' WHERE seq = 2", 2, "its personal part was changed"),
		("UPDATE personal SET salt = '0123' WHERE seq = 2", 2, "its personal part was changed"),
		("UPDATE personal SET application_id = 'B' WHERE seq = 2", 2, "another application_id"),
		("DELETE FROM personal WHERE seq = 4", 4, "is gone, and no record says"),
		("INSERT INTO personal VALUES (3, '1', '{}', NULL)", 3, "a personal part was added"),
		("INSERT INTO personal VALUES (9, '1', '{}', NULL)", 9, "missing; its personal part"),
		("DELETE FROM records WHERE seq = 1", 1, "it is missing; record 2"),
		("DELETE FROM records WHERE seq IN (3, 4)", 3, "it is missing; record 5"),
		("DELETE FROM records WHERE seq = 5", 5, "it is missing; its personal part is there"),
		("DELETE FROM records", 1, "it is missing; its personal part is there"),
	],
)
def test_what_somebody_did_to_the_log_is_told(log, url, statement, seq, problem):
	tamper(url, statement)

	found, said = say(log)

	assert found == seq
	assert problem in said
	assert log.verify().n == min(seq - 1, 5)


def test_the_first_of_several_is_named(log, url):
	tamper(
		url,
		"UPDATE records SET person = 'Eve' WHERE seq = 5",
		"UPDATE personal SET content = '{}' WHERE seq = 2",
		"DELETE FROM records WHERE seq = 4",
	)

	assert say(log)[0] == 2
	assert str(log.verify().fault).startswith("record 2 (dec_")


def test_a_log_that_only_grew_still_holds_it(log):
	noted = log.verify().head
	assert log.verify(noted).is_ok
	keep(log, 6)

	assert log.verify(noted).is_ok


def test_a_noted_end_shows_that_the_end_was_cut_off(log, url):
	noted = log.verify().head
	tamper(url, "DELETE FROM records WHERE seq = 5", "DELETE FROM personal WHERE seq = 5")

	assert log.verify().is_ok
	assert say(log, noted) == (5, "it is missing: the log once ended at record 5")


def test_a_case_shows_it_too(log, url):
	tamper(url, "DELETE FROM records WHERE seq > 1", "DELETE FROM personal WHERE seq > 1")

	assert say(log) == (2, "it is missing; its case is there")


def test_a_noted_end_shows_that_all_was_written_anew(log, url):
	noted = log.verify().head
	rehash(url, 5, person="Eve")

	assert log.verify().is_ok
	assert say(log, noted)[0] == 5
	assert "was noted down" in say(log, noted)[1]
