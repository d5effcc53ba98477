"""What Asterisk tells of phones that transfer callers -> what their calls are told (core/steps/transfer.py).

In a bridge of ours Asterisk carries out no transfer by itself. It puts a channel of its own in the place of
the leg, and that enters our application as one that replaces it (22.10.1):

- blind, a Local channel whose other half is in the dialplan's context callrouter-transfer;
- attended, a Local channel that joins two bridges. Who is in the other one is told a moment later by
  BridgeAttendedTransfer, and so is that nobody is there: the phone that was called rings still. Then what was
  dialled counts, as in a blind one;
- a phone that took the call over by itself (INVITE with Replaces).

Where both bridges that are joined are ours, there is such a channel in each:

- who asked somebody by a number of ours was the caller of that call. It ends, and who was asked is called
  again for the caller who is given away: by their own extension, or else by what was dialled;
- two callers are not put through to one another: the phone that had both is rung back for each;
- nor is anybody to a talk that is supervised, by the supervisor's channel.

A phone that is the caller of a call of ours, and joins that with one that is none of ours, has put somebody
else in its place, who is the caller from then on. That is for phones of the house: a caller's own side, which
came through a trunk, transfers nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

import structlog

from router.core.call import CALLER, Over, Talking
from router.core.events import CallerJoined, CallerReplaced, CallEvent, LegReplaced, TransferAsked
from router.core.ruleset import RuleSet
from router.edge.ari import models, wire
from router.edge.livecall import LiveCall

log = structlog.get_logger()

_JOINED = "Local/_attended@"
"""How the name of a channel begins that joins two bridges."""

_NO_TRANSFER = "set `allow_transfer=no` on the endpoint, above all on the trunk's"

OfAnEnd = models.ChannelHangupRequest | models.StasisEnd | models.ChannelDestroyed

Legs = Mapping[str, tuple[LiveCall, int]]
"""Every leg of every live call, by its channel's id."""


_Told = TransferAsked | LegReplaced | CallerReplaced | CallerJoined
"""What a call is told of it."""


class _Pending(NamedTuple):
    """A leg was replaced, and with whom its talk goes on is not known yet."""

    live: LiveCall
    leg: int
    was: models.Channel
    """of the leg"""
    channel: models.Channel
    """in its place"""
    held: list[OfAnEnd]
    """What Asterisk told of the leg's end before it said by whom it was replaced: in no certain order."""


class Transfers:
    """Those under way."""

    def __init__(
        self,
        legs: Legs,
        rules: Callable[[], RuleSet],
        take: Callable[[LiveCall, CallEvent], None],
        end: Callable[[str], None],
        again: Callable[[OfAnEnd], None],
        supervises: Callable[[str], bool],
    ) -> None:
        """`take` has a call take an event, `end` ends a channel that is refused, `again` has an event happen
        that was held, and `supervises` is true of channels of supervisors, and of snoops."""
        self._legs = legs
        self._rules = rules
        self._take = take
        self._end = end
        self._again = again
        self._supervises = supervises
        self._pending: dict[str, _Pending] = {}
        self._supervising: set[str] = set()
        """The ids of channels that are in the place of a supervisor's."""

    def replaced(self, channel: models.Channel, by: models.Channel) -> None:
        """`by` is in the place of `channel`."""
        live, leg = self._legs.get(channel.id, (None, CALLER))
        joined = by.name.startswith(_JOINED)
        if live is not None and joined:
            self._pending[by.id] = _Pending(live, leg, channel, by, [])
        elif joined and self._supervises(channel.id):
            self._supervising.add(by.id)
        elif live is None or leg == CALLER:
            # Nobody is rung by the caller's own side, wherever that wishes.
            log.warning("transfer refused", channel=by.name, remedy=_NO_TRANSFER)
            self._end(by.id)
        elif by.dialplan.context == wire.TRANSFERS:
            self._tell(_Pending(live, leg, channel, by, []), TransferAsked(leg, by.dialplan.exten, by.id))
        else:
            self._adopt(_Pending(live, leg, channel, by, []), by)

    def attended(self, event: models.BridgeAttendedTransfer) -> None:
        """Two calls were joined, by a phone that had both."""
        ends = (event.destination_link_first_leg, event.destination_link_second_leg, event.replace_channel)
        there = [one.id for one in ends if one is not None]
        joins = [self._pending.pop(one) for one in there if one in self._pending]
        supervising = self._supervising.intersection(there)
        self._supervising -= supervising
        # What each is to be told is settled before one of the two calls changes by it.
        told = [(one, self._refusal(one) if supervising else self._joined(one, event)) for one in joins]
        for pending, what in told:
            if isinstance(what, CallerJoined):
                # Not before Asterisk says so: it would leave the other call as it is, and tell the phone 500.
                # It ends the caller's channel softly, and does not say who did.
                self._end(pending.channel.id)
                self._take(pending.live, what)
            else:
                self._tell(pending, what)
        for channel in supervising:
            self._end(channel)
        self._tell_held(joins)

    def _refusal(self, pending: _Pending) -> TransferAsked | CallerJoined:
        """Whoever joined has this call back, where it was theirs to answer."""
        if pending.leg == CALLER:
            return CallerJoined()
        return TransferAsked(pending.leg, "", pending.channel.id)

    def _joined(self, pending: _Pending, event: models.BridgeAttendedTransfer) -> _Told:
        """What becomes of a call that was joined with another one."""
        first = pending.was.id == event.transferer_first_leg.id
        other = event.transferer_second_leg if first else event.transferer_first_leg
        target, ours = event.transfer_target if first else None, self._legs.get(other.id)
        channel = pending.channel
        if pending.leg == CALLER:
            given_away = ours is not None and ours[1] != CALLER
            if given_away or not self._is_of_the_house(pending):
                return CallerJoined()
            return CallerReplaced(channel.id, wire.endpoint_of((target or channel).name))
        if ours is not None:
            return TransferAsked(pending.leg, self._asked_in(*ours), channel.id)
        if event.transfer_target is None:
            return TransferAsked(pending.leg, other.dialplan.exten, channel.id)
        return self._replacing(pending, target or channel)

    def _asked_in(self, live: LiveCall, leg: int) -> str:
        """What leads to whoever was asked in that call; empty where it is a caller who was there."""
        if leg != CALLER:
            return ""
        call = live.call
        if isinstance(call.state, Talking):
            client, dial = call.info.client, call.legs[call.state.leg].target.dial
            name = person_at(self._rules(), client, dial)
            person = self._rules().clients[client].people.get(name) if client and name else None
            if person is not None and person.extension:
                return person.extension
        return call.info.dialled

    def _is_of_the_house(self, pending: _Pending) -> bool:
        """True of a phone that is rung: by the rules, or by a queue of Asterisk's own. No trunk is: what is
        rung through that is a number."""
        dial = wire.endpoint_of(pending.was.name)
        people = (one for client in self._rules().clients.values() for one in client.people.values())
        return any(phone.dial == dial for one in people for phone in one.phones) or any(
            dial == live.call.legs[leg].target.dial or any(dial == one.dial for one in live.call.rung)
            for live, leg in self._legs.values()
        )

    def holds(self, event: OfAnEnd) -> bool:
        """True where that is of a leg that was replaced, and is told once it is known by whom."""
        for pending in self._pending.values():
            if pending.was.id == event.channel.id:
                pending.held.append(event)
                return True
        return False

    def look(self, event: OfAnEnd) -> bool:
        """True where that is of a channel that stands for a leg: its call knows it from now on."""
        self._supervising.discard(event.channel.id)
        pending = self._pending.pop(event.channel.id, None)
        if pending is None:
            return False
        if pending.leg != CALLER:
            self._adopt(pending, pending.channel)
        self._tell_held([pending])
        return event.channel.id in self._legs

    def _tell_held(self, joins: Iterable[_Pending]) -> None:
        for event in chain.from_iterable(one.held for one in joins):
            self._again(event)

    def forget(self) -> None:
        """What comes next is not known to follow what came before."""
        self._pending.clear()
        self._supervising.clear()

    def _adopt(self, pending: _Pending, who: models.Channel) -> None:
        self._tell(pending, self._replacing(pending, who))

    def _replacing(
        self, pending: _Pending, who: models.Channel
    ) -> LegReplaced | TransferAsked | CallerJoined:
        """A snoop is nobody to talk with."""
        if self._supervises(who.id):
            return self._refusal(pending)
        dial = wire.endpoint_of(who.name)
        name = person_at(self._rules(), pending.live.call.info.client, dial)
        return LegReplaced(pending.leg, pending.channel.id, dial, name)

    def _tell(self, pending: _Pending, event: _Told) -> None:
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
