"""How messages reach people: over Apprise (mail, chat, webhooks), Amazon SNS, or as Jira issues.

A channel's address is a secret: it comes from the environment, and no error repeats it.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import apprise

from loantap.alerting.errors import DeliveryError
from loantap.alerting.jira import Jira
from loantap.alerting.ledger import Kind, Message
from loantap.surveillance.monitoring.alerts import Severity

PREFIX: Final = "LOANTAP_ALERT_"
_SAID: Final = {Kind.OPENED: "NEW", Kind.GOES_ON: "GOES ON", Kind.CLEARED: "CLEARED"}
_TYPES: Final = {
	Severity.INFO: apprise.NotifyType.INFO,
	Severity.WARNING: apprise.NotifyType.WARNING,
	Severity.CRITICAL: apprise.NotifyType.FAILURE,
}
# Sends messages of one channel together, or raises DeliveryError.
Send = Callable[[Sequence[Message]], None]


def find_channel(name: str, environ: Mapping[str, str] = os.environ) -> Send:
	"""What sends over a channel, by its address in `LOANTAP_ALERT_<NAME>`.

	`arn:aws:sns:...` is a topic, `jira:PROJECT` a project of the Jira that `LOANTAP_JIRA_URL`, `_USER` and `_TOKEN`
	name, anything else an Apprise URL (`mailto://...`, `slack://...`, `json://...`).

	Raises:
		DeliveryError: the variable is not set, or its address is not understood.
	"""
	variable = PREFIX + name.upper()
	address = environ.get(variable, "")
	if not address:
		raise DeliveryError(f"{variable} is not set: give it the channel's address")
	kind, _, project = address.partition(":")
	if kind == "jira":
		return Jira.of(environ, project).tell
	if address.startswith("arn:"):
		# boto3 is installed where something runs on AWS.
		from loantap.storage.topics import publish

		return lambda told: publish(address, write_title(told), write_body(told))
	service = apprise.Apprise()
	if not service.add(address):
		raise DeliveryError(f"{variable} holds no address that Apprise understands")
	return lambda told: _notify(service, kind, told)


def _notify(service: apprise.Apprise, kind: str, told: Sequence[Message]) -> None:
	worst = max((message.finding.severity for message in told), key=list(Severity).index)
	try:
		has_arrived = service.notify(body=write_body(told), title=write_title(told), notify_type=_TYPES[worst])
	except TypeError as error:
		raise DeliveryError(f"{kind}: it cannot be written as a message ({error})") from error
	if not has_arrived:
		raise DeliveryError(f"{kind}: the service did not take it; the log has what it said")


def write_title(told: Sequence[Message]) -> str:
	"""One line: how many alerts are new, go on, and have cleared."""
	counts = {kind: sum(message.kind is kind for message in told) for kind in Kind}
	return "LoanTap monitoring: " + ", ".join(f"{n} {_SAID[kind].lower()}" for kind, n in counts.items() if n)


def write_body(told: Sequence[Message]) -> str:
	"""One line per message: what, how urgent, whose, and in words what was seen."""
	return "\n".join(map(_write_line, told))


def _write_line(message: Message) -> str:
	finding = message.finding
	about = f"{finding.rule}, {finding.subject} ({finding.owner})"
	return f"{_SAID[message.kind]} [{finding.severity}] {about}: {finding.words}"
