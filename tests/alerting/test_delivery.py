import json
import sys

import boto3
import pytest
from aiosmtpd.controller import Controller

from loantap.alerting.delivery import deliver
from tests.alerting.conftest import NOW, make_finding
from tests.support.local_server import serve
from tests.support.stand_in_aws import aws_variables, serve_aws
from tools.sources.processes import free_port


class Inbox:
	"""A mail server that refuses so many messages first."""

	def __init__(self, refusals):
		self.refusals, self.messages = refusals, []

	async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (its name for aiosmtpd)
		if self.refusals:
			self.refusals -= 1
			return "451 try later"
		self.messages.append(envelope.content.decode())
		return "250 OK"


class FakeJira:
	"""What of Jira Cloud's REST API alerts use, with answers that fail first."""

	def __init__(self):
		self.issues, self.comments, self.failures = {}, {}, 0
		self.lost = 0  # answers after the next issue has been opened

	def answer(self, path, sent, headers):
		assert headers["Authorization"].startswith("Basic ")
		if self.failures:
			self.failures -= 1
			return 500, ""
		content = json.loads(sent or b"{}")
		if path.endswith("/search/jql"):
			found = [
				{"key": key, "fields": fields} for key, fields in self.issues.items() if fields["labels"][1] in content["jql"]
			]
			return 200, json.dumps({"issues": found})
		if path.endswith("/issue"):
			key = f"{content['fields']['project']['key']}-{len(self.issues) + 1}"
			self.issues[key], self.comments[key] = content["fields"], []
			self.failures, self.lost = self.lost, 0
			return (500, "") if self.failures else (201, json.dumps({"key": key}))
		comments = self.comments[path.split("/")[5]]
		if sent:
			comments.append({"body": content["body"]})
		return 200, json.dumps({"comments": comments})


@pytest.fixture
def jira(monkeypatch):
	fake = FakeJira()
	with serve(fake.answer) as port:
		address = {"URL": f"http://127.0.0.1:{port}", "USER": "monitor@example.com", "TOKEN": "made-up"}
		for name, value in address.items():
			monkeypatch.setenv(f"LOANTAP_JIRA_{name}", value)
		monkeypatch.setenv("LOANTAP_ALERT_JIRA", "jira:RISK")
		yield fake


def send(ledger, now=NOW):
	return deliver(ledger.engine, lambda: now, pause=0)


def test_a_mail_arrives_after_the_server_refused_it_twice(ledger, monkeypatch):
	inbox, port = Inbox(refusals=2), free_port()
	server = Controller(inbox, hostname="127.0.0.1", port=port)
	server.start()
	monkeypatch.setenv("LOANTAP_ALERT_RISK", f"mailto://127.0.0.1:{port}?from=loantap@example.com&to=risk@example.com")
	ledger.take(make_finding(), make_finding("annual_income"))
	try:
		[told] = send(ledger)
	finally:
		server.stop()

	assert (told.n, told.error) == (2, "")
	[mail] = inbox.messages  # One for all that is new: no storm.
	assert "LoanTap monitoring: 2 new" in mail
	assert "To: risk@example.com" in mail
	assert ledger.waiting == []


def test_a_webhook_gets_what_was_seen_whose_it_is_and_how_urgent(ledger, monkeypatch):
	got = []
	with serve(lambda _path, sent, _headers: (got.append(json.loads(sent)), (200, ""))[1]) as port:
		monkeypatch.setenv("LOANTAP_ALERT_RISK", f"json://127.0.0.1:{port}/hook")
		ledger.take(make_finding())
		send(ledger)

	assert got[0]["title"] == "LoanTap monitoring: 1 new"
	words = "the DTI moved up by 0.5 standard deviations"
	assert got[0]["message"] == f"NEW [warning] applicants_moved, dti_pct (data science): {words}"
	assert got[0]["type"] == "warning"


def test_what_no_server_takes_is_kept_and_arrives_when_it_is_up(ledger, monkeypatch):
	with serve(lambda *_: (500, "")) as port:
		monkeypatch.setenv("LOANTAP_ALERT_RISK", f"json://127.0.0.1:{port}/secret-token")
		ledger.take(make_finding())
		[told] = send(ledger)

	assert told.error == "json: the service did not take it"
	[(message, error)] = ledger.waiting
	assert (message.attempts, error) == (1, told.error)
	assert send(ledger) == []
	with serve(lambda *_: (200, "")) as port:
		monkeypatch.setenv("LOANTAP_ALERT_RISK", f"json://127.0.0.1:{port}/secret-token")
		[told] = send(ledger, NOW.replace(hour=14))
	assert (told.error, ledger.waiting) == ("", [])


def test_one_channel_that_fails_stops_no_other_and_its_address_is_not_repeated(ledger, jira, monkeypatch):
	monkeypatch.delenv("LOANTAP_ALERT_AWAY", raising=False)
	monkeypatch.setenv("LOANTAP_JIRA_URL", "http://jira:port")
	monkeypatch.setenv("LOANTAP_ALERT_SNS", "arn:aws:sns:eu-west-1:123456789012:alerts")
	monkeypatch.setenv("LOANTAP_ALERT_ODD", "no-such-thing://secret")
	monkeypatch.setitem(sys.modules, "loantap.storage.topics", None)  # As without the extra.
	with serve(lambda *_: (200, "")) as port:
		monkeypatch.setenv("LOANTAP_ALERT_TEAM", f"json://127.0.0.1:{port}")
		ledger.take(make_finding(channels=("away", "jira", "odd", "sns", "team")))
		told = {each.channel: each.error for each in send(ledger)}

	assert told == {
		"away": "LOANTAP_ALERT_AWAY is not set: give it the channel's address",
		"jira": "LOANTAP_JIRA_URL is no address: Invalid port: 'port'",
		"odd": "LOANTAP_ALERT_ODD holds no address that Apprise understands",
		"sns": "LOANTAP_ALERT_SNS is a topic of Amazon SNS: install loantap[aws]",
		"team": "",
	}


def test_a_topic_of_sns_gets_the_message(ledger, monkeypatch):
	with serve_aws() as address:
		for name, value in aws_variables(address).items():
			monkeypatch.setenv(name, value)
		sns, sqs = (boto3.client(name, region_name="eu-west-1") for name in ("sns", "sqs"))
		topic = sns.create_topic(Name="alerts")["TopicArn"]
		queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
		arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
		sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
		monkeypatch.setenv("LOANTAP_ALERT_RISK", topic)
		ledger.take(make_finding())
		[told] = send(ledger)
		[received] = sqs.receive_message(QueueUrl=queue)["Messages"]
		monkeypatch.setenv("LOANTAP_ALERT_RISK", f"{topic}-gone")
		ledger.take(make_finding("annual_income"), make_finding(), later=1)
		[lost] = send(ledger)

	assert told.error == ""
	body = json.loads(received["Body"])
	assert body["Subject"] == "LoanTap monitoring: 1 new"
	assert "dti_pct" in body["Message"]
	assert lost.error.startswith("SNS did not take it")
	assert len(ledger.waiting) == 1


def test_one_jira_issue_is_opened_then_commented_then_told_cleared(ledger, jira):
	dti = make_finding(channels=("jira",), silence_days=1)
	for day, findings in enumerate([[dti], [dti], []]):
		ledger.take(*findings, later=day)
		send(ledger)

	[fields] = jira.issues.values()
	assert fields["summary"] == "[warning] applicants_moved: dti_pct"
	said = [
		comment["body"]["content"][0]["content"][0]["text"].split(" on 2026")[0] for comment in jira.comments["RISK-1"]
	]
	assert said == ["Goes on", "Cleared"]


@pytest.mark.parametrize(
	("failing", "error"),
	[
		({"failures": 3}, "Jira answered 500 to POST /rest/api/3/search/jql"),
		({"lost": 3}, "Jira answered 500 to POST /rest/api/3/search/jql"),
		({"lost": 1}, ""),
	],
)
def test_a_jira_that_fails_or_whose_answers_are_lost_has_each_issue_once_and_without_comment(
	ledger, jira, failing, error
):
	vars(jira).update(failing)
	ledger.take(*(make_finding(subject, channels=("jira",)) for subject in ("dti_pct", "annual_income")))

	[told] = send(ledger)

	assert told.error == error
	send(ledger, NOW.replace(hour=13))
	assert len(jira.issues) == 2
	assert not any(jira.comments.values())
	assert ledger.waiting == []
