"""Who listens on this machine, and who is connected: as Linux shows it, without asking anybody.

/proc/net/tcp and tcp6 (Documentation/networking/proc_net_tcp.rst): local address, state, and the user whose
socket it is. Addresses are in the machine's own byte order, 32 bits at a time.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED, _LISTEN = "01", "0A"


class Listener(NamedTuple):
    """A program that takes connections."""

    address: IPv4Address | IPv6Address
    user: int

    @property
    def is_open(self) -> bool:
        """Whether others than this machine can reach it, if nothing is between."""
        mapped = self.address.ipv4_mapped if isinstance(self.address, IPv6Address) else None
        return not (mapped or self.address).is_loopback


class Port(NamedTuple):
    """What happens at one port."""

    listeners: tuple[Listener, ...]
    connections: int


def port(number: int, texts: tuple[str, ...] | None = None) -> Port:
    """Who listens at a port, and how many connections it has taken that are open. OSError where that is not
    shown."""
    rows = [row for text in (_texts() if texts is None else texts) for row in _rows(text)]
    here = [row for row in rows if row[1] == number]
    listeners = [Listener(address, user) for address, _, state, user in here if state == _LISTEN]
    return Port(tuple(listeners), sum(state == _ESTABLISHED for _, _, state, _ in here))


def _texts() -> tuple[str, ...]:
    return tuple(table.read_text() for table in TABLES if table.exists() or table == TABLES[0])


def _rows(text: str) -> Iterator[tuple[IPv4Address | IPv6Address, int, str, int]]:
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7:
            address, _, at = fields[1].partition(":")
            yield _address(address), int(at, 16), fields[3], int(fields[7])


def _address(text: str) -> IPv4Address | IPv6Address:
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return ip_address(struct.pack(f"={len(words)}I", *words))
