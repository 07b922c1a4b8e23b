"""HTTP/1.1 over a kept-alive socket, with little work for each request."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END: Final = b"\r\n\r\n"
_RECEIVED_AT_ONCE: Final = 1 << 18


class BrokenAnswerError(Exception):
    """What came back is no HTTP answer with a length."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: the status of HTTP and the body."""

    status: int
    body: bytes


def render_request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """The bytes of a request, made once and sent often."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_answer(received: bytes | bytearray) -> Answer | None:
    """The answer that `received` holds; None while it is not complete.

    Raises:
        BrokenAnswerError: it is none, or does not say how long it is.
    """
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    head = bytes(received[: end + 2])
    length = _LENGTH.search(head)
    if length is None or not head.startswith(b"HTTP/1.1 "):
        raise BrokenAnswerError(f"not an answer with a length: {head[:200]!r}")
    start = end + len(_HEAD_END)
    if len(received) - start < int(length[1]):
        return None
    return Answer(int(head[9:12]), bytes(received[start:]))


def ask(port: int, request: bytes, seconds: float = 60.0) -> Answer:
    """Send one request on a connection of its own, and wait for the answer.

    Raises:
        OSError: nobody listens, the connection ended, or nothing came for so many seconds.
    """
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        connection.sendall(request)
        received = bytearray()
        while (answer := read_answer(received)) is None:
            part = connection.recv(_RECEIVED_AT_ONCE)
            if not part:
                raise ConnectionResetError("the connection ended before the answer did")
            received += part
    return answer
