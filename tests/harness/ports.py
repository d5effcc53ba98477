"""Ports of loopback for what tests start: none is taken by anybody else between the choice and the use.

All lie below those that Linux gives to clients (32768 to 60999), so that no outgoing connection takes one,
and below those of sandboxes with `--ports auto`. Each of up to eight processes of a parallel run has a share
of its own, and takes its ports in turn, so that one comes again only after hundreds of others.
"""

import itertools
import os
import random
import socket
from collections.abc import Iterator

SERVERS = range(2_000, 10_000)
MEDIA = range(10_000, 15_000, 4)
SHARES = 8


def _share(ports: range) -> Iterator[int]:
    """This process's part of these ports, over and over, from any of them on."""
    size = len(ports) // SHARES
    first = size * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES)
    share = ports[first : first + size]
    begin = random.randrange(size)
    return itertools.cycle((*share[begin:], *share[:begin]))


_servers, _media = _share(SERVERS), _share(MEDIA)


def is_free(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    """Whether nobody uses a port of loopback now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses now."""
    return next(port for port in _servers if is_free(port, kind))


def media_port() -> int:
    """A port for a SIPp's media. It also takes the one two above it, and ends where either is in use."""
    return next(port for port in _media if is_free(port) and is_free(port + 2))
