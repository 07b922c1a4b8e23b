"""Free ports on the loopback interface."""

import secrets
import socket
from contextlib import suppress

# Below those that the system hands out (32,768 on Linux). One of these may be taken, by a server
# that asks for any port or by a client that happens to connect to itself, while its server is down.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on, and that nobody is given who asks for any."""
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port
