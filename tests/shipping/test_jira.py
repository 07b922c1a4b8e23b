import json
import urllib.parse

import pytest

from tests.support.local_server import serve
from tools.shipping.jira import report


class Jira:
	def __init__(self):
		self.issues, self.comments, self.keys, self.refuse = [], [], set(), None

	def answer(self, path, body, headers):
		self.keys.add(headers["Authorization"])
		status, told = self.refuse or self.do(urllib.parse.unquote_plus(path), body)
		return status, json.dumps(told)

	def do(self, path, body):
		call = path.removeprefix("/rest/api/3/")
		if call.startswith("search/jql?"):
			label = call.split('labels = "')[1].split('"')[0]
			issues = [one for one in self.issues if one["open"] and label in one["labels"]]
			return 200, {"issues": [{"key": one["key"]} for one in issues][:1]}
		sent = json.loads(body)
		if call == "issue":
			key = f"{sent['fields']['project']['key']}-{len(self.issues) + 1}"
			self.issues.append(sent["fields"] | {"key": key, "open": True})
			return 201, {"key": key}
		self.comments.append((call, sent["body"]))
		return 201, {}


@pytest.fixture
def jira(monkeypatch):
	served = Jira()
	with serve(served.answer) as port:
		served.url = f"http://127.0.0.1:{port}"
		given = {"JIRA_URL": f"{served.url}/", "JIRA_USER": "me", "JIRA_TOKEN": "hush"}
		given |= {"JIRA_PROJECT": "LOAN", "BITBUCKET_BUILD_NUMBER": "41"}
		given |= {"BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/loantap/underwriting"}
		for name, value in given.items():
			monkeypatch.setenv(name, value)
		yield served


def test_the_first_failure_opens_an_issue_and_those_after_it_comment(jira):
	said = [report("production", f"failure {number}") for number in (1, 2, 3)]
	issue = f"{jira.url}/browse/LOAN-1"
	assert said == [f"Opened {issue}", f"Commented on {issue}", f"Commented on {issue}"]
	opened = json.dumps(jira.issues)
	assert "failure 1" in opened
	assert "underwriting/pipelines/results/41" in opened
	assert [call for call, _ in jira.comments] == ["issue/LOAN-1/comment"] * 2
	assert "failure 3" in json.dumps(jira.comments[1])
	assert jira.keys == {"Basic bWU6aHVzaA=="}


def test_another_environment_and_a_closed_issue_get_an_issue_of_their_own(jira):
	report("production", "one")
	assert report("staging", "two").endswith("LOAN-2")
	jira.issues[0]["open"] = False
	assert report("production", "three") == f"Opened {jira.url}/browse/LOAN-3"


def test_jiras_own_words_are_passed_on_without_the_token(jira):
	jira.refuse = (401, {"errorMessages": ["token revoked"]})
	said = report("production", "one")
	assert said.startswith("No Jira issue: Jira answered 401")
	assert "token revoked" in said
	assert "hush" not in said


def test_jira_down_and_an_empty_variable_are_said_and_raise_nothing(jira, monkeypatch):
	monkeypatch.setenv("JIRA_URL", "http://127.0.0.1:1")
	assert report("production", "one").startswith("No Jira issue: ConnectError")
	monkeypatch.setenv("JIRA_TOKEN", " ")
	assert "JIRA_TOKEN is empty: set it in Bitbucket" in report("production", "one")
