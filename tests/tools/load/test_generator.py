import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, repeat

import pytest

from tools.load.generator import LOST, render_request, send


class _Handler(BaseHTTPRequestHandler):
	"""`/503/0` has that status, `/200/30` takes 30 milliseconds, `/0/0` ends the connection."""

	protocol_version = "HTTP/1.1"

	def do_POST(self):
		body = self.rfile.read(int(self.headers["Content-Length"]))
		status, wait = map(int, self.path.split("/")[1:])
		time.sleep(wait / 1000)
		self.close_connection = not status
		if status:
			self.send_response_only(status)
			self.send_header("Content-Length", str(len(body)))
			self.end_headers()
			self.wfile.write(body)


@pytest.fixture(scope="module")
def port():
	with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
		server.daemon_threads = True
		thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
		thread.start()
		yield server.server_address[1]
		server.shutdown()
		thread.join()


def request(status, wait=0, body=b"{}"):
	return render_request("POST", f"/{status}/{wait}", body=body)


def test_answers_are_counted_by_status_and_told_with_the_number_of_their_request(port):
	told = {}
	asked = [200, 503, LOST, 200, 429]
	requests = (request(what, body=f'"{n}"'.encode()) for n, what in enumerate(asked))

	load = send(port, requests, 60, 2, listen=lambda n, _, body: told.update({n: body}))

	assert load.counts == {200: 2, 503: 1, 429: 1, LOST: 1}
	assert load.errors == 3
	assert told == {0: b'"0"', 1: b'"1"', 2: b"", 3: b'"3"', 4: b'"4"'}


def test_an_open_loop_keeps_its_rate_and_requests_behind_a_halt_are_late(port):
	halting = cycle([request(200, wait=300)] + [request(200)] * 99)

	load = send(port, halting, 1, connections=1, rate=100)

	assert len(load.status) + load.unsent == pytest.approx(100, abs=30)
	# One in a hundred is slow, yet a third of all had to wait for it.
	assert load.take_quantile(0.7) > 50


def test_what_finds_no_connection_until_the_end_is_an_error(port):
	load = send(port, repeat(request(200, wait=200)), 0.5, connections=1, rate=100)

	assert load.unsent > 20
	assert load.errors == load.unsent
