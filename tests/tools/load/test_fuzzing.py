"""Bodies that make no sense, and what is counted of their answers."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.load.fuzzing import Fuzzed, fuzz, make_bodies
from tools.load.generator import LOST

_APPLICATIONS = [json.dumps({"loan_amnt": n, "term": "36 months"}).encode() for n in (1, 2, 3)]
_CSV = b"loan_amnt,term\n1,36 months\n2,60 months\n"


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_the_same_bodies_each_time_for_every_door_and_none_as_it_was() -> None:
    made = list(make_bodies(_APPLICATIONS, _CSV, 400))

    assert made == list(make_bodies(_APPLICATIONS, _CSV, 400))
    assert Counter((path, kind) for path, kind, _ in made) == {
        ("/v1/applications/score", "application/json"): 100,
        ("/v1/offers", "application/json"): 100,
        ("/v1/applications/score-batch", "application/json"): 100,
        ("/v1/applications/score-batch", "text/csv"): 100,
    }
    single = [body for path, _, body in made if path == "/v1/applications/score"]
    assert len(set(single)) > 90
    assert sum(body in _APPLICATIONS for body in single) < 10
    # Some can be read, and so come to the checks behind the parser.
    assert 10 < sum(map(is_json, single)) < 90


def test_what_has_a_5xx_or_no_answer_is_a_fault() -> None:
    assert Fuzzed(Counter({200: 5, 400: 3, 422: 2})).faults == 0
    assert Fuzzed(Counter({200: 5, 500: 3, 503: 2, LOST: 1})).faults == 6


@pytest.mark.parametrize(("status", "faults"), [(422, 0), (500, 40)])
def test_answers_are_counted_and_the_first_faults_shown(status: int, faults: int) -> None:
    with serve(status) as port:
        found = fuzz(port, {"Authorization": "Bearer lt_1"}, _APPLICATIONS, _CSV, 40)

    assert found.counts == {status: 40}
    assert found.faults == faults
    bodies = [body[:500] for _, _, body in make_bodies(_APPLICATIONS, _CSV, 40)]
    assert len(found.shown) == min(faults, 5)
    assert all(one[0] == status and one[1] in bodies and one[2] == b"no" for one in found.shown)


@contextmanager
def serve(status: int) -> Iterator[int]:
    """Answer everybody alike; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            allowed = self.headers["Authorization"] == "Bearer lt_1"
            self.send_response(status if allowed else 401)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"no")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
