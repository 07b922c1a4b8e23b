from dataclasses import dataclass, field
from datetime import UTC, datetime

from apiflask import APIFlask
from flask.testing import FlaskClient

from loantap.serving.api.answers import PROBLEM_JSON
from loantap.serving.api.first_start import prepare
from loantap.serving.api.office import Office
from loantap.serving.api.schemas import Problem
from loantap.serving.api.worker import make_app, make_office
from loantap.serving.audit.records import Caller
from loantap.serving.desk.desk import Loaded
from loantap.serving.desk.fields import make_example
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.settings import read_settings
from tests.conftest import PROJECT
from tests.serving.watched import write_watchlist

SCORE, BATCH, OFFERS = "/v1/applications/score", "/v1/applications/score-batch", "/v1/offers"
EVERYTHING = (Scope.SCORE, Scope.READ, Scope.DECIDE, Scope.HELP, Scope.ADMIN)
# Above the highest amount that is approved without a person.
LARGE = {"loan_amnt": 36_000, "installment": 1230.39, "annual_inc": 400_000}
_RATE = 1_000_000


@dataclass
class Api:
	app: APIFlask
	office: Office
	keys: Keys
	client: FlaskClient = field(init=False)
	key: str = field(init=False)

	def __post_init__(self):
		self.client = self.app.test_client()
		self.key = self.make_key("tests", EVERYTHING)

	def make_key(self, owner, scopes, rate=_RATE):
		return self.keys.create(owner, list(scopes), Caller("tests", owner, "r"), rate)[1]

	def ask(self, method, path, key=None, **more):
		headers = {"Authorization": f"Bearer {key or self.key}"} | more.pop("headers", {})
		return self.client.open(path, method=method, headers=headers, **more)

	def post(self, path, body=None, key=None, **more):
		more |= {} if body is None else {"json": body}
		return self.ask("POST", path, key, **more)

	def get(self, path, key=None, **more):
		return self.ask("GET", path, key, **more)

	def score(self, changes=None, **more):
		return self.post(SCORE, self.make_application(**changes or {}), **more)

	def decide(self, **changes):
		answer = self.score(changes)
		assert answer.status_code == 200, answer.text
		return dict(answer.json)

	def refer(self, **changes):
		made = self.decide(**(LARGE | changes))
		assert (made["decision"], made["case"]) == ("refer", "open")
		return str(made["id"])

	def watch_loans(self):
		write_watchlist(self.office.settings.reports)

	def decide_all(self, rows):
		return list(self.post(BATCH, {"applications": rows}).json["results"])

	def replay(self, decision):
		return dict(self.post(f"/v1/decisions/{decision['id']}/replay").json)

	def find(self, decision):
		return dict(self.get(f"/v1/decisions/{decision['id']}").json)

	def make_application(self, **changes):
		standing = self.office.desk.standing
		return make_example(standing.underwriter.needed) | changes


def make_api(folder, lending, application):
	settings = make_settings(folder)
	prepare(settings)
	office = make_office(settings)
	put_to_work(office.desk, lending, application)
	return Api(make_app(office), office, office.doors._keys)


def make_settings(folder, **changes):
	given = {
		"conf": PROJECT / "conf" / "base",
		"audit_url": f"sqlite:///{folder / 'audit.db'}",
		"recommendations": folder / "recommendations.json",
		"log_requests": False,
		"workers": 1,
	}
	return read_settings({}, folder, **(given | changes))


def put_to_work(desk, lending, application):
	"""As if the registry had named them champions."""
	for model, scorer in ((desk.lending, lending), (desk.offers, application)):
		model._loaded = None if scorer is None else Loaded(scorer, datetime.now(UTC))
		model._trouble = "" if scorer else "there is no champion. Train one with `kedro run`"
	desk.renew()


def expect(answer, status, kind):
	assert answer.status_code == status, answer.text
	assert answer.content_type == PROBLEM_JSON
	problem = Problem.model_validate(answer.json)
	assert problem.status == status
	assert problem.type == f"urn:loantap:problem:{kind}"
	assert problem.request_id == answer.headers["X-Request-ID"]
	assert "Traceback" not in answer.text
	return problem
