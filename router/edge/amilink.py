"""What the connection to AMI is given. Commands read it in the settings, and need no connection for that."""

from typing import NamedTuple


class AmiSettings(NamedTuple):
    """Where AMI is, and who asks."""

    host: str
    port: int
    user: str
    secret: str
    events: str
    """The classes of events wanted, as in manager.conf."""
