"""What the connection to an MQTT broker is given."""

from pathlib import Path
from typing import NamedTuple


class Broker(NamedTuple):
    """A broker, and who we are there."""

    host: str
    port: int
    tls: bool
    ca_file: Path | None
    """Certificates that vouch for it; None: those of the system."""
    username: str
    """Empty: none."""
    password: str | None
    prefix: str
    """What all topics begin with."""
    router: str
    """Our name in topics."""
    commands: tuple[str, ...]
    """Kinds of commands that are obeyed."""
