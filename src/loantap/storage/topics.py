"""Messages to Amazon SNS."""

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from loantap.alerting.ledger import DeliveryError

# SNS refuses a longer subject.
_LONGEST_SUBJECT = 100


def publish(topic: str, subject: str, text: str) -> None:
	"""Publish to a topic by its ARN, as the task's role; DeliveryError where SNS does not take it."""
	try:
		region = topic.split(":")[3]
		client: Any = boto3.session.Session(region_name=region).client("sns")
		client.publish(TopicArn=topic, Subject=subject[:_LONGEST_SUBJECT], Message=text)
	except (BotoCoreError, ClientError, IndexError) as error:
		raise DeliveryError(f"SNS did not take it: {error}") from error
