"""Bodies that make no sense, and what is counted of their answers."""

import json
from collections import Counter

import pytest

from tools.load import fuzzing
from tools.load.fuzzing import Fuzzed, make_bodies
from tools.load.generator import LOST

_APPLICATIONS = [json.dumps({"loan_amnt": n, "term": "36 months"}).encode() for n in (1, 2, 3)]
_CSV = b"loan_amnt,term\n1,36 months\n2,60 months\n"


def is_json(body):
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_the_same_bodies_each_time_for_every_door_and_none_as_it_was():
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


def test_what_has_a_5xx_or_no_answer_is_a_fault():
    assert Fuzzed(Counter({200: 5, 400: 3, 422: 2})).faults == 0
    assert Fuzzed(Counter({200: 5, 500: 3, 503: 2, LOST: 1})).faults == 6


@pytest.mark.parametrize(("status", "faults"), [(422, 0), (500, 40)])
def test_answers_are_counted_and_the_first_faults_shown(status, faults, monkeypatch):
    def send(_, requests, __, listen):
        for number, request in enumerate(requests):
            assert b"Authorization: Bearer lt_1\r\n" in request
            listen(number, status, b"no")

    monkeypatch.setattr(fuzzing, "send", send)
    found = fuzzing.fuzz(1, {"Authorization": "Bearer lt_1"}, _APPLICATIONS, _CSV, 40)

    assert found.counts == {status: 40}
    assert found.faults == faults
    bodies = [body[:500] for _, _, body in make_bodies(_APPLICATIONS, _CSV, 40)]
    assert found.shown == [(status, body, b"no") for body in bodies[: min(faults, 5)]]
