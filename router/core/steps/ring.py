"""`ring`: phones ring, round after round, until one is answered (offering.py).

The legs of a round ring together. A round is over when all its legs have failed or its time is up; the next
round does not wait for the cancelled legs to end. A round whose time is up waits for those who are asked
whether they take the call.

Music needs a caller who is answered and in the call's bridge; it ends before anybody else comes into that.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core.call import Call, Commands, Connected, Ringing, Turn
from router.core.commands import (
    CallCommand,
    CancelTimer,
    DestroyLegBridge,
    HangupReason,
    IndicateRinging,
    SetTimer,
    StartMusic,
    StopMusic,
)
from router.core.disposition import ring_outcome
from router.core.events import CallEvent, LegEnded, LegLost, LegRinging, RouterReturned, TimerFired
from router.core.plan import Ring
from router.core.steps import offering, say

TIMER = "ring"

RINGBACK = "ringback"
"""The timer after which the caller hears ringing though no phone rings yet."""

PATIENCE = 1.0
"""Seconds until then. A phone that is busy or answers at once never rings, and the caller is not told so."""

CANCEL_TIMERS = (CancelTimer(TIMER), CancelTimer(RINGBACK))


def enter(call: Call, step: Ring, now: datetime) -> Turn:
    """Ring the first round."""
    told = call.answering or bool(step.music)
    turn = _ring_round(call, step, Ringing(-1, now, (), told=told), now)
    if turn.outcome is not None:
        return Turn(turn.call, outcome=turn.outcome)
    if step.music:
        call, commands = say.in_bridge(turn.call)
        return Turn(call, (*commands, StartMusic(step.music), *turn.commands))
    hears = IndicateRinging() if call.answering else SetTimer(RINGBACK, PATIENCE)
    return Turn(turn.call, (hears, *turn.commands))


def advance(call: Call, state: Ringing, event: CallEvent, now: datetime) -> Turn:
    """Take one event while phones ring."""
    step = _step(call)
    moved = offering.advance(call, state, step, step.ring_for, state.legs, event, now)
    if moved is not None:
        return _moved(moved, step, now)
    match event:
        case LegRinging(leg) if leg in state.legs and not state.told:
            return _tell(call, state, CancelTimer(RINGBACK))
        case TimerFired(timer) if timer == RINGBACK and not state.told:
            return _tell(call, state)
        case TimerFired(timer) if timer == TIMER:
            unanswered = (leg for leg in state.legs if offering.asked_of(state, leg) is None)
            call, cancels = offering.cancel(call, unanswered, HangupReason.NO_ANSWER)
            return _next_if_all_failed(call, step, state, now, cancels)
        case LegEnded(leg) | LegLost(leg):
            own = (DestroyLegBridge(leg),) if offering.asked_of(state, leg) is not None else ()
            return _next_if_all_failed(call, step, offering.without(state, leg), now, own)
        case RouterReturned():
            # The clock may have been set back meanwhile: never longer than a whole round.
            left = step.ring_for - max((now - state.since) / timedelta(seconds=1), 0.0)
            again: Commands = (
                CancelTimer(RINGBACK),
                SetTimer(TIMER, max(left, 0.0)),
                *offering.waits_again(state),
            )
            return Turn(call, again) if step.music else _tell(call, state, *again)
        case _:
            # HangupRequested, LegLeft and further LegRinging: noted by the call machine; PlaybackEnded: of an
            # earlier prompt; keys of the caller.
            return Turn(call)


def _moved(moved: offering.Moved, step: Ring, now: datetime) -> Turn:
    if moved.taken_by is not None:
        return Turn(moved.call, (*moved.commands, *_over(step)), Connected(moved.taken_by))
    if moved.given_up is not None:
        assert isinstance(moved.call.state, Ringing)
        return _next_if_all_failed(moved.call, step, moved.call.state, now, moved.commands)
    return Turn(moved.call, moved.commands)


def _tell(call: Call, state: Ringing, *commands: CallCommand) -> Turn:
    """Let the caller hear ringing."""
    return Turn(replace(call, state=replace(state, told=True)), (IndicateRinging(), *commands))


def plays_music(call: Call) -> bool:
    """Whether the caller hears music instead of ringing."""
    return bool(_step(call).music)


def _over(step: Ring) -> Commands:
    """What ends with the step, whatever came of it."""
    return ((StopMusic(),) if step.music else ()) + CANCEL_TIMERS


def _step(call: Call) -> Ring:
    step = call.step
    assert isinstance(step, Ring)
    return step


def _ring_round(call: Call, step: Ring, state: Ringing, now: datetime) -> Turn:
    """Ring the next round in which there is somebody; without one, the step is over."""
    tried = state.tried + state.legs
    number = next((n for n in range(state.round + 1, len(step.rounds)) if step.rounds[n]), None)
    if number is None:
        return Turn(call, _over(step), ring_outcome([call.legs[leg] for leg in tried]))
    call, legs, create = offering.new_legs(call, step.rounds[number], now)
    ringing = Ringing(number, now, legs, tried, state.told)
    return Turn(replace(call, state=ringing), (*create, SetTimer(TIMER, step.ring_for)))


def _next_if_all_failed(call: Call, step: Ring, state: Ringing, now: datetime, commands: Commands) -> Turn:
    """What follows these commands: nothing while somebody may still take the call, else the next round."""
    if not offering.all_failed(call, state.legs):
        return Turn(replace(call, state=state), commands)
    turn = _ring_round(call, step, state, now)
    return Turn(turn.call, commands + turn.commands, turn.outcome)
