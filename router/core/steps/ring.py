"""`ring`: phones ring, round after round, until one is answered.

The legs of a round ring together. A round is over when all its legs have failed or its time is up; the next
round does not wait for the cancelled legs to end.

Whoever answers has the call, unless there is something to say to them first, or they are to press a key. Then
the leg is in a bridge of its own, the caller goes on hearing ringing or music, the others ring on, and the
first to take the call has it. A round whose time is up waits for those who are being asked.

Music needs a caller who is answered and in the call's bridge; it ends before anybody else comes into that.

A leg is created first and dialled once its channel has entered our application: `dial` sent right behind
`channels/create` is refused by Asterisk now and then (409).
"""

from datetime import datetime, timedelta
from itertools import chain

from msgspec.structs import replace

from router.core.call import Asked, Call, Commands, Connected, Leg, LegState, Ringing, Turn, with_leg
from router.core.commands import (
    CallCommand,
    CancelTimer,
    CreateLeg,
    DestroyLegBridge,
    DialLeg,
    HangUpLeg,
    HangupReason,
    IndicateRinging,
    PlayToLeg,
    SetTimer,
    StartMusic,
    StopMusic,
    StopPlayback,
)
from router.core.disposition import ring_outcome
from router.core.events import (
    CallEvent,
    CommandFailed,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegLost,
    LegReady,
    LegRinging,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.numbers import CallerId
from router.core.phrases import whispered
from router.core.plan import Prompt, Ring, Whisper
from router.core.steps import say

TIMER = "ring"

RINGBACK = "ringback"
"""The timer after which the caller hears ringing though no phone rings yet."""

PATIENCE = 1.0
"""Seconds until then. A phone that is busy or answers at once never rings, and the caller is not told so."""

CANCEL_TIMERS = (CancelTimer(TIMER), CancelTimer(RINGBACK))

TAKE, DECLINE = "1", "2"
"""Keys of who answered and is asked."""

WAIT = 3.0
"""Seconds for a key after the question."""

TRIES = 2

COMMANDS = ("CreateLeg", "DialLeg")
"""The commands whose failure is the failure of an attempt."""

BACKSTOP = 5.0
"""Seconds by which Asterisk's own dial timeout exceeds ours: it only counts when we are gone or late."""


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
    match event:
        case LegReady(leg) if leg in state.legs and _may_be_dialled(call.legs[leg]):
            dialled = replace(call.legs[leg], state=LegState.DIALLED)
            return Turn(with_leg(call, dialled), (DialLeg(leg, step.ring_for + BACKSTOP),))
        case LegAnswered(leg) if leg in state.legs and _may_take(call.legs[leg]):
            return _answered(call, state, leg)
        case PlaybackEnded(playback) if (asked := _hearing(state, playback)) is not None:
            return _heard(say.heard(call, event, now), state, asked)
        case KeyPressed(leg, key) if (asked := _asked(state, leg)) is not None:
            return _pressed(call, state, asked, key, now)
        case TimerFired(timer) if (asked := _awaited(state, timer)) is not None:
            return _again(call, state, asked, now)
        case LegRinging(leg) if leg in state.legs and not state.told:
            return _tell(call, state, CancelTimer(RINGBACK))
        case TimerFired(timer) if timer == RINGBACK and not state.told:
            return _tell(call, state)
        case TimerFired(timer) if timer == TIMER:
            unanswered = tuple(leg for leg in state.legs if _asked(state, leg) is None)
            call, cancels = _cancel(call, unanswered, HangupReason.NO_ANSWER)
            turn = _next_if_all_failed(call, step, state, now)
            return Turn(turn.call, cancels + turn.commands, turn.outcome)
        case CommandFailed(_, leg) if leg in state.legs and call.legs[leg].refusal is not None:
            # There may be a channel all the same (no reply in time, or a `dial` refused): it must not stay.
            call, cancels = _cancel(call, (leg,), HangupReason.COMMAND_FAILED)
            turn = _next_if_all_failed(call, step, state, now)
            return Turn(turn.call, cancels + turn.commands, turn.outcome)
        case LegEnded(leg) | LegLost(leg):
            turn = _next_if_all_failed(call, step, _without(state, leg), now)
            own = (DestroyLegBridge(leg),) if _asked(state, leg) is not None else ()
            return Turn(turn.call, own + turn.commands, turn.outcome)
        case RouterReturned():
            # The clock may have been set back meanwhile: never longer than a whole round.
            left = step.ring_for - max((now - state.since) / timedelta(seconds=1), 0.0)
            waits = tuple(_wait(one.leg) for one in state.asked if one.playback is None)
            again: Commands = (CancelTimer(RINGBACK), SetTimer(TIMER, max(left, 0.0)), *waits)
            return Turn(call, again) if step.music else _tell(call, state, *again)
        case _:
            # HangupRequested, LegLeft and further LegRinging: noted by the call machine; PlaybackEnded: of an
            # earlier prompt; keys of the caller.
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


def _over(step: Ring) -> Commands:
    """What ends with the step, whatever came of it."""
    return ((StopMusic(),) if step.music else ()) + CANCEL_TIMERS


def music_again(call: Call) -> Commands:
    """What a gap may have swallowed of the music: that it plays while phones ring, and that it does not
    afterwards."""
    steps = (call.plan.nodes[at].step for at in call.met)
    music = next((step.music for step in steps if isinstance(step, Ring) and step.music), None)
    if music is None:
        return ()
    return (StartMusic(music) if isinstance(call.state, Ringing) else StopMusic(),)


def _may_be_dialled(leg: Leg) -> bool:
    return leg.state is LegState.CREATED and leg.intent is None


def _may_take(leg: Leg) -> bool:
    """Not what was given up; and an answer that is told twice does not have the question asked again."""
    return leg.intent is None and not leg.asked


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
    targets = step.rounds[number]
    first = len(call.legs)
    legs = tuple(Leg(first + offset, now, target) for offset, target in enumerate(targets))
    ringing = Ringing(number, now, tuple(leg.number for leg in legs), tried, state.told)
    create: Commands = tuple(CreateLeg(leg.number, leg.target) for leg in legs)
    return Turn(
        replace(call, legs=call.legs + legs, state=ringing), (*create, SetTimer(TIMER, step.ring_for))
    )


def _next_if_all_failed(call: Call, step: Ring, state: Ringing, now: datetime) -> Turn:
    if all(call.legs[leg].gone or call.legs[leg].intent for leg in state.legs):
        return _ring_round(call, step, state, now)
    return Turn(replace(call, state=state))


def _cancel(call: Call, legs: tuple[int, ...], reason: HangupReason) -> tuple[Call, Commands]:
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


# Who answered and has not the call yet


def _answered(call: Call, state: Ringing, leg: int) -> Turn:
    step = _step(call)
    if not step.heard_by(call.legs[leg].target):
        return Turn(call, _over(step), Connected(leg))
    call = with_leg(call, replace(call.legs[leg], asked=True))
    return _ask(call, state, Asked(leg, tries=1))


def _ask(call: Call, state: Ringing, asked: Asked) -> Turn:
    """Play what is to be heard, all of it."""
    playback = call.playbacks + 1
    heard = _step(call).heard_by(call.legs[asked.leg].target)
    prompts = tuple(chain.from_iterable(_words(call, one) for one in heard))
    state = _with(state, replace(asked, playback=playback))
    call = replace(call, playbacks=playback, state=state)
    return Turn(call, (PlayToLeg(playback, asked.leg, prompts),))


def _words(call: Call, heard: Prompt | Whisper) -> tuple[Prompt, ...]:
    """Only here is it looked at who calls: nobody else pays for it."""
    if not isinstance(heard, Whisper):
        return (heard,)
    return whispered(heard, CallerId.read(call.info.caller, "", heard.country).said_in(heard.country))


def _heard(call: Call, state: Ringing, asked: Asked) -> Turn:
    if not call.legs[asked.leg].target.asks:
        return _take(call, asked)
    return Turn(replace(call, state=_with(state, replace(asked, playback=None))), (_wait(asked.leg),))


def _pressed(call: Call, state: Ringing, asked: Asked, key: str, now: datetime) -> Turn:
    if not call.legs[asked.leg].target.asks:
        return Turn(call)
    if key == TAKE:
        return _take(call, asked)
    if key == DECLINE:
        return _let_go(call, state, asked, HangupReason.DECLINED_BY_KEY, now)
    return _again(call, state, asked, now)


def _again(call: Call, state: Ringing, asked: Asked, now: datetime) -> Turn:
    if asked.tries >= TRIES:
        return _let_go(call, state, asked, HangupReason.NOT_TAKEN, now)
    turn = _ask(call, state, replace(asked, tries=asked.tries + 1))
    return Turn(turn.call, (*_stop(asked), *turn.commands))


def _take(call: Call, asked: Asked) -> Turn:
    return Turn(call, (*_stop(asked), *_over(_step(call))), Connected(asked.leg))


def _let_go(call: Call, state: Ringing, asked: Asked, reason: HangupReason, now: datetime) -> Turn:
    call, cancels = _cancel(call, (asked.leg,), reason)
    turn = _next_if_all_failed(call, _step(call), _without(state, asked.leg), now)
    return Turn(turn.call, (*_stop(asked), *cancels, *turn.commands), turn.outcome)


def _stop(asked: Asked) -> Commands:
    """Stop what is being waited for."""
    if asked.playback is None:
        return (CancelTimer(key_timer(asked.leg)),)
    return (StopPlayback(asked.playback),)


def _wait(leg: int) -> SetTimer:
    return SetTimer(key_timer(leg), WAIT)


def key_timer(leg: int) -> str:
    """The timer after which who answered has pressed no key."""
    return f"key_{leg}"


def _asked(state: Ringing, leg: int) -> Asked | None:
    return next((one for one in state.asked if one.leg == leg), None)


def _hearing(state: Ringing, playback: int) -> Asked | None:
    return next((one for one in state.asked if one.playback == playback), None)


def _awaited(state: Ringing, timer: str) -> Asked | None:
    return next((one for one in state.asked if one.playback is None and key_timer(one.leg) == timer), None)


def _with(state: Ringing, asked: Asked) -> Ringing:
    others = _without(state, asked.leg).asked
    return replace(state, asked=(*others, asked))


def _without(state: Ringing, leg: int) -> Ringing:
    return replace(state, asked=tuple(one for one in state.asked if one.leg != leg))
