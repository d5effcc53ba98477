"""After a gap: from what we knew and what Asterisk now shows, to the events we missed.

Reconnecting to Asterisk and starting after a crash are one path. The edge reads what is there (a `Sighting`),
and for each call that the store or the memory holds open, `missed` gives the events that make its state true
again. Nothing is guessed: a channel that is gone is LegLost, and the disposition says `unobserved`.
"""

from collections.abc import Mapping, Set
from datetime import datetime

import msgspec

from router.core.call import CALLER, THE_CALLER, Call, InAsteriskQueue, Leg, LegState, Talking
from router.core.events import (
    AsteriskQueueLed,
    AsteriskQueueReturned,
    BridgeLost,
    CallEvent,
    LegAnswered,
    LegLeft,
    LegLost,
    LegReady,
    LegReplaced,
    LegRinging,
    PlaybackEnded,
    RecordingEnded,
    RouterReturned,
    TransferAsked,
)


class InPlace(msgspec.Struct, frozen=True):
    """A channel that is in the call's bridge in the place of who talked with the caller."""

    channel: str
    dial: str
    """Whose it is."""
    to: str | None = None
    """Where the caller was to be put through to by it; None where somebody talks on it."""


class Sighting(msgspec.Struct, frozen=True):
    """What Asterisk showed of one call, by the numbers of the call's own legs and playbacks.

    Only what was looked at is in it: a read that failed, or a leg made since, says nothing.
    """

    legs: Mapping[int, str | None]
    """Asterisk's channel state (`Down`, `Ring`, `Ringing`, `Up` ...) of each leg looked at; None: no
    channel."""
    caller_departed: bool = False
    """True if the caller's channel is no longer in our application: it has gone back to the dialplan."""
    in_breakglass: bool = False
    """True if it is in that part of the dialplan that takes callers whom no router has."""
    returned: AsteriskQueueReturned | None = None
    """How the caller came into our application, if that was from a queue of Asterisk's own;"""
    entered_for: str | None = None
    """or the number that the caller came in for, if it was as everybody who dials one."""
    ended_playbacks: Set[int] = frozenset()
    """The call's playbacks that no longer exist, of those whose end it waits for."""
    bridged: Set[int] | None = None
    """The legs in the call's bridge,"""
    in_place: InPlace | None = None
    """and who else is in it, with the caller."""
    recorded: RecordingEnded | None = None
    """The end of the recording that was being made, if it has ended."""


def missed(call: Call, seen: Sighting, since: datetime | None) -> tuple[CallEvent, ...]:
    """The events a call missed while nobody looked; `since` is when Asterisk was last seen."""
    # Before the ends of legs: who gave the call away may be gone by now, and that ends it no more.
    events: list[CallEvent] = [*_given_away(call, seen)]
    for leg in call.legs:
        if leg.number in seen.legs and not leg.gone:
            in_queue = leg.number == CALLER and isinstance(call.state, InAsteriskQueue)
            events += _of_queued(call, seen, since) if in_queue else _of_leg(leg, seen, since)
    events += [PlaybackEnded(number) for number in call.playing if number in seen.ended_playbacks]
    events += [] if seen.recorded is None else [seen.recorded]
    if isinstance(call.state, Talking) and seen.bridged is not None:
        there = {CALLER, call.state.leg} <= seen.bridged or seen.in_place is not None
        events += [] if there else [BridgeLost()]
    return (*events, RouterReturned())


def _of_queued(call: Call, seen: Sighting, since: datetime | None) -> list[CallEvent]:
    """Of a caller who is to be in a queue of Asterisk's own. Whether they talk there is looked at later."""
    assert isinstance(call.state, InAsteriskQueue)
    channel = seen.legs[CALLER]
    if channel is None:
        return [LegLost(CALLER, since)]
    left: list[CallEvent] = [] if call.state.away else [LegLeft(CALLER)]
    answered: list[CallEvent] = [] if call.caller.answered_at or channel != "Up" else [LegAnswered(CALLER)]
    if seen.in_breakglass:
        return [*left, LegLeft(CALLER)]
    if seen.caller_departed:
        return [*left, *answered]
    if seen.returned is not None and seen.returned.position == call.position:
        return [*left, *answered, seen.returned]
    if seen.entered_for is not None and call.state.away:
        return [*answered, AsteriskQueueLed(seen.entered_for)]
    return answered  # Who was not seen to leave us has yet to go there.


def _given_away(call: Call, seen: Sighting) -> list[CallEvent]:
    """A transfer that nobody saw."""
    if not isinstance(call.state, Talking) or seen.in_place is None:
        return []
    leg, other = call.state.leg, seen.in_place
    if other.to is not None:
        return [TransferAsked(leg, other.to, other.channel)]
    return [LegReplaced(leg, other.channel, other.dial)]


def _of_leg(leg: Leg, seen: Sighting, since: datetime | None) -> list[CallEvent]:
    number = leg.number
    channel = seen.legs[number]
    if channel is None:
        return [LegLost(number, since)]
    if number == CALLER and seen.caller_departed:
        return [] if leg.state is LegState.LEFT else [LegLeft(number)]
    if channel == "Up":
        return [] if leg.answered_at else [LegAnswered(number)]
    if channel == "Ringing" and leg.state in (LegState.CREATED, LegState.DIALLED):
        return [LegRinging(number)]
    made = number != CALLER or leg.target is not THE_CALLER
    return [LegReady(number)] if made and leg.state is LegState.CREATED else []
