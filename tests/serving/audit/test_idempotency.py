from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from loantap.serving.audit.errors import IdempotencyConflictError
from loantap.serving.audit.store import AuditStore
from tests.serving.entries import ANN, BOB, ask, make_decision, tamper

KEYED = replace(ANN, idempotency_key="order 66", request_digest="d1")


def test_a_repeated_request_gets_what_was_kept(store):
  first = store.append([make_decision(1), make_decision(2)], KEYED)

  again = store.append([make_decision(3), make_decision(4)], replace(KEYED, request_id="another"))

  assert again == first
  assert store.find_idempotent("key-a", "order 66") == first
  assert store.verify().n == 2


def test_another_request_under_the_key_is_refused_and_keeps_nothing(store):
  store.append([make_decision(1)], KEYED)

  with pytest.raises(IdempotencyConflictError, match="order 66: it was used for another") as no:
    store.append([make_decision(1)], replace(KEYED, request_digest="d2"))

  assert "a key of its own" in no.value.remedy
  assert store.verify().n == 1


def test_each_caller_has_keys_of_its_own(store):
  [ann] = store.append([make_decision(1)], KEYED)
  [bob] = store.append([make_decision(1)], replace(KEYED, key_id=BOB.key_id))

  assert ann.id != bob.id
  assert store.find_idempotent(BOB.key_id, "order 66") == [bob]
  assert store.find_idempotent("key-c", "order 66") == []


def test_an_erased_answer_says_so(store):
  [kept] = store.append([make_decision(1)], KEYED)
  store.erase(ANN, "asked for", record_ids=[kept.id])

  [again] = store.append([make_decision(1)], KEYED)

  assert again.id == kept.id
  assert again.is_erased
  assert again.personal is None


def test_the_database_itself_refuses_a_second_record_under_a_key(store, url):
  store.append([make_decision(1)], KEYED)
  copied = (
    "INSERT INTO records SELECT seq + 1, id || 'x', kind, at, caller, person, subject, "
    "request_id, idempotency_key, position, request_digest, decision, model_version, "
    "policy_digest, public, personal_digest, previous, hash FROM records"
  )

  with pytest.raises(IntegrityError):
    tamper(url, copied)


def test_a_conflict_leaves_the_others_of_its_group_alone(store):
  store.append([make_decision(1)], KEYED)
  callers = [replace(KEYED, request_digest="d2"), *[ANN] * 30]

  def ask_for(number):
    try:
      return len(store.append([make_decision(number)], callers[number])) == 1
    except IdempotencyConflictError:
      return False

  with ThreadPoolExecutor(31) as threads:
    kept = list(threads.map(ask_for, range(31)))

  assert kept == [False, *[True] * 30]
  assert store.verify().n == 31


def test_threads_of_two_stores_keep_each_request_once(url):
  stores = [AuditStore.open(url), AuditStore.open(url)]

  def ask_for(number):
    caller = replace(KEYED, idempotency_key=f"key {number // 8}", request_id=f"r{number}")
    return stores[number % 2].append([make_decision(number // 8)], caller)[0].id

  with ThreadPoolExecutor(16) as threads:
    ids = list(threads.map(ask_for, range(160)))

  assert all(len(set(ids[i : i + 8])) == 1 for i in range(0, 160, 8))
  assert stores[0].verify().n == 20
  assert ask(url, "SELECT count(*), count(DISTINCT idempotency_key) FROM records") == [(20, 20)]
  for store in stores:
    store.close()
