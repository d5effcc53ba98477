"""A caller who has kept a place in a queue is called back: the agent first, then the caller.

The call waits in the queue without a channel of the caller's. Once an agent has it, that one hears ringing in
a bridge of their own while the caller's phone rings; when it is answered, the two talk. If it is not, the
agent is told so and let go.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core.call import CALLER, Call, CallingBack, Commands, Connected, Done, LegState, Turn, with_leg
from router.core.commands import (
    CancelTimer,
    CreateLeg,
    DialLeg,
    HangupReason,
    PlayToLeg,
    SetTimer,
    StopPlayback,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    LegAnswered,
    LegEnded,
    LegLost,
    LegReady,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.plan import Return, Say, Speak
from router.core.steps import offering, say

TIMER = "callback"
CANCEL_TIMERS = (CancelTimer(TIMER),)

RING_FOR = 30.0
"""Seconds that the caller's phone rings."""

RINGING = Say("tone:ring")
"""What the agent hears meanwhile; Asterisk plays it until it is stopped."""


def begin(call: Call, leg: int, now: datetime) -> tuple[Call, Commands]:
    """An agent answered on this leg: have the caller's phone rung."""
    target = _return(call).target
    call = with_leg(call, replace(call.caller, state=LegState.CREATED, started_at=now, target=target))
    call, ringing = _play(call, leg, RINGING)
    call = replace(call, state=CallingBack(leg, now, call.playbacks))
    return call, (CreateLeg(CALLER, target), *ringing, SetTimer(TIMER, RING_FOR))


def advance(call: Call, state: CallingBack, event: CallEvent, now: datetime) -> Turn:
    """Take one event while the caller's phone rings."""
    match event:
        case LegReady(leg) if leg == CALLER and call.caller.state is LegState.CREATED:
            dialled = replace(call.caller, state=LegState.DIALLED)
            return Turn(with_leg(call, dialled), (DialLeg(CALLER, RING_FOR + offering.BACKSTOP),))
        case LegAnswered(leg) if leg == CALLER and call.caller.intent is None:
            return Turn(call, (*CANCEL_TIMERS, StopPlayback(state.playback)), Connected(state.leg))
        case TimerFired(timer) if timer == TIMER and not state.told:
            call, cancels = offering.cancel(call, (CALLER,), HangupReason.NO_ANSWER)
            return _not_reached(call, state, cancels)
        case CommandFailed(_, leg) if leg == CALLER and call.caller.refusal is not None and not state.told:
            # There may be a channel all the same, as of any phone that is rung.
            call, cancels = offering.cancel(call, (CALLER,), HangupReason.COMMAND_FAILED)
            return _not_reached(call, state, cancels)
        case LegEnded(leg) | LegLost(leg) if leg == CALLER and not state.told:
            return _not_reached(call, state, ())
        case LegEnded(leg) | LegLost(leg) if leg == state.leg:
            return Turn(call, CANCEL_TIMERS, Done())
        case PlaybackEnded(playback) if state.told and playback == state.playback:
            return Turn(say.heard(call, event, now), outcome=Done())
        case RouterReturned():
            return Turn(call, _again(state, now))
        case _:
            # HangupRequested, LegLeft, LegRinging: noted by the call machine; the end of the ringing that was
            # stopped, or could not be played; timers, keys and other legs of the waiting before.
            return Turn(call)


def _return(call: Call) -> Return:
    assert call.plan.returns is not None
    return call.plan.returns


def _play(call: Call, leg: int, prompt: Say | Speak) -> tuple[Call, Commands]:
    playback = call.playbacks + 1
    call = with_leg(replace(call, playbacks=playback), replace(call.legs[leg], asked=True))
    return call, (PlayToLeg(playback, leg, (prompt,)),)


def _not_reached(call: Call, state: CallingBack, commands: Commands) -> Turn:
    """Tell the agent, and let them go."""
    call, told = _play(call, state.leg, _return(call).not_reached)
    call = replace(call, state=replace(state, playback=call.playbacks, told=True))
    return Turn(call, (*commands, *CANCEL_TIMERS, StopPlayback(state.playback), *told))


def _again(state: CallingBack, now: datetime) -> Commands:
    """After a gap: the timer, of which the rest is left."""
    if state.told:
        return ()
    return (SetTimer(TIMER, max(RING_FOR - max((now - state.since) / timedelta(seconds=1), 0.0), 0.0)),)
