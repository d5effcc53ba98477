"""What Asterisk tells of phones that transfer callers -> what their calls are told (core/steps/transfer.py).

In a bridge of ours Asterisk carries out no transfer by itself. It puts a channel of its own in the place of
the leg, and that enters our application as one that replaces it (22.10.1):

- blind, a Local channel whose other half is in the dialplan's context callrouter-transfer;
- attended, a Local channel that joins two bridges. Who is in the other one is told a moment later by
  BridgeAttendedTransfer, and so is that nobody is there: the phone that was called rings still, or the other
  call is one of ours. Then what was dialled counts, as in a blind one;
- a phone that took the call over by itself (INVITE with Replaces).

A caller's own side transfers nobody.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from router.core.call import CALLER, Over
from router.core.events import CallerJoined, CallEvent, LegReplaced, TransferAsked
from router.core.ruleset import RuleSet
from router.edge.ari import models, wire
from router.edge.livecall import LiveCall

log = structlog.get_logger()

_JOINED = "Local/_attended@"
"""How the name of a channel begins that joins two bridges."""

_NO_TRANSFER = "set `allow_transfer=no` on the endpoint, above all on the trunk's"

Legs = Mapping[str, tuple[LiveCall, int]]
"""Every leg of every live call, by its channel's id."""


class _Pending(NamedTuple):
    """A leg was replaced, and with whom its talk goes on is not known yet."""

    live: LiveCall
    leg: int
    channel: models.Channel


class Transfers:
    """Those under way."""

    def __init__(
        self,
        legs: Legs,
        rules: Callable[[], RuleSet],
        take: Callable[[LiveCall, CallEvent], None],
        end: Callable[[str], None],
    ) -> None:
        """`take` has a call take an event, `end` ends a channel that is refused."""
        self._legs = legs
        self._rules = rules
        self._take = take
        self._end = end
        self._pending: dict[str, _Pending] = {}

    def replaced(self, channel: models.Channel, by: models.Channel) -> None:
        """`by` is in the place of `channel`."""
        live, leg = self._legs.get(channel.id, (None, CALLER))
        if live is not None and by.name.startswith(_JOINED):
            self._pending[by.id] = _Pending(live, leg, by)
        elif live is None or leg == CALLER:
            # Nobody is rung by the caller's own side, wherever that wishes.
            log.warning("transfer refused", channel=by.name, remedy=_NO_TRANSFER)
            self._end(by.id)
        elif by.dialplan.context == wire.TRANSFERS:
            self._tell(_Pending(live, leg, by), TransferAsked(leg, by.dialplan.exten, by.id))
        else:
            self._adopt(_Pending(live, leg, by), by)

    def attended(self, event: models.BridgeAttendedTransfer) -> None:
        """Two calls were joined, by a phone that had both."""
        ends = (event.destination_link_first_leg, event.destination_link_second_leg, event.replace_channel)
        joins = [self._pending.pop(one.id) for one in ends if one is not None and one.id in self._pending]
        other = event.transferer_second_leg
        ours = self._legs.get(other.id)
        for pending in joins:
            if pending.leg == CALLER:
                self._part(pending)
                continue
            if event.transfer_target is not None and ours is None:
                self._adopt(pending, event.transfer_target)
                continue
            if ours is None:
                to = other.dialplan.exten
            else:
                # The other call is ours: who was called there is called again, for this caller.
                to = ours[0].call.info.dialled if ours[1] == CALLER else ""
            self._tell(pending, TransferAsked(pending.leg, to, pending.channel.id))

    def look(self, event: models.ChannelHangupRequest | models.StasisEnd | models.ChannelDestroyed) -> bool:
        """True where that is of a channel that stands for a leg: its call knows it from now on."""
        pending = self._pending.pop(event.channel.id, None)
        if pending is None:
            return False
        if pending.leg == CALLER:
            return False
        self._adopt(pending, pending.channel)
        return event.channel.id in self._legs

    def forget(self) -> None:
        """What comes next is not known to follow what came before."""
        self._pending.clear()

    def _part(self, pending: _Pending) -> None:
        """The caller has joined this call with another. Not before Asterisk says so: it would leave the other
        call as it is, and tell the phone 500. It ends the caller's channel softly, and does not say who did.
        """
        self._end(pending.channel.id)
        self._take(pending.live, CallerJoined())

    def _adopt(self, pending: _Pending, who: models.Channel) -> None:
        dial = wire.endpoint_of(who.name)
        name = person_at(self._rules(), pending.live.call.info.client, dial)
        self._tell(pending, LegReplaced(pending.leg, pending.channel.id, dial, name))

    def _tell(self, pending: _Pending, event: TransferAsked | LegReplaced) -> None:
        if isinstance(pending.live.call.state, Over):
            self._end(pending.channel.id)  # The caller left in this very moment, and the bridge is gone.
        else:
            self._take(pending.live, event)


def person_at(rules: RuleSet, client: str | None, dial: str) -> str:
    """Whose phone that is, of the client's people; empty where it is nobody's, or several people's."""
    known = rules.clients.get(client or "")
    people = known.people.items() if known else ()
    found = [name for name, person in people if any(phone.dial == dial for phone in person.phones)]
    return found[0] if len(found) == 1 else ""
