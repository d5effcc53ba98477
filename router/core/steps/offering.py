"""What all steps share that ring phones for a caller: legs are made, dialled, answered, and given up.

Whoever answers has the call, unless there is something to say to them first, or they are to press a key. Then
the leg is in a bridge of its own, the caller goes on hearing ringing or music, the others ring on, and the
first to take the call has it.

A leg is created first and dialled once its channel has entered our application: `dial` sent right behind
`channels/create` is refused by Asterisk now and then (409).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from router.core.call import Asked, Call, Commands, Leg, LegState, Queueing, Ringing, with_leg
from router.core.commands import (
    CancelTimer,
    CreateLeg,
    DestroyLegBridge,
    DialLeg,
    HangUpLeg,
    HangupReason,
    PlayToLeg,
    SetTimer,
    StopPlayback,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    LegReady,
    PlaybackEnded,
    TimerFired,
)
from router.core.numbers import CallerId
from router.core.phrases import whispered
from router.core.plan import Prompt, Queue, Ring, SpeakName, Target, Whisper
from router.core.steps import say

TAKE, DECLINE = "1", "2"
"""Keys of who answered and is asked."""

WAIT = 3.0
"""Seconds for a key after the question."""

MOMENT = 0.5
"""Seconds until it is clear that who could not be told anything has not hung up."""

TRIES = 2

COMMANDS = ("CreateLeg", "DialLeg")
"""The commands whose failure is the failure of an attempt."""

BACKSTOP = 5.0
"""Seconds by which Asterisk's own dial timeout exceeds ours: it only counts when we are gone or late."""

Offering = TypeVar("Offering", Ringing, Queueing)


class Moved(NamedTuple):
    """What one event makes of the legs; the call is in its new state."""

    call: Call
    commands: Commands = ()
    taken_by: int | None = None
    """The leg that has the call now."""
    given_up: int | None = None
    """One that was answered and does not get it."""


def new_legs(call: Call, targets: Iterable[Target], now: datetime) -> tuple[Call, tuple[int, ...], Commands]:
    """The call with a leg for each of these, their numbers, and what makes them."""
    first = len(call.legs)
    legs = tuple(Leg(first + offset, now, target) for offset, target in enumerate(targets))
    create: Commands = tuple(CreateLeg(leg.number, leg.target) for leg in legs)
    return replace(call, legs=call.legs + legs), tuple(leg.number for leg in legs), create


def advance(
    call: Call,
    state: Offering,
    step: Ring | Queue,
    ring_for: float,
    legs: tuple[int, ...],
    event: CallEvent,
    now: datetime,
) -> Moved | None:
    """Take an event of `legs`, which ring together, as far as it is the same for all steps; else None."""
    match event:
        case LegReady(leg) if leg in legs and _may_be_dialled(call.legs[leg]):
            dialled = replace(call.legs[leg], state=LegState.DIALLED)
            return Moved(with_leg(call, dialled), (DialLeg(leg, ring_for + BACKSTOP),))
        case LegAnswered(leg) if leg in legs and _may_take(call.legs[leg]):
            return _answered(call, state, step, leg, now)
        case PlaybackEnded(playback) if (asked := _hearing(state, playback)) is not None:
            return _heard(say.heard(call, event, now), state, asked, event.failed)
        case KeyPressed(leg, key) if (asked := asked_of(state, leg)) is not None:
            return _pressed(call, state, step, asked, key, now)
        case TimerFired(timer) if (asked := _awaited(state, timer)) is not None:
            asks = call.legs[asked.leg].target.asks
            return _again(call, state, step, asked, now) if asks else _take(call, asked)
        case CommandFailed(_, leg) if leg in legs and call.legs[leg].refusal is not None:
            # There may be a channel all the same (no reply in time, or a `dial` refused): it must not stay.
            return Moved(*cancel(call, (leg,), HangupReason.COMMAND_FAILED), given_up=leg)
        case _:
            return None


def refused(leg: Leg, event: CommandFailed, now: datetime) -> Leg:
    """The leg after Asterisk refused to create or dial it. A refused `create` has made no channel.

    A leg that has come further than the command brings it disproves the refusal: only the reply was lost.
    """
    if leg.state is not (LegState.CREATED if event.command == "CreateLeg" else LegState.DIALLED):
        return leg
    leg = replace(leg, refusal=event.status)
    if event.command == "CreateLeg" and event.status:
        return replace(leg, state=LegState.ENDED, ended_at=now)
    return leg


def cancel(call: Call, legs: Iterable[int], reason: HangupReason) -> tuple[Call, Commands]:
    """Hang up those of these legs that are still there, and remember why."""
    commands: Commands = ()
    for leg in (call.legs[number] for number in legs):
        if not leg.gone and leg.intent is None:
            call = with_leg(call, replace(leg, intent=reason))
            commands += hang_up(leg, reason)
    return call, commands


def hang_up(leg: Leg, reason: HangupReason) -> Commands:
    """What ends a leg, and removes the bridge of its own if it has one."""
    own = (DestroyLegBridge(leg.number),) if leg.asked else ()
    return (HangUpLeg(leg.number, reason), *own)


def all_failed(call: Call, legs: Iterable[int]) -> bool:
    """Whether nobody can take the call any more on one of these."""
    return all(call.legs[leg].gone or call.legs[leg].intent for leg in legs)


def waits_again(state: Offering) -> Commands:
    """After a gap: the timers of those who are to press a key."""
    return tuple(_wait(one.leg) for one in state.asked if one.playback is None)


def asked_of(state: Offering, leg: int) -> Asked | None:
    """How it stands with who answered a leg; None where nobody is asked there."""
    return next((one for one in state.asked if one.leg == leg), None)


def without(state: Offering, leg: int) -> Offering:
    """Who answered it is asked no longer."""
    return replace(state, asked=tuple(one for one in state.asked if one.leg != leg))


def key_timer(leg: int) -> str:
    """The timer after which who answered has pressed no key."""
    return f"key_{leg}"


def _may_be_dialled(leg: Leg) -> bool:
    return leg.state is LegState.CREATED and leg.intent is None


def _may_take(leg: Leg) -> bool:
    """Not what was given up; and an answer that is told twice does not have the question asked again."""
    return leg.intent is None and not leg.asked


def _answered(call: Call, state: Offering, step: Ring | Queue, leg: int, now: datetime) -> Moved:
    if not step.heard_by(call.legs[leg].target):
        return Moved(call, taken_by=leg)
    call = with_leg(call, replace(call.legs[leg], asked=True))
    return _ask(call, state, step, Asked(leg, tries=1), now)


def _ask(call: Call, state: Offering, step: Ring | Queue, asked: Asked, now: datetime) -> Moved:
    """Play what is to be heard, all of it."""
    playback = call.playbacks + 1
    heard = step.heard_by(call.legs[asked.leg].target)
    since = state.since if isinstance(state, Queueing) else call.info.arrived_at
    waited = (now - since) / timedelta(seconds=1)
    prompts = tuple(chain.from_iterable(_words(call, one, waited) for one in heard))
    state = _with(state, replace(asked, playback=playback))
    call = replace(call, playbacks=playback, state=state)
    return Moved(call, (PlayToLeg(playback, asked.leg, prompts),))


def _words(call: Call, heard: Prompt | Whisper, waited: float) -> tuple[Prompt | SpeakName, ...]:
    """Only here is it looked at who calls: nobody else pays for it."""
    if not isinstance(heard, Whisper):
        return (heard,)
    caller = CallerId.read(call.info.caller, "", heard.country)
    return whispered(heard, caller.said_in(heard.country), waited, call.info.name)


def _heard(call: Call, state: Offering, asked: Asked, failed: bool) -> Moved:
    """A prompt fails also where who hears it hangs up, and Asterisk tells of that first (22.10.1): whoever is
    still there a moment later has the call all the same."""
    asks = call.legs[asked.leg].target.asks
    if not asks and not failed:
        return _take(call, asked)
    wait = _wait(asked.leg) if asks else SetTimer(key_timer(asked.leg), MOMENT)
    return Moved(replace(call, state=_with(state, replace(asked, playback=None))), (wait,))


def _pressed(call: Call, state: Offering, step: Ring | Queue, asked: Asked, key: str, now: datetime) -> Moved:
    if not call.legs[asked.leg].target.asks:
        return Moved(call)
    if key == TAKE:
        return _take(call, asked)
    if key == DECLINE:
        return _let_go(call, state, asked, HangupReason.DECLINED_BY_KEY)
    return _again(call, state, step, asked, now)


def _again(call: Call, state: Offering, step: Ring | Queue, asked: Asked, now: datetime) -> Moved:
    if asked.tries >= TRIES:
        return _let_go(call, state, asked, HangupReason.NOT_TAKEN)
    moved: Moved = _ask(call, state, step, replace(asked, tries=asked.tries + 1), now)
    return moved._replace(commands=(*stop(asked), *moved.commands))


def _take(call: Call, asked: Asked) -> Moved:
    return Moved(call, stop(asked), taken_by=asked.leg)


def _let_go(call: Call, state: Offering, asked: Asked, reason: HangupReason) -> Moved:
    cancels: Commands
    call, cancels = cancel(replace(call, state=without(state, asked.leg)), (asked.leg,), reason)
    return Moved(call, (*stop(asked), *cancels), given_up=asked.leg)


def stop(asked: Asked) -> Commands:
    """Stop what is being waited for."""
    if asked.playback is None:
        return (CancelTimer(key_timer(asked.leg)),)
    return (StopPlayback(asked.playback),)


def _wait(leg: int) -> SetTimer:
    return SetTimer(key_timer(leg), WAIT)


def _hearing(state: Offering, playback: int) -> Asked | None:
    return next((one for one in state.asked if one.playback == playback), None)


def _awaited(state: Offering, timer: str) -> Asked | None:
    return next((one for one in state.asked if one.playback is None and key_timer(one.leg) == timer), None)


def _with(state: Offering, asked: Asked) -> Offering:
    others: tuple[Asked, ...] = tuple(one for one in state.asked if one.leg != asked.leg)
    return replace(state, asked=(*others, asked))
