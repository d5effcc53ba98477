"""What is remembered of callers: when they called lately, what was decided of them by command, and whom
their client knows them as; and whom nobody is to call.

Calls are remembered only for clients whose rules count them (`more_than`), only as far back as they ask, and
of the MOST callers who called last; so it is bounded whoever calls.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from router.core.arrival import ContactOf, Known, Remember, nobody_knows
from router.core.donotcontact import NOBODY_SPARED, Spared
from router.core.numbers import PhoneNumber
from router.core.ruleset import ClientRules
from router.core.verdict import Verdict

MOST = 20_000
"""Callers who are remembered."""

MOST_LEARNT = 200_000
"""Calls of a time before us that are looked at: the latest."""


class Called(NamedTuple):
    """One call that has been."""

    client: str
    number: str
    """E.164."""
    at: datetime


class Callers:
    """Those of all clients."""

    def __init__(
        self, contact_of: ContactOf = nobody_knows, spoken: Callable[[str], str] = lambda language: ""
    ) -> None:
        self.contact_of = contact_of
        """Whom a client knows by a number."""
        self.spoken = spoken
        """In which language callers are spoken to who speak one; empty where that is the client's."""
        self._lately: dict[tuple[str, str], tuple[datetime, ...]] = {}
        """In the order of each one's last call."""
        self._verdicts: dict[str, list[Verdict]] = {}
        """Those on each number, the latest first."""
        self._advised: dict[str, None] = {}
        """The channels of which a dialplan has asked, in that order."""
        self.spared = NOBODY_SPARED
        """Whom nobody is to call back."""

    def known_by(self, channel: str) -> Remember:
        """How to know who comes in by that channel; of which a dialplan has asked, that is the same call."""
        return self.known_again if channel in self._advised else self.known

    def advised(self, channel: str) -> None:
        """A dialplan has asked of the caller with that channel, who may yet come in."""
        self._advised[channel] = None
        if len(self._advised) > MOST:
            del self._advised[next(iter(self._advised))]

    def known(self, client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
        """What is known of who calls now; this call is remembered."""
        return self._known(client, number, now, again=False)

    def known_again(self, client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
        """The same in a call that is remembered already."""
        return self._known(client, number, now, again=True)

    def _known(self, client: ClientRules, number: PhoneNumber, now: datetime, *, again: bool) -> Known:
        verdicts = self._verdicts.get(number.e164, ())
        verdict = next((one for one in verdicts if one.holds(client.id, now)), None)
        contact = self.contact_of(client.id, number.e164)
        return Known(self._before(client, number, now, again), verdict, contact)

    def obey(self, verdicts: Sequence[Verdict]) -> None:
        """From now on these are all there are; given in the order they were made."""
        self._verdicts = {}
        for verdict in reversed(verdicts):
            self._verdicts.setdefault(verdict.number, []).append(verdict)

    def spare(self, spared: Spared) -> None:
        """From now on these are all whom nobody is to call back."""
        self.spared = spared

    def _before(
        self, client: ClientRules, number: PhoneNumber, now: datetime, again: bool
    ) -> tuple[datetime, ...]:
        counted = client.screening.counted
        if counted is None:
            return ()
        since = now - timedelta(seconds=counted.within.seconds)
        known = self._lately.pop((client.id, number.e164), ())
        lately = tuple(at for at in (known[:-1] if again else known) if at > since)[-counted.calls :]
        self._remember((client.id, number.e164), (*lately, now))
        return lately

    def learn(self, calls: Iterable[Called]) -> None:
        """Remember calls of a time before all that we have seen, given in order."""
        earlier: dict[tuple[str, str], list[datetime]] = {}
        for call in calls:  # One may have called a hundred thousand times.
            at = earlier.pop((call.client, call.number), [])
            earlier[call.client, call.number] = at
            at.append(call.at)
        later, self._lately = self._lately, {}
        for caller, at in earlier.items():
            self._remember(caller, (*at, *later.pop(caller, ())))
        for caller, seen in later.items():
            self._remember(caller, seen)

    def _remember(self, caller: tuple[str, str], calls: tuple[datetime, ...]) -> None:
        self._lately[caller] = calls
        if len(self._lately) > MOST:
            del self._lately[next(iter(self._lately))]
