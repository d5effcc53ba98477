"""Verdict: what somebody has decided of one number by command (`callrouter block`, `callrouter allow`)."""

from datetime import datetime
from typing import Literal

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """It holds from the next call on. Of several on one number, the latest counts."""

    id: int
    kind: Literal["allow", "block"]
    number: str
    """E.164."""
    client: str | None
    """None: for all clients."""
    why: str
    who: str
    made_at: datetime
    until: datetime | None
    """None: until it is undone."""

    def holds(self, client: str, now: datetime) -> bool:
        """Whether it counts for a call to that client."""
        return self.client in (None, client) and (self.until is None or now < self.until)

    @property
    def name(self) -> str:
        """As in traces, and as the reason of a call's disposition."""
        return f"command {self.id}"
