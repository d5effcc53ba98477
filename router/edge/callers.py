"""What is remembered of callers from one call to the next: when they called lately.

Only for clients whose rules count calls (`more_than`), only as far back as they ask, and of the MOST callers
who called last; so it is bounded whoever calls.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from router.core.numbers import PhoneNumber
from router.core.ruleset import ClientRules

MOST = 20_000
"""Callers who are remembered."""


class Called(NamedTuple):
    """One call that has been."""

    client: str
    number: str
    """E.164."""
    at: datetime


class Callers:
    """Those of all clients."""

    def __init__(self) -> None:
        self._lately: dict[tuple[str, str], tuple[datetime, ...]] = {}
        """In the order of each one's last call."""

    def before(self, client: ClientRules, number: PhoneNumber, now: datetime) -> tuple[datetime, ...]:
        """When this caller has called before, as far as the client's rules ask; and remember this call."""
        counted = client.screening.counted
        if counted is None:
            return ()
        since = now - timedelta(seconds=counted.within.seconds)
        known = self._lately.pop((client.id, number.e164), ())
        lately = tuple(at for at in known if at > since)[-counted.calls :]
        self._remember(Called(client.id, number.e164, now), lately)
        return lately

    def learn(self, calls: Iterable[Called]) -> None:
        """Remember calls of a time before us, given in order."""
        for call in calls:
            self._remember(call, self._lately.pop((call.client, call.number), ()))

    def _remember(self, call: Called, before: tuple[datetime, ...]) -> None:
        self._lately[call.client, call.number] = (*before, call.at)
        if len(self._lately) > MOST:
            del self._lately[next(iter(self._lately))]
