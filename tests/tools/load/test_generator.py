"""The load generator against a server of threads that does as the path of a request says."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, repeat

import pytest

from tools.load.exchange import BrokenAnswerError, ask, read_answer, render_request
from tools.load.generator import LOST, Sending, send


class _Handler(BaseHTTPRequestHandler):
    """`/503` has that status, `/wait/30` takes so many milliseconds, `/cut` ends the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, what, *number = self.path.split("/")
        if what == "cut":
            self.close_connection = True
            return
        if what == "wait":
            time.sleep(int(number[0]) / 1000)
        self.send_response(int(what) if what.isdecimal() else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # noqa: A002 - its name there
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture(scope="module")
def port():
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def request(what, body=b"{}"):
    return render_request("POST", f"/{what}", body=body)


def test_answers_are_counted_by_status(port):
    requests = iter([request("200")] * 5 + [request("503")] * 3 + [request("429")] * 2)

    load = send(port, requests, Sending(60, connections=3))

    assert load.counts == {200: 5, 429: 2, 503: 3}
    assert load.errors == 5
    assert load.seconds < 60


def test_an_answer_is_told_with_the_number_of_its_request(port):
    told = {}
    requests = (request("200", f'"{n}"'.encode()) for n in range(40))

    send(port, requests, Sending(5, connections=7), lambda n, _, body: told.update({n: body}))

    assert told == {n: f'"{n}"'.encode() for n in range(40)}


def test_a_connection_that_ends_without_an_answer_loses_its_request(port):
    load = send(port, iter([request("cut"), request("200"), request("cut")]), Sending(5, 1))

    assert load.counts == {LOST: 2, 200: 1}
    assert load.errors == 2


def test_an_open_loop_keeps_its_rate(port):
    load = send(port, repeat(request("200")), Sending(1, connections=20, rate=200))

    assert load.due == pytest.approx(200, abs=50)
    assert load.errors == 0
    assert len(load.status) == load.due


def test_in_an_open_loop_the_requests_behind_a_halt_are_late(port):
    halting = cycle([request("wait/300")] + [request("200")] * 99)

    load = send(port, halting, Sending(1, connections=1, rate=100))

    # One in a hundred is slow, yet a third of all had to wait for it.
    assert load.take_quantile(0.7) > 50


def test_what_finds_no_connection_until_the_end_is_an_error(port):
    load = send(port, repeat(request("wait/200")), Sending(0.5, connections=1, rate=100))

    assert load.unsent > 20
    assert load.errors == load.unsent
    assert load.unsent + len(load.status) == load.due


def test_nobody_listening_is_no_answer():
    load = send(1, repeat(request("200")), Sending(0.3, connections=4, rate=50))

    assert load.counts == {}
    assert load.unsent == load.due > 0


def test_one_request_is_asked_for_its_answer_however_long(port):
    large = b"x" * 3_000_000

    answer = ask(port, request("200", large))

    assert (answer.status, answer.body) == (200, large)
    with pytest.raises(ConnectionResetError, match="ended before"):
        ask(port, request("cut"))


def test_an_answer_is_read_when_all_of_it_is_there():
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"

    assert all(read_answer(whole[:n]) is None for n in range(len(whole)))
    answer = read_answer(whole)
    assert (answer.status, answer.body) == (200, b"body")
    with pytest.raises(BrokenAnswerError, match="length"):
        read_answer(b"HTTP/1.1 200 OK\r\n\r\nbody")
