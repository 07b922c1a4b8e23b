"""Kill -9 under load, and whether the log still holds what was answered.

An answered decision must be in the log; an unanswered request, sent again under its idempotency key, must have one
decision.
"""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from threading import Timer
from typing import Final

from tools.load.applications import name_key, number_request, number_requests
from tools.load.generator import LOST, ask, send
from tools.load.server import LoanTapApi

FAULTS: Final = ("missing", "twice", "changed", "refused")


def kill_under_load(api: LoanTapApi, requests: Sequence[bytes], prefix: str, seconds: float) -> Counter[str]:
  """Load a server, kill all its processes, start it again, compare answers with the log.

  Idempotency keys begin with a prefix that no other load has.

  Returns:
      How many requests were `answered`; were `lost` on their way; of those, were `kept` in the log already. And
      `FAULTS`: answers `missing` in the log; keys with more than one decision after all was sent again (`twice`);
      answers `changed` when sent again; requests, sent once or again, answered otherwise than with success
      (`refused`).
  """
  found = Counter(dict.fromkeys(FAULTS, 0))
  bodies: dict[int, bytes] = {}
  lost: list[int] = []

  def note(number: int, status: int, body: bytes) -> None:
    if status == 200:
      bodies[number] = body
    elif status == LOST:
      lost.append(number)
    else:
      found["refused"] += 1

  timer = Timer(seconds, api.kill)
  timer.start()
  try:
    numbered = number_requests(requests, prefix)
    send(api.port, numbered, 60.0, listen=note, until=lambda: not timer.is_alive())
  finally:
    timer.cancel()
    timer.join()
  api.start()
  log = api.read_log(prefix)
  for number, body in bodies.items():
    found["missing"] += json.loads(body)["id"] not in log.get(name_key(prefix, number), ())
  found.update(answered=len(bodies), lost=len(lost), kept=sum(name_key(prefix, number) in log for number in lost))
  for number in [*lost, *islice(reversed(bodies), 100)]:
    answer = ask(api.port, number_request(requests, prefix, number))
    found["refused"] += answer.status != 200
    found["changed"] += number in bodies and answer.body != bodies[number]
  found["twice"] = sum(len(ids) > 1 for ids in api.read_log(prefix).values())
  return found
