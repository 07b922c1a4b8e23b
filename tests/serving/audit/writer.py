"""A process that keeps decisions from several threads, and prints what was acknowledged.

Started by tests as `python -m tests.serving.audit.writer URL NAME THREADS N`.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from loantap.serving.audit.store import AuditStore
from tests.serving.entries import ANN, make_decision

_PROJECT = Path(__file__).parents[3]


def start(url: str, name: str, threads: int, n: int) -> subprocess.Popen[str]:
  """Such a process; its output says what was acknowledged."""
  command = [sys.executable, "-m", "tests.serving.audit.writer", url, name, str(threads), str(n)]
  return subprocess.Popen(command, cwd=_PROJECT, stdout=subprocess.PIPE, text=True)


def main() -> None:
  """Each thread keeps N decisions under keys that processes of other names use, too."""
  url, name, threads, n = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
  store = AuditStore.open(url)

  def keep(thread: int) -> None:
    for number in range(n):
      key = f"{thread}-{number}"
      caller = replace(ANN, request_id=f"{name}-{key}", idempotency_key=key)
      [record] = store.append([make_decision(number)], caller)
      os.write(1, f"{key} {record.id}\n".encode())

  with ThreadPoolExecutor(threads) as started:
    list(started.map(keep, range(threads)))
  store.close()


if __name__ == "__main__":
  main()
