"""A failed deployment in Jira: an issue is opened once, then commented on."""

import http.server
import json
import threading
import urllib.parse

import pytest

from tools.shipping.jira import report


class Jira:
    """The three calls of version 3 of the API, over what was opened."""

    def __init__(self):
        self.issues, self.comments, self.seen, self.refuse = [], [], [], None
        jira = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                jira._answer(self, None)

            def do_POST(self):
                jira._answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def _answer(self, request, body):
        address = urllib.parse.urlsplit(request.path)
        self.seen.append((request.headers["Authorization"], urllib.parse.parse_qs(address.query)))
        status, told = self.refuse or self._do(address.path.removeprefix("/rest/api/3/"), body)
        content = json.dumps(told).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _do(self, path, body):
        if path == "search/jql":
            label = self.seen[-1][1]["jql"][0].split('labels = "')[1].split('"')[0]
            issues = [one for one in self.issues if one["open"] and label in one["labels"]]
            return 200, {"issues": [{"key": one["key"]} for one in issues][:1]}
        if path == "issue":
            key = f"{body['fields']['project']['key']}-{len(self.issues) + 1}"
            self.issues.append(body["fields"] | {"key": key, "open": True})
            return 201, {"key": key}
        self.comments.append((path.split("/")[1], body["body"]))
        return 201, {}


@pytest.fixture
def jira(monkeypatch):
    served = Jira()
    thread = threading.Thread(target=served.server.serve_forever)
    thread.start()
    given = {"URL": f"{served.url}/", "USER": "me@example.com", "TOKEN": "hush", "PROJECT": "LOAN"}
    for name, value in given.items():
        monkeypatch.setenv(f"JIRA_{name}", value)
    monkeypatch.setenv("BITBUCKET_GIT_HTTP_ORIGIN", "https://bitbucket.org/loantap/underwriting")
    monkeypatch.setenv("BITBUCKET_BUILD_NUMBER", "41")
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def test_the_first_failure_opens_an_issue_and_those_after_it_comment(jira):
    said = [report("production", f"failure {number}") for number in (1, 2, 3)]
    assert said == [
        f"Opened {jira.url}/browse/LOAN-1",
        f"Commented on {jira.url}/browse/LOAN-1",
        f"Commented on {jira.url}/browse/LOAN-1",
    ]
    opened = json.dumps(jira.issues)
    assert "failure 1" in opened
    assert "underwriting/pipelines/results/41" in opened
    assert [key for key, _ in jira.comments] == ["LOAN-1", "LOAN-1"]
    assert "failure 3" in json.dumps(jira.comments[1])
    assert {authorization for authorization, _ in jira.seen} == {
        "Basic bWVAZXhhbXBsZS5jb206aHVzaA=="
    }


def test_another_environment_and_a_closed_issue_get_an_issue_of_their_own(jira):
    report("production", "one")
    assert report("staging", "two").endswith("LOAN-2")
    jira.issues[0]["open"] = False
    assert report("production", "three") == f"Opened {jira.url}/browse/LOAN-3"


def test_jiras_own_words_are_passed_on(jira):
    jira.refuse = (401, {"errorMessages": ["token revoked"]})
    said = report("production", "one")
    assert said.startswith("No Jira issue: Jira answered 401")
    assert "token revoked" in said
    assert "hush" not in said


def test_an_answer_that_is_none_of_jiras_is_named(jira):
    jira.refuse = (200, ["proxy"])
    assert report("production", "one").startswith("No Jira issue: ")


def test_jira_down_and_an_empty_variable_are_said_and_raise_nothing(jira, monkeypatch):
    monkeypatch.setenv("JIRA_URL", "http://127.0.0.1:1")
    assert report("production", "one").startswith("No Jira issue: ConnectError")
    monkeypatch.setenv("JIRA_TOKEN", " ")
    assert "JIRA_TOKEN is empty: set it in Bitbucket" in report("production", "one")
