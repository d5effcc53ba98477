"""`ring`: phones ring, round after round, until one is answered.

The legs of a round ring together. A round is over when all its legs have failed or its time is up; the next
round does not wait for the cancelled legs to end. A leg is created first and dialled once its channel has
entered our application: `dial` sent right behind `channels/create` is refused by Asterisk now and then (409).
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from router.core.call import Call, Connected, Leg, LegState, Ringing, Turn, with_leg
from router.core.commands import (
    CallCommand,
    CancelTimer,
    CreateLeg,
    DialLeg,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    SetTimer,
)
from router.core.disposition import ring_outcome
from router.core.events import (
    CallEvent,
    CommandFailed,
    LegAnswered,
    LegEnded,
    LegLost,
    LegReady,
    LegRinging,
    RouterReturned,
    TimerFired,
)
from router.core.plan import Ring

TIMER = "ring"

RINGBACK = "ringback"
"""The timer after which the caller hears ringing though no phone rings yet."""

PATIENCE = 1.0
"""Seconds until then. A phone that is busy or answers at once never rings, and the caller is not told so."""

CANCEL_TIMERS = (CancelTimer(TIMER), CancelTimer(RINGBACK))

COMMANDS = ("CreateLeg", "DialLeg")
"""The commands whose failure is the failure of an attempt."""

BACKSTOP = 5.0
"""Seconds by which Asterisk's own dial timeout exceeds ours: it only counts when we are gone or late."""


def enter(call: Call, step: Ring, now: datetime) -> Turn:
    """Ring the first round."""
    turn = _ring_round(call, step, Ringing(-1, now, (), told=call.answering), now)
    if turn.outcome is not None:
        return turn
    hears = IndicateRinging() if call.answering else SetTimer(RINGBACK, PATIENCE)
    return Turn(turn.call, (hears, *turn.commands))


def advance(call: Call, state: Ringing, event: CallEvent, now: datetime) -> Turn:
    """Take one event while phones ring."""
    step = _step(call)
    match event:
        case LegReady(leg) if leg in state.legs and _may_be_dialled(call.legs[leg]):
            dialled = replace(call.legs[leg], state=LegState.DIALLED)
            return Turn(with_leg(call, dialled), (DialLeg(leg, step.ring_for + BACKSTOP),))
        case LegAnswered(leg) if leg in state.legs and call.legs[leg].intent is None:
            return Turn(call, CANCEL_TIMERS, Connected(leg))
        case LegRinging(leg) if leg in state.legs and not state.told:
            return _tell(call, state, CancelTimer(RINGBACK))
        case TimerFired(timer) if timer == RINGBACK and not state.told:
            return _tell(call, state)
        case TimerFired(timer) if timer == TIMER:
            call, cancels = _cancel(call, state.legs, HangupReason.NO_ANSWER)
            turn = _ring_round(call, step, state, now)
            return Turn(turn.call, cancels + turn.commands, turn.outcome)
        case CommandFailed(_, leg) if leg in state.legs and call.legs[leg].refusal is not None:
            # There may be a channel all the same (no reply in time, or a `dial` refused): it must not stay.
            call, cancels = _cancel(call, (leg,), HangupReason.COMMAND_FAILED)
            turn = _next_if_all_failed(call, step, state, now)
            return Turn(turn.call, cancels + turn.commands, turn.outcome)
        case LegEnded() | LegLost():
            return _next_if_all_failed(call, step, state, now)
        case RouterReturned():
            # The clock may have been set back meanwhile: never longer than a whole round.
            left = step.ring_for - max((now - state.since) / timedelta(seconds=1), 0.0)
            return _tell(call, state, CancelTimer(RINGBACK), SetTimer(TIMER, max(left, 0.0)))
        case _:
            # HangupRequested, LegLeft and further LegRinging: noted by the call machine; PlaybackEnded: of an
            # earlier prompt.
            return Turn(call)


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


def _tell(call: Call, state: Ringing, *commands: CallCommand) -> Turn:
    """Let the caller hear ringing."""
    return Turn(replace(call, state=replace(state, told=True)), (IndicateRinging(), *commands))


def _may_be_dialled(leg: Leg) -> bool:
    return leg.state is LegState.CREATED and leg.intent is None


def _step(call: Call) -> Ring:
    step = call.step
    assert isinstance(step, Ring)
    return step


def _ring_round(call: Call, step: Ring, state: Ringing, now: datetime) -> Turn:
    """Ring the next round in which there is somebody; without one, the step is over."""
    tried = state.tried + state.legs
    number = next((n for n in range(state.round + 1, len(step.rounds)) if step.rounds[n]), None)
    if number is None:
        return Turn(call, CANCEL_TIMERS, ring_outcome([call.legs[leg] for leg in tried]))
    targets = step.rounds[number]
    first = len(call.legs)
    legs = tuple(Leg(first + offset, now, target) for offset, target in enumerate(targets))
    ringing = Ringing(number, now, tuple(leg.number for leg in legs), tried, state.told)
    create: tuple[CallCommand, ...] = tuple(CreateLeg(leg.number, leg.target) for leg in legs)
    return Turn(
        replace(call, legs=call.legs + legs, state=ringing), (*create, SetTimer(TIMER, step.ring_for))
    )


def _next_if_all_failed(call: Call, step: Ring, state: Ringing, now: datetime) -> Turn:
    if all(call.legs[leg].gone or call.legs[leg].intent for leg in state.legs):
        return _ring_round(call, step, state, now)
    return Turn(call)


def _cancel(call: Call, legs: tuple[int, ...], reason: HangupReason) -> tuple[Call, tuple[CallCommand, ...]]:
    """Hang up those of these legs that are still there, and remember why."""
    commands: tuple[CallCommand, ...] = ()
    for leg in (call.legs[number] for number in legs):
        if not leg.gone and leg.intent is None:
            call = with_leg(call, replace(leg, intent=reason))
            commands += (HangUpLeg(leg.number, reason),)
    return call, commands
