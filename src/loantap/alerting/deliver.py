"""Deliver what waits in the ledger, channel by channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Engine
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from loantap.alerting.channels import Send
from loantap.alerting.errors import DeliveryError
from loantap.alerting.ledger import Message, claimed, note_delivered, note_failed

# At once; then the ledger waits for minutes.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Delivery:
	"""How many messages of a channel arrived, or why they did not."""

	channel: str
	n: int
	error: str = ""


def deliver(
	engine: Engine, find: Callable[[str], Send], now: Callable[[], datetime], *, pause: float = 1.0
) -> list[Delivery]:
	"""Try each channel that has something due; what fails is due again later. One failure stops no other channel."""
	with claimed(engine, now()) as due:
		by_channel = groupby(sorted(due, key=lambda message: message.channel), key=lambda message: message.channel)
		return [_send(engine, channel, list(told), find, now, pause) for channel, told in by_channel]


def _send(
	engine: Engine,
	channel: str,
	told: Sequence[Message],
	find: Callable[[str], Send],
	now: Callable[[], datetime],
	pause: float,
) -> Delivery:
	attempts = Retrying(
		stop=stop_after_attempt(_ATTEMPTS),
		wait=wait_exponential(multiplier=pause),
		retry=retry_if_exception_type(DeliveryError),
		reraise=True,
	)
	try:
		send = find(channel)
		attempts(send, told)
	except DeliveryError as error:
		note_failed(engine, told, str(error), now())
		return Delivery(channel, len(told), str(error))
	note_delivered(engine, told, now())
	return Delivery(channel, len(told))
