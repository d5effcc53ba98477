"""Numbers that nobody is to call: entered by follow-ups or by command, for a time, with who and why."""

from collections.abc import Iterable
from datetime import datetime

import msgspec


class DoNotContact(msgspec.Struct, frozen=True):
    """One entry. Several may be on one number; each counts by itself."""

    id: int
    number: str
    """E.164."""
    client: str | None
    """None: for all clients."""
    until: datetime | None
    """None: until it is removed."""
    who: str
    """A user of the machine; `rules` where a follow-up did."""
    why: str
    made_at: datetime
    call_id: str | None = None
    """After which call, if it was after one."""

    def holds(self, client: str | None, now: datetime) -> bool:
        """Whether nobody at that client (None: at any) is to call the number now."""
        of_client = None in (self.client, client) or self.client == client
        return of_client and (self.until is None or now < self.until)


class Spared:
    """All entries, ready to be asked for each call that the router would make."""

    def __init__(self, entries: Iterable[DoNotContact] = ()) -> None:
        self._entries: dict[str, list[DoNotContact]] = {}
        for entry in entries:
            self._entries.setdefault(entry.number, []).append(entry)

    def find(self, number: str, client: str | None, now: datetime) -> DoNotContact | None:
        """The entry by which nobody at that client is to call the number now; of several the one that lasts
        longest."""
        holding = (one for one in self._entries.get(number, ()) if one.holds(client, now))
        return max(holding, key=lambda one: (one.until is None, one.until or now), default=None)


NOBODY_SPARED = Spared()
