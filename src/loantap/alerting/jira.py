"""Alerts as Jira issues: one open issue per rule and subject.

Jira Cloud's REST API, version 3. An issue is found by a label made of rule and subject, so that a second try after a
lost answer finds the issue of the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from loantap.alerting.errors import DeliveryError
from loantap.alerting.ledger import Kind, Message

_VARIABLES = ("LOANTAP_JIRA_URL", "LOANTAP_JIRA_USER", "LOANTAP_JIRA_TOKEN")
_SECONDS = 20
_REMARKS = {Kind.OPENED: "Raised again", Kind.GOES_ON: "Goes on", Kind.CLEARED: "Cleared"}


class Jira:
	"""One project."""

	def __init__(self, client: httpx.Client, project: str) -> None:
		self._client, self._project = client, project

	@classmethod
	def of(cls, environ: Mapping[str, str], project: str) -> Jira:
		"""The project of the Jira that the environment names; DeliveryError where a variable is not set."""
		for name in _VARIABLES:
			if not environ.get(name):
				raise DeliveryError(f"{name} is not set")
		url, user, token = (environ[name] for name in _VARIABLES)
		return cls(httpx.Client(base_url=url, auth=(user, token), timeout=_SECONDS), project)

	def tell(self, told: Sequence[Message]) -> None:
		"""Open an issue for what is new, and comment on one that is there; raises DeliveryError at the first failure."""
		for message in told:
			self._tell(message)

	def _tell(self, message: Message) -> None:
		label = make_label(message)
		key = self._find_open(label)
		if key is not None:
			text = f"{_REMARKS[message.kind]} on {message.made_on}: {message.finding.words}"
			# An answer may be lost: what was commented already is not said twice.
			if not self._has_comment(key, text):
				self._ask("POST", f"/rest/api/3/issue/{key}/comment", {"body": write_document(text)})
		elif message.kind is not Kind.CLEARED:
			self._open(message, label)

	def _open(self, message: Message, label: str) -> None:
		finding = message.finding
		fields = {
			"project": {"key": self._project},
			"issuetype": {"name": "Task"},
			"summary": f"[{finding.severity}] {finding.rule}: {finding.subject}",
			"description": write_document(f"{finding.words} Seen on {message.made_on}. Owner: {finding.owner}."),
			"labels": ["loantap-monitoring", label],
		}
		self._ask("POST", "/rest/api/3/issue", {"fields": fields})

	def _find_open(self, label: str) -> str | None:
		jql = f'project = "{self._project}" AND labels = "{label}" AND statusCategory != Done ORDER BY created'
		found = self._ask("POST", "/rest/api/3/search/jql", {"jql": jql, "fields": ["key"], "maxResults": 1})
		issues = found.get("issues") or []
		return str(issues[0]["key"]) if issues else None

	def _has_comment(self, key: str, text: str) -> bool:
		found = self._ask("GET", f"/rest/api/3/issue/{key}/comment?orderBy=-created&maxResults=20")
		return any(comment.get("body") == write_document(text) for comment in found.get("comments") or [])

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


def make_label(message: Message) -> str:
	"""The label of all issues of one rule and subject; labels take no spaces."""
	named = f"{message.finding.rule}\n{message.finding.subject}"
	return f"loantap-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def write_document(text: str) -> dict[str, Any]:
	"""A paragraph in Atlassian's document format."""
	paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
	return {"type": "doc", "version": 1, "content": [paragraph]}
