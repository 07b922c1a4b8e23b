"""An API in the tests' own process, over a small model and an audit log of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loantap.model.scoring.scorer import Scorer
from loantap.serving.api.answers import PROBLEM_JSON
from loantap.serving.api.first_start import prepare
from loantap.serving.api.office import Office
from loantap.serving.api.schemas import Problem
from loantap.serving.api.worker import make_app, make_office
from loantap.serving.audit.records import Caller
from loantap.serving.desk.desk import Desk, Loaded
from loantap.serving.desk.fields import make_example
from loantap.serving.keys.keys import Keys, Scope
from loantap.serving.settings import ServingSettings, read_settings
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

	def __post_init__(self) -> None:
		self.client = self.app.test_client()
		self.key = self.make_key("tests", EVERYTHING)

	def make_key(self, owner: str, scopes: Iterable[Scope], rate: int = _RATE) -> str:
		return self.keys.create(owner, list(scopes), Caller("tests", owner, "r"), rate)[1]

	def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> TestResponse:
		headers = {"Authorization": f"Bearer {key or self.key}"} | more.pop("headers", {})
		return self.client.open(path, method=method, headers=headers, **more)

	def post(self, path: str, body: Any = None, key: str | None = None, **more: Any) -> Any:
		more |= {} if body is None else {"json": body}
		return self.ask("POST", path, key, **more)

	def get(self, path: str, key: str | None = None, **more: Any) -> Any:
		return self.ask("GET", path, key, **more)

	def score(self, changes: Mapping[str, Any] | None = None, **more: Any) -> Any:
		return self.post(SCORE, self.make_application(**changes or {}), **more)

	def decide(self, **changes: Any) -> dict[str, Any]:
		answer = self.score(changes)
		assert answer.status_code == 200, answer.text
		return dict(answer.json)

	def refer(self, **changes: Any) -> str:
		made = self.decide(**(LARGE | changes))
		assert (made["decision"], made["case"]) == ("refer", "open")
		return str(made["id"])

	def watch_loans(self) -> None:
		write_watchlist(self.office.settings.reports)

	def decide_all(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
		return list(self.post(BATCH, {"applications": rows}).json["results"])

	def replay(self, decision: Mapping[str, Any]) -> dict[str, Any]:
		return dict(self.post(f"/v1/decisions/{decision['id']}/replay").json)

	def find(self, decision: Mapping[str, Any]) -> dict[str, Any]:
		return dict(self.get(f"/v1/decisions/{decision['id']}").json)

	def make_application(self, **changes: Any) -> dict[str, Any]:
		standing = self.office.desk.standing
		return make_example(standing.underwriter.needed) | changes


def make_api(folder: Path, lending: Scorer | None, application: Scorer | None) -> Api:
	"""An API whose models are given, without a registry and without threads."""
	settings = make_settings(folder)
	prepare(settings)
	office = make_office(settings)
	put_to_work(office.desk, lending, application)
	return Api(make_app(office), office, office.doors._keys)


def make_settings(folder: Path, **changes: Any) -> ServingSettings:
	given = {
		"conf": PROJECT / "conf" / "base",
		"audit_url": f"sqlite:///{folder / 'audit.db'}",
		"recommendations": folder / "recommendations.json",
		"log_requests": False,
		"workers": 1,
	}
	return read_settings({}, folder, **(given | changes))


def put_to_work(desk: Desk, lending: Scorer | None, application: Scorer | None) -> None:
	"""Let models decide as if the registry had named them champions."""
	for model, scorer in ((desk.lending, lending), (desk.offers, application)):
		model._loaded = None if scorer is None else Loaded(scorer, datetime.now(UTC))
		model._trouble = "" if scorer else "there is no champion. Train one with `kedro run`"
	desk.renew()


def expect(answer: TestResponse, status: int, kind: str) -> Problem:
	assert answer.status_code == status, answer.text
	assert answer.content_type == PROBLEM_JSON
	problem = Problem.model_validate(answer.json)
	assert problem.status == status
	assert problem.type == f"urn:loantap:problem:{kind}"
	assert problem.request_id == answer.headers["X-Request-ID"]
	assert "Traceback" not in answer.text
	return problem
