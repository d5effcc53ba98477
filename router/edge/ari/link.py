"""What the connection is given, what it tells, and what it counts."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from router.edge.ari import models


class AriSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Asterisk is, and how long things may take (seconds). `url` is http://HOST:PORT/ari."""

    url: str
    username: str
    password: str
    app: str
    reply_limit: float = 2.0
    ping_every: float = 1.0
    silence_limit: float = 2.5
    stuck_limit: float = 10.0
    connect_limit: float = 5.0
    http_limit: float = 10.0
    steady_after: float = 5.0  # a connection this old starts the back-off anew
    unanswered_limit: int = 5000
    held_limit: int = 20_000

    def __repr__(self) -> str:
        return f"AriSettings(url={self.url!r}, username={self.username!r}, app={self.app!r})"


class Link(Protocol):
    """What the engine gives to the connection. Called from the reader; must return at once.

    Every `on_up` is followed by one `on_down` or one `on_replaced`; `on_replaced` may come without `on_up`.
    """

    def on_up(self, info: models.AsteriskInfo) -> None:
        """Connected, subscribed and filtered; requests may be sent, from within this call too."""

    def on_event(self, event: models.Event) -> None: ...

    def on_down(self, reason: str) -> None:
        """The connection is gone and every request has had its reply."""

    def on_replaced(self) -> None:
        """Another router took our application's name; nothing more will be sent."""


@dataclass(slots=True)
class Counters:
    """Since start; read by the metrics."""

    reconnects: int = 0
    refusals: int = 0
    unknown_events: int = 0
    timeouts: int = 0
    late_replies: int = 0
    repeated_events: int = 0
    link_errors: int = 0
