"""Bodies that make no sense, made of bodies that do; none may be answered with a 5xx.

Each is a good body of one application, of a batch in JSON or in CSV, or of offers with one to three
things done to it: bytes changed, cut out or doubled; values and names of another type, too large,
too deep or no JSON at all.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.load.applications import BATCH_PATH, SCORE_PATH
from tools.load.exchange import render_request
from tools.load.generator import LOST, Sending, send

OFFERS_PATH: Final = "/v1/offers"
_CONNECTIONS: Final = 8
_SECONDS: Final = 300.0
_SHOWN: Final = 5
_WIDE: Final = 20_000
# Put in the place of a value, or of a piece of the text.
_ODD: Final = (
    b"null", b"true", b"false", b"-1", b"0", b"-0.0", b"1e308", b"1e999", b"-1e999", b"1E-400",
    b"9" * 400, b"NaN", b"Infinity", b"-Infinity", b"0x10", b"01", b"1.", b".5", b'""', b'" "',
    b'"\\u0000"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xff\xfe"', b'"\xc3\xa9"', b"'a'",
    b'"36 months"', b'"Jan-2014"', b'"Feb-30"', b'"9999-12-31"', b'"=1+1"', b'"<script>"',
    b"[]", b"{}", b"[[[[]]]]", b'{"a": {"a": {"a": 1}}}', b"[" * 2_000, b'{"a":' * 500,
    b'"' + b"x" * _WIDE + b'"', b'"' + "\u202e".encode() * 50 + b'"', b"//", b"\x00", b"\r\n", b"",
)  # fmt: skip


@dataclass(slots=True)
class Fuzzed:
    """How bodies were answered.

    Attributes:
        counts: of each status; `LOST` where the connection ended.
        shown: the first bodies that were answered with a 5xx or not at all, and how.
    """

    counts: Counter[int] = field(default_factory=Counter)
    shown: list[tuple[int, bytes, bytes]] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many had a 5xx, or no answer."""
        return sum(n for status, n in self.counts.items() if status == LOST or status >= 500)


def fuzz(
    port: int, headers: Mapping[str, str], applications: Sequence[bytes], csv: bytes, number: int
) -> Fuzzed:
    """Send so many bodies, the same ones each time.

    Args:
        port: of the API.
        headers: of a caller who may score.
        applications: good ones, as JSON objects.
        csv: a good batch.
        number: how many.
    """
    found = Fuzzed()
    made = list(make_bodies(applications, csv, number))
    requests = [
        render_request("POST", path, {**headers, "Content-Type": kind}, body)
        for path, kind, body in made
    ]

    def note(number: int, status: int, body: bytes) -> None:
        found.counts[status] += 1
        is_fault = status == LOST or status >= 500
        if is_fault and len(found.shown) < _SHOWN:
            found.shown.append((status, made[number][2][:500], body[:500]))

    send(port, iter(requests), Sending(_SECONDS, _CONNECTIONS), note)
    return found


def make_bodies(
    applications: Sequence[bytes], csv: bytes, number: int
) -> Iterator[tuple[str, str, bytes]]:
    """Path, content type and body of each request."""
    draw = random.Random(20_261_129)  # noqa: S311
    head, *lines = csv.splitlines()
    for place in range(number):
        application = draw.choice(applications)
        few = draw.choices(applications, k=3)
        batch = b'{"applications": [' + b", ".join(few) + b"]}"
        table = b"\n".join([head, *draw.choices(lines, k=3)])
        path, kind, body = (
            (SCORE_PATH, "application/json", application),
            (OFFERS_PATH, "application/json", application),
            (BATCH_PATH, "application/json", batch),
            (BATCH_PATH, "text/csv", table),
        )[place % 4]
        for _ in range(draw.randint(1, 3)):
            body = draw.choice(_CHANGES)(draw, body)
        yield path, kind, body


def _flip(draw: random.Random, body: bytes) -> bytes:
    """A few bytes are others."""
    changed = bytearray(body)
    for _ in range(draw.randint(1, 8) if changed else 0):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _cut(draw: random.Random, body: bytes) -> bytes:
    """A piece is missing, or there twice, or something odd."""
    at, to = draw.randint(0, len(body)), draw.randint(0, len(body))
    return body[:at] + draw.choice((b"", draw.choice(_ODD))) + body[to:]


def _replace(draw: random.Random, body: bytes) -> bytes:
    """A value between two commas is an odd one, or the name before it."""
    pieces = body.split(b",")
    at = draw.randrange(len(pieces))
    name, colon, value = pieces[at].partition(b":")
    odd = draw.choice(_ODD)
    pieces[at] = draw.choice((name + colon + odd, odd + colon + value)) if colon else odd
    return b",".join(pieces)


_CHANGES: Final = (_flip, _cut, _replace, _replace, _replace)
