"""`menu`, and the challenge: the caller is asked for a key.

The question is asked TRIES times. A key stops it at once, so whoever knows the way need not listen. A key
that leads nowhere, or none within WAIT seconds after the question, has it asked once more.
"""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import CALLER, Asking, Call, Turn, with_evidence
from router.core.commands import CallCommand, CancelTimer, SetTimer, StopPlayback
from router.core.events import CallEvent, KeyPressed, PlaybackEnded, RouterReturned, TimerFired
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import FAILED, OTHERWISE, PASSED, Challenge, Menu, Prompt
from router.core.record import Evidence
from router.core.steps import say

TIMER = "key"

WAIT = 2.0
"""Seconds of silence after the question. Never more: a caller who hears nothing thinks the call dead."""

WAIT_UNASKED = 5.0
"""Seconds for a key where there is no question."""

TRIES = 2


def enter(call: Call, now: datetime) -> Turn:
    """Ask for the first time."""
    return _ask(call, 1)


def advance(call: Call, state: Asking, event: CallEvent, now: datetime) -> Turn:
    """Take one event while the caller is to press a key."""
    match event:
        case KeyPressed(leg, key) if leg == CALLER:
            return _pressed(call, state, key, now)
        case PlaybackEnded(playback) if playback == state.playback:
            call = say.heard(call, event, now)
            return Turn(replace(call, state=Asking(state.tries)), (SetTimer(TIMER, WAIT),))
        case TimerFired(timer) if timer == TIMER:
            return _again(call, state)
        case RouterReturned() if state.playback is None:
            return Turn(call, (SetTimer(TIMER, WAIT),))
        case _:
            # Keys of phones; prompts, timers and legs of earlier steps.
            return Turn(call)


def _pressed(call: Call, state: Asking, key: str, now: datetime) -> Turn:
    call = with_evidence(call, Evidence(now, "key_pressed", detail=key))
    stop = CancelTimer(TIMER) if state.playback is None else StopPlayback(state.playback)
    outcome = _outcome(call, key)
    if outcome is not None:
        return Turn(call, (stop,), outcome)
    turn = _again(call, state, _no_such_key(call))
    return Turn(turn.call, (stop, *turn.commands), turn.outcome)


def _again(call: Call, state: Asking, *first: Prompt) -> Turn:
    if state.tries >= TRIES:
        return Turn(call, outcome=FAILED if isinstance(call.step, Challenge) else OTHERWISE)
    return _ask(call, state.tries + 1, *first)


def _ask(call: Call, tries: int, *first: Prompt) -> Turn:
    """Ask, after saying `first`."""
    prompts = (*first, *_question(call))
    if prompts:
        call, commands = say.play(call, prompts)
        return Turn(replace(call, state=Asking(tries, call.playbacks)), commands)
    call, commands = say.answered(call)
    wait: CallCommand = SetTimer(TIMER, WAIT_UNASKED)
    return Turn(replace(call, state=Asking(tries)), (*commands, wait))


def _question(call: Call) -> tuple[Prompt, ...]:
    step = call.step
    if isinstance(step, Challenge):
        return step.prompt, phrase(step.language, step.tone, Phrase.PRESS_KEY, key=key_of(call))
    assert isinstance(step, Menu)
    return () if step.prompt is None else (step.prompt,)


def _outcome(call: Call, key: str) -> str | None:
    """The way on by a key; None where it leads nowhere."""
    match call.step:
        case Menu(_, keys):
            return key if key in keys else None
        case _:
            return PASSED if key == key_of(call) else None


def _no_such_key(call: Call) -> Prompt:
    step = call.step
    assert isinstance(step, Menu | Challenge)
    return phrase(step.language, step.tone, Phrase.NO_SUCH_KEY)


def key_of(call: Call) -> str:
    """The key of a challenge: nobody knows it beforehand, and it is the same when the call is replayed."""
    return str(sum(call.info.id.encode()) % 10)
