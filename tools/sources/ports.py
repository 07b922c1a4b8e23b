"""Free ports on the loopback interface."""

import secrets
import socket
from contextlib import suppress

# Below those that the system hands out (32,768 on Linux), of which any may be taken while its server is down.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
  """A free port on 127.0.0.1, which is never handed out to others."""
  while True:
    port = secrets.choice(_PORTS)
    with suppress(OSError), socket.socket() as listener:
      listener.bind(("127.0.0.1", port))
      return port
