import json
import re
from collections import defaultdict
from itertools import count, islice

import pytest

from tools.load import server as served
from tools.load.generator import LOST, Answer, render_request
from tools.load.server import FAULTS, kill_under_load

SENT, ANSWERED = 150, 130


class StandIn:
	"""A decision service with a log, honest or with a fault.

	One that forgets has lost its log when it starts again; one that doubles decides anew under a key that it knows.
	"""

	port = 1

	def __init__(self, fault):
		self.log = defaultdict(list)
		self._fault = fault
		self._ids = count()

	def kill(self):
		pass

	def start(self):
		if self._fault == "forgets":
			self.log.clear()

	def read_log(self, _):
		return self.log

	def ask(self, _, request):
		if self._fault == "refuses":
			return Answer(503, b"{}")
		found = re.search(rb"Idempotency-Key: (\S+)", request)
		kept = self.log[found[1].decode()]
		if not kept or self._fault == "doubles":
			kept.append(f"dec_{next(self._ids)}")
		return Answer(200, json.dumps({"id": kept[-1]}).encode())

	def send(self, port, requests, _, *, listen, until):
		"""The last requests are decided, and killed before they are answered."""
		for number, request in enumerate(islice(requests, SENT)):
			answer = self.ask(port, request)
			listen(number, answer.status if number < ANSWERED else LOST, answer.body)


@pytest.mark.parametrize(
	("fault", "found"),
	[
		("", {"kept": 20}),
		("forgets", {"missing": ANSWERED, "changed": 100}),
		("doubles", {"kept": 20, "changed": 100, "twice": 120}),
		("refuses", {"answered": 0, "refused": SENT}),
	],
)
def test_what_is_not_as_it_must_be_is_counted(fault, found, monkeypatch):
	server = StandIn(fault)
	monkeypatch.setattr(served, "send", server.send)
	monkeypatch.setattr(served, "ask", server.ask)
	requests = [render_request("POST", "/", {}, b"{}")]

	killed = kill_under_load(server, requests, "run", 1.0)

	# Of what was answered, up to a hundred are sent again.
	honest = {"answered": ANSWERED, "lost": 20, "kept": 0} | dict.fromkeys(FAULTS, 0)
	assert killed == honest | found
