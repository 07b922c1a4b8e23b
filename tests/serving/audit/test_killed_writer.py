from loantap.serving.audit.store import AuditStore
from tests.serving.audit import writer
from tests.serving.entries import ANN, make_decision


def read_pairs(process, n):
  """Key and id of the first records that it was told of; of all, where there are fewer."""
  return read_lines([line for line, _ in zip(process.stdout, range(n), strict=False)])


def read_lines(lines):
  """Of the lines that are whole; the last may have been cut off."""
  pairs = (line.split() for line in lines if line.endswith("\n"))
  return {pair[0]: pair[1] for pair in pairs}


def require_kept(store, acknowledged):
  for key, record_id in acknowledged.items():
    assert [record.id for record in store.find_idempotent(ANN.key_id, key)] == [record_id]


def test_a_killed_process_leaves_all_that_it_acknowledged(url):
  acknowledged = {}
  store = AuditStore.open(url)
  for name in ("first", "second", "third"):
    process = writer.start(url, name, 8, 10_000)
    acknowledged |= read_pairs(process, len(acknowledged) + 200)
    process.kill()
    rest, _ = process.communicate()
    acknowledged |= read_lines(rest.splitlines(keepends=True))

  assert len(acknowledged) >= 600
  require_kept(store, acknowledged)
  verdict = store.verify()
  assert verdict.fault is None
  assert verdict.n >= len(acknowledged)
  store.append([make_decision()], ANN)
  assert store.verify().is_ok
  store.close()


def test_two_processes_keep_each_request_once(url):
  store = AuditStore.open(url)
  processes = [writer.start(url, name, 4, 60) for name in ("first", "second")]
  first, second = (read_pairs(process, 1_000) for process in processes)

  assert [process.wait() for process in processes] == [0, 0]
  assert len(first) == 240
  assert first == second
  require_kept(store, first)
  assert store.verify().is_ok
  assert store.verify().n == 240
  for process in processes:
    process.communicate()
  store.close()
