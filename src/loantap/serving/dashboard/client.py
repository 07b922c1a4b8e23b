"""The API, asked over HTTP, and its answers where these are not as it describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loantap.serving.api.schemas import Event, FieldProblem, KeptDecision, Replay
from loantap.serving.api.service_schemas import ActivePolicy, Fields, Key, Model, Policies, Trial
from loantap.serving.cases.case import Cases
from loantap.serving.help.offer import HelpReport, WatchedLoan, WatchlistPage


class Decision(KeptDecision):
	"""A decision as the API gives it, whole or in a list."""

	person: str = ""
	caller: str = ""
	events: list[Event] = Field(default_factory=list)

	@property
	def by_person(self) -> Event | None:
		"""What a person decided on it since, if one did."""
		return next((one for one in reversed(self.events) if one.kind == "case_decided"), None)


class DecisionPage(BaseModel):
	"""Some decisions, newest first, and where the next ones begin."""

	model_config = ConfigDict(frozen=True)

	items: list[Decision]
	next: str | None


class BatchAnswer(BaseModel):
	"""Decisions on a batch: counts, and one result per row."""

	model_config = ConfigDict(frozen=True)

	n: int
	counts: dict[str, int]
	results: list[dict[str, Any]]


# Seconds; a batch of thousands of rows takes some.
_TIMEOUT: Final = httpx.Timeout(60, connect=3)

AnswerT = TypeVar("AnswerT", bound=BaseModel)


@dataclass(slots=True)
class ApiError(Exception):
	"""The API did not do what it was asked; `status` 0: it did not answer.

	`kind`, such as `four-eyes`, is "" where the API does not say; `retry_after` is in seconds.
	"""

	status: int
	title: str
	detail: str = ""
	fields: tuple[FieldProblem, ...] = field(default=())
	retry_after: int | None = None
	kind: str = ""

	def __str__(self) -> str:
		return self.detail or self.title


def open_http(api_url: str) -> httpx.Client:
	"""Connections to the API, kept open; sessions may share them."""
	return httpx.Client(base_url=api_url, timeout=_TIMEOUT, headers={"Accept": "application/json"})


@dataclass(frozen=True, slots=True)
class Api:
	"""The API on behalf of a person ("" for the key's owner); every method raises `ApiError`."""

	http: httpx.Client
	key: str
	person: str = ""

	def read_schema(self) -> Fields:
		"""The fields of an application."""
		return self._get("/v1/schema/application", Fields)

	def who_asks(self) -> Key:
		"""The key's owner and scopes."""
		return self._get("/v1/key", Key)

	def score(self, application: Mapping[str, Any], idempotency_key: str) -> Decision:
		"""A decision on one application, with offers; it is recorded."""
		return self._post(
			"/v1/applications/score",
			Decision,
			json=dict(application),
			params={"offers": "true"},
			headers={"Idempotency-Key": idempotency_key},
		)

	def score_csv(self, rows: str, idempotency_key: str) -> BatchAnswer:
		"""Decisions on the rows of a CSV text with a header."""
		return self._post(
			"/v1/applications/score-batch",
			BatchAnswer,
			content=rows.encode(),
			headers={"Content-Type": "text/csv", "Idempotency-Key": idempotency_key},
		)

	def find_decision(self, decision_id: str) -> Decision:
		"""One decision, with its input and what happened to it since."""
		return self._get(f"/v1/decisions/{_quote(decision_id)}", Decision)

	def search_decisions(self, **wanted: str | int | None) -> DecisionPage:
		"""Matching decisions, newest first."""
		return self._get("/v1/decisions", DecisionPage, wanted)

	def replay(self, decision_id: str) -> Replay:
		"""Decide again on the stored input, with the model and policy of then."""
		return self._post(f"/v1/decisions/{_quote(decision_id)}/replay", Replay, json={})

	def list_cases(self, **wanted: str | int | None) -> Cases:
		"""Referred cases in a state and an order."""
		return self._get("/v1/cases", Cases, wanted)

	def follow_case(self, decision_id: str, step: str, **said: str) -> None:
		"""Take, give back or decide a case."""
		self._ask("POST", f"/v1/cases/{_quote(decision_id)}/{step}", json=said)

	def list_watched(self, **wanted: str | int | None) -> WatchlistPage:
		"""Loans of the watch-list, by rank."""
		return self._get("/v1/watchlist", WatchlistPage, wanted)

	def find_watched(self, loan_id: str) -> WatchedLoan:
		"""One loan of the watch-list, with the help so far."""
		return self._get(f"/v1/watchlist/{_quote(loan_id)}", WatchedLoan)

	def offer_help(self, loan_id: str, said: Mapping[str, Any]) -> None:
		"""Record what was offered."""
		self._ask("POST", f"/v1/watchlist/{_quote(loan_id)}/help", json=dict(said))

	def follow_help(self, offer_id: str, step: str, said: str) -> None:
		"""Record the `answer` or the `outcome` of an offer."""
		self._ask("POST", f"/v1/help/{_quote(offer_id)}/{step}", json={step: said})

	def report_help(self) -> HelpReport:
		"""What works."""
		return self._get("/v1/help/report", HelpReport)

	def read_model(self) -> Model:
		"""The model that decides."""
		return self._get("/v1/model", Model)

	def read_policy(self) -> ActivePolicy:
		"""The policy in force."""
		return self._get("/v1/policy", ActivePolicy)

	def list_policies(self) -> Policies:
		"""Proposals, the policy in force, and those of the past."""
		return self._get("/v1/policies", Policies)

	def propose_policy(self, policy: Mapping[str, Any], economics: Mapping[str, Any]) -> None:
		"""Propose a policy, for another person to activate."""
		self._ask("POST", "/v1/policies", json={"policy": dict(policy), "economics": dict(economics)})

	def try_policy(self, policy_id: str) -> Trial:
		"""What a policy would have done to the last month's decisions."""
		return self._post(f"/v1/policies/{_quote(policy_id)}/try", Trial, json={})

	def activate_policy(self, policy_id: str) -> None:
		"""Let a policy that another person proposed decide from now on."""
		self._ask("POST", f"/v1/policies/{_quote(policy_id)}/activate", json={})

	def roll_policy_back(self, leaving: str) -> None:
		"""Put the policy before this one in force again."""
		self._ask("POST", "/v1/policies/rollback", json={}, params={"from": leaving})

	def _get(self, path: str, kind: type[AnswerT], wanted: Mapping[str, str | int | None] | None = None) -> AnswerT:
		given = {name: value for name, value in (wanted or {}).items() if value not in {None, ""}}
		return _read(self._ask("GET", path, params=given), kind)

	def _post(self, path: str, kind: type[AnswerT], **options: Any) -> AnswerT:
		return _read(self._ask("POST", path, **options), kind)

	def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
		headers = dict(options.pop("headers", {}))
		if self.key:
			headers["Authorization"] = f"Bearer {self.key}"
		if self.person:
			headers["LoanTap-Person"] = self.person
		try:
			answer = self.http.request(method, path, headers=headers, **options)
		except httpx.TimeoutException as error:
			raise ApiError(0, "The API does not answer in time", str(error)) from error
		except httpx.TransportError as error:
			raise ApiError(0, "The API is not running", str(error)) from error
		if answer.is_error:
			raise _read_problem(answer)
		return answer


def _read(answer: httpx.Response, kind: type[AnswerT]) -> AnswerT:
	try:
		# A newer API may say more.
		return kind.model_validate_json(answer.content, extra="ignore")
	except ValidationError as error:
		raise ApiError(
			answer.status_code,
			"The API answers in a form that this dashboard does not know",
			f"{answer.request.url.path}: {error.error_count()} fields differ. Run API and dashboard of the same version",
		) from error


def _read_problem(answer: httpx.Response) -> ApiError:
	try:
		told = answer.json()
	except ValueError:
		told = {}
	problem = told if isinstance(told, dict) else {}
	return ApiError(
		status=answer.status_code,
		title=str(problem.get("title") or f"The API answers {answer.status_code}"),
		detail=str(problem.get("detail") or ""),
		fields=tuple(_read_fields(problem.get("errors"))),
		retry_after=_read_seconds(answer.headers.get("Retry-After")),
		kind=str(problem.get("type") or "").rpartition(":")[2],
	)


def _read_fields(errors: object) -> Sequence[FieldProblem]:
	if not isinstance(errors, list):
		return []
	return [
		FieldProblem(**{name: str(one.get(name) or "") for name in FieldProblem.model_fields})
		for one in errors
		if isinstance(one, dict)
	]


def _read_seconds(text: str | None) -> int | None:
	return int(text) if text is not None and text.isdigit() else None


def _quote(text: str) -> str:
	"""Typed text cannot lead to another path."""
	return quote(text.strip(), safe="")
