"""Deliver what waits in the ledger: over Apprise (mail, chat, webhooks), Amazon SNS, or as Jira issues.

A channel's address is a secret: it comes from the environment, and no error repeats it.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Self

import apprise
import httpx
from sqlalchemy import Engine
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from loantap.alerting.ledger import DeliveryError, Kind, Message, claimed, note_delivered, note_failed
from loantap.surveillance.monitoring.checks import Severity

_PREFIX: Final = "LOANTAP_ALERT_"
_SAID: Final = {Kind.OPENED: "NEW", Kind.GOES_ON: "GOES ON", Kind.CLEARED: "CLEARED"}
_TYPES: Final = {
	Severity.INFO: apprise.NotifyType.INFO,
	Severity.WARNING: apprise.NotifyType.WARNING,
	Severity.CRITICAL: apprise.NotifyType.FAILURE,
}
# At once; then the ledger waits for minutes.
_ATTEMPTS: Final = 3
_OF_JIRA = ("LOANTAP_JIRA_URL", "LOANTAP_JIRA_USER", "LOANTAP_JIRA_TOKEN")
_JIRA_SECONDS = 20
_REMARKS = {Kind.OPENED: "Raised again", Kind.GOES_ON: "Goes on", Kind.CLEARED: "Cleared"}
# Sends messages of one channel together, or raises DeliveryError.
Send = Callable[[Sequence[Message]], None]


@dataclass(frozen=True, slots=True)
class Delivery:
	"""How many messages of a channel arrived, or why they did not."""

	channel: str
	n: int
	error: str = ""


def deliver(engine: Engine, now: Callable[[], datetime], *, pause: float = 1.0) -> list[Delivery]:
	"""Try each channel that has something due; what fails is due again later. One failure stops no other channel."""
	attempts = Retrying(
		stop=stop_after_attempt(_ATTEMPTS),
		wait=wait_exponential(multiplier=pause),
		retry=retry_if_exception_type(DeliveryError),
		reraise=True,
	)

	def send(channel: str, told: Sequence[Message]) -> Delivery:
		try:
			attempts(_find_channel(channel), told)
		except DeliveryError as error:
			note_failed(engine, told, str(error), now())
			return Delivery(channel, len(told), str(error))
		note_delivered(engine, told, now())
		return Delivery(channel, len(told))

	with claimed(engine, now()) as due:
		by_channel = groupby(sorted(due, key=lambda message: message.channel), key=lambda message: message.channel)
		return [send(channel, list(told)) for channel, told in by_channel]


def _find_channel(name: str) -> Send:
	"""What sends over a channel, by its address in `LOANTAP_ALERT_<NAME>`.

	`arn:aws:sns:...` is a topic, `jira:PROJECT` a project of the Jira that `LOANTAP_JIRA_URL`, `_USER` and `_TOKEN`
	name, anything else an Apprise URL (`mailto://...`, `slack://...`, `json://...`).
	"""
	variable = _PREFIX + name.upper()
	address = os.environ.get(variable, "")
	if not address:
		raise DeliveryError(f"{variable} is not set: give it the channel's address")
	kind, _, project = address.partition(":")
	if kind == "jira":
		return Jira.of(project).tell
	if kind == "arn":
		try:
			from loantap.storage.topics import publish
		except ImportError as error:
			raise DeliveryError(f"{variable} is a topic of Amazon SNS: install loantap[aws]") from error
		return lambda told: publish(address, _write_title(told), write_body(told))
	service = apprise.Apprise()
	if not service.add(address):
		raise DeliveryError(f"{variable} holds no address that Apprise understands")
	return lambda told: _notify(service, kind, told)


def _notify(service: apprise.Apprise, kind: str, told: Sequence[Message]) -> None:
	worst = max((message.finding.severity for message in told), key=list(Severity).index)
	try:
		has_arrived = service.notify(body=write_body(told), title=_write_title(told), notify_type=_TYPES[worst])
	except TypeError as error:
		raise DeliveryError(f"{kind}: it cannot be written as a message ({error})") from error
	if not has_arrived:
		raise DeliveryError(f"{kind}: the service did not take it")


def _write_title(told: Sequence[Message]) -> str:
	counts = {kind: sum(message.kind is kind for message in told) for kind in Kind}
	return "LoanTap monitoring: " + ", ".join(f"{n} {_SAID[kind].lower()}" for kind, n in counts.items() if n)


def write_body(told: Sequence[Message]) -> str:
	"""One line per message: what, how urgent, whose, and in words what was seen."""
	return "\n".join(map(_write_line, told))


def _write_line(message: Message) -> str:
	finding = message.finding
	about = f"{finding.rule}, {finding.subject} ({finding.owner})"
	return f"{_SAID[message.kind]} [{finding.severity}] {about}: {finding.words}"


class Jira:
	"""A project of Jira Cloud, over its REST API, version 3: one open issue per rule and subject.

	An issue is found by a label made of both, so that a second try after a lost answer finds the issue of the first.
	"""

	def __init__(self, client: httpx.Client, project: str) -> None:
		self._client, self._project = client, project

	@classmethod
	def of(cls, project: str) -> Self:
		"""The project of the Jira that the environment names; DeliveryError where a variable is not set."""
		for name in _OF_JIRA:
			if not os.environ.get(name):
				raise DeliveryError(f"{name} is not set")
		url, user, token = (os.environ[name] for name in _OF_JIRA)
		try:
			client = httpx.Client(base_url=url, auth=(user, token), timeout=_JIRA_SECONDS)
		except httpx.InvalidURL as error:
			raise DeliveryError(f"{_OF_JIRA[0]} is no address: {error}") from error
		return cls(client, project)

	def tell(self, told: Sequence[Message]) -> None:
		"""Open an issue for what is new, and comment on one that is there; raises DeliveryError at the first failure."""
		for message in told:
			self._tell(message)

	def _tell(self, message: Message) -> None:
		finding, label = message.finding, _make_label(message)
		description = _write_document(f"{finding.words} Seen on {message.made_on}. Owner: {finding.owner}.")
		remark = _write_document(f"{_REMARKS[message.kind]} on {message.made_on}: {finding.words}")
		issue = self._find_open(label)
		if issue is not None:
			# An answer may be lost, or a later message fail: what was said already is not said twice.
			if issue["fields"].get("description") != description and not self._has_comment(issue["key"], remark):
				self._ask("POST", f"/rest/api/3/issue/{issue['key']}/comment", {"body": remark})
		elif message.kind is not Kind.CLEARED:
			fields = {
				"project": {"key": self._project},
				"issuetype": {"name": "Task"},
				"summary": f"[{finding.severity}] {finding.rule}: {finding.subject}",
				"description": description,
				"labels": ["loantap-monitoring", label],
			}
			self._ask("POST", "/rest/api/3/issue", {"fields": fields})

	def _find_open(self, label: str) -> dict[str, Any] | None:
		jql = f'project = "{self._project}" AND labels = "{label}" AND statusCategory != Done ORDER BY created'
		found = self._ask("POST", "/rest/api/3/search/jql", {"jql": jql, "fields": ["description"], "maxResults": 1})
		return next(iter(found.get("issues") or []), None)

	def _has_comment(self, key: str, remark: Mapping[str, Any]) -> bool:
		found = self._ask("GET", f"/rest/api/3/issue/{key}/comment?orderBy=-created&maxResults=20")
		return any(comment.get("body") == remark for comment in found.get("comments") or [])

	def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
		try:
			answer = self._client.request(method, path, json=content)
			answer.raise_for_status()
			told: dict[str, Any] = answer.json()
		except httpx.HTTPStatusError as error:
			raise DeliveryError(f"Jira answered {error.response.status_code} to {method} {path}") from error
		except (httpx.HTTPError, ValueError) as error:
			raise DeliveryError(f"Jira could not be asked: {type(error).__name__} at {method} {path}") from error
		return told


def _make_label(message: Message) -> str:
	named = f"{message.finding.rule}\n{message.finding.subject}"
	# Labels take no spaces.
	return f"loantap-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def _write_document(text: str) -> dict[str, Any]:
	"""A paragraph in Atlassian's document format."""
	paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
	return {"type": "doc", "version": 1, "content": [paragraph]}
