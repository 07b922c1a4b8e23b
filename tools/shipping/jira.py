"""A Jira issue for an environment whose deployment failed: opened once, then commented on."""

import os
from typing import Any, Final

import httpx

from tools.shipping.aws import ShippingError, required

_SECONDS: Final = 10.0
_PLACE: Final = "Deployments > production"


def report(environment: str, message: str) -> str:
	"""Open an issue, or comment on this environment's open one; what was done, or why not.

	Nothing is raised, or a person would get Jira's fault instead of the deployment's.
	"""
	try:
		return _report(environment, message)
	except ShippingError as error:
		return f"No Jira issue: {error}"
	except httpx.HTTPStatusError as error:
		answer = error.response
		return f"No Jira issue: Jira answered {answer.status_code}: {answer.text[:300]}"
	except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
		return f"No Jira issue: {type(error).__name__}: {error}"


def _report(environment: str, message: str) -> str:
	label = f"failed-deploy-{environment}"
	project = required("JIRA_PROJECT")
	address = required("JIRA_URL").rstrip("/")
	person = (required("JIRA_USER", _PLACE), required("JIRA_TOKEN", _PLACE))
	with httpx.Client(base_url=f"{address}/rest/api/3/", auth=person, timeout=_SECONDS) as client:
		query = f'project = "{project}" AND labels = "{label}" AND statusCategory != Done'
		wanted: dict[str, str | int] = {"jql": f"{query} ORDER BY created", "maxResults": 1}
		found = _ask(client, "GET", "search/jql", params=wanted | {"fields": "key"})["issues"]
		text = _document([message, _pipeline()])
		if found:
			key = found[0]["key"]
			_ask(client, "POST", f"issue/{key}/comment", json={"body": text})
			return f"Commented on {address}/browse/{key}"
		fields = {
			"project": {"key": project},
			"issuetype": {"name": os.environ.get("JIRA_ISSUE_TYPE", "").strip() or "Bug"},
			"summary": f"LoanTap: a deployment to {environment} failed",
			"labels": [label],
			"description": text,
		}
		key = _ask(client, "POST", "issue", json={"fields": fields})["key"]
		return f"Opened {address}/browse/{key}"


def _ask(client: httpx.Client, method: str, path: str, **given: Any) -> dict[str, Any]:
	answer = client.request(method, path, **given).raise_for_status()
	return dict(answer.json())


def _pipeline() -> str:
	origin = os.environ.get("BITBUCKET_GIT_HTTP_ORIGIN", "").removesuffix(".git")
	build = os.environ.get("BITBUCKET_BUILD_NUMBER", "")
	return f"{origin}/pipelines/results/{build}" if build else "Not deployed by a pipeline."


def _document(paragraphs: list[str]) -> dict[str, Any]:
	"""Atlassian's document format, which version 3 of the API takes."""
	content = [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in paragraphs]
	return {"type": "doc", "version": 1, "content": content}
