"""Kill -9 under load, and whether the log still holds what was answered.

An answered decision must be in the log; an unanswered request, sent again under its idempotency
key, must have one decision.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Timer
from typing import Final

from tools.load.applications import name_key, number_request, number_requests
from tools.load.exchange import ask
from tools.load.generator import LOST, Sending, send
from tools.load.server import Server

_REPEATED_ANSWERED: Final = 100
_LONGEST: Final = 60.0

# Ids of the decisions by idempotency key, of keys with a prefix.
LogReader = Callable[[str], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Killed:
    """What was found after one kill; all but the first four must be 0.

    Attributes:
        lost: requests that were on their way.
        kept: of those, how many had their decision in the log already.
        seconds_to_ready: from the next start.
        missing: answers that the log doesn't hold.
        twice: idempotency keys with more than one decision, after all was sent again.
        changed: answers that were others when their request was sent again.
        refused: requests, sent once or again, that had an answer other than success.
    """

    answered: int
    lost: int
    kept: int
    seconds_to_ready: float
    missing: int
    twice: int
    changed: int
    refused: int

    @property
    def faults(self) -> int:
        """How many things were not as they must be."""
        return self.missing + self.twice + self.changed + self.refused


def kill_under_load(server: Server, requests: list[bytes], prefix: str, read_log: LogReader, seconds: float) -> Killed:
    """Load a server, kill all its processes, start it again, compare answers with the log.

    Idempotency keys begin with a prefix that no other load has.
    """
    bodies: dict[int, bytes] = {}
    lost: list[int] = []
    failed: list[int] = []

    def note(number: int, status: int, body: bytes) -> None:
        if status == 200:
            bodies[number] = body
        else:
            (lost if status == LOST else failed).append(number)

    timer = Timer(seconds, server.kill)
    timer.start()
    try:
        numbered = number_requests(requests, prefix)
        send(server.port, numbered, Sending(_LONGEST), note, lambda: not timer.is_alive())
    finally:
        timer.cancel()
        timer.join()
    server.start()
    log = read_log(prefix)
    missing = sum(
        json.loads(body)["id"] not in log.get(name_key(prefix, number), ()) for number, body in bodies.items()
    )
    kept = sum(name_key(prefix, number) in log for number in lost)

    changed, refused = 0, len(failed)
    for number in [*lost, *islice(reversed(bodies), _REPEATED_ANSWERED)]:
        answer = ask(server.port, number_request(requests, prefix, number))
        refused += answer.status != 200
        changed += number in bodies and answer.body != bodies[number]
    twice = sum(len(ids) > 1 for ids in read_log(prefix).values())
    return Killed(len(bodies), len(lost), kept, server.seconds_to_ready, missing, twice, changed, refused)
