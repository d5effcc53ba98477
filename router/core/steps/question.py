"""What all steps share in which the caller is asked for keys.

A question is asked TRIES times. A key stops it at once, so whoever knows the way need not listen. One that
is no answer, or none within WAIT seconds after the question, has it asked once more. An answer is one of a
few keys, or a row of them: `#` ends a row, and so does WAIT_MORE without another key; `*` has the question
asked once more.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from router.core.call import CALLER, Asking, Call, Commands, with_evidence
from router.core.commands import CallCommand, CancelTimer, Heard, SetTimer, StopPlayback
from router.core.events import CallEvent, KeyPressed, PlaybackEnded, RouterReturned, TimerFired
from router.core.record import Evidence
from router.core.steps import say

TIMER = "key"

WAIT = 2.0
"""Seconds of silence after the question. Never more: a caller who hears nothing thinks the call dead."""

WAIT_MORE = 4.0
"""Seconds for another key of a row that is begun: who looks up a number is no caller in doubt."""

WAIT_UNASKED = 5.0
"""Seconds for a key where there is no question."""

TRIES = 2

LONGEST_ROW = 20
"""Keys of a row; no number is longer."""

ROW_ENDS, ROW_BEGINS_ANEW = "#", "*"
"""Keys that end a row, and take back what was keyed of it. So a row cannot go on for ever."""

NO_ANSWER = ""
"""What comes of a question that the caller does not answer."""


class Question(NamedTuple):
    """What is asked."""

    prompts: tuple[Heard, ...]
    keys: Collection[str] | None
    """Those that answer it; None where the answer is a row of them."""
    wrong: Heard | None = None
    """What is said first to who pressed another; None where such a key is passed over."""


class Reply(NamedTuple):
    """What one event makes of a question."""

    call: Call
    asking: Asking
    """How the question stands,"""
    commands: Commands = ()
    answer: str | None = None
    """and once it is over the key, the row of keys, or NO_ANSWER."""


def ask(call: Call, question: Question, tries: int = 1, *first: Heard) -> Reply:
    """Ask, after saying `first`; for the first time, unless `tries` is more."""
    prompts = (*first, *question.prompts)
    if prompts:
        call, commands = say.play(call, prompts)
        return Reply(call, Asking(tries, call.playbacks), commands)
    call, commands = say.answered(call)
    wait: CallCommand = SetTimer(TIMER, WAIT_UNASKED)
    return Reply(call, Asking(tries), (*commands, wait))


def hear(call: Call, asking: Asking, question: Question, event: CallEvent, now: datetime) -> Reply:
    """Take one event while it is asked."""
    match event:
        case KeyPressed(leg, key) if leg == CALLER:
            return _pressed(call, asking, question, key, now)
        case PlaybackEnded(playback) if playback == asking.playback:
            call = say.heard(call, event, now)
            return Reply(call, replace(asking, playback=None), (SetTimer(TIMER, WAIT),))
        case TimerFired(timer) if timer == TIMER:
            if asking.row:
                return Reply(call, asking, (), asking.row)
            return _again(call, asking, question)
        case RouterReturned() if asking.playback is None:
            return Reply(call, asking, (SetTimer(TIMER, WAIT),))
        case _:
            # Keys of phones; prompts, timers and legs of earlier steps.
            return Reply(call, asking)


def _pressed(call: Call, asking: Asking, question: Question, key: str, now: datetime) -> Reply:
    if question.keys is None:
        return _row(pressed(call, key, now), asking, question, key)
    if key in question.keys:
        return Reply(pressed(call, key, now), asking, stop(asking), key)
    if question.wrong is None:
        return Reply(call, asking)
    reply = _again(pressed(call, key, now), asking, question, question.wrong)
    return reply._replace(commands=(*stop(asking), *reply.commands))


def _row(call: Call, asking: Asking, question: Question, key: str) -> Reply:
    """One key of a row."""
    silence = () if asking.playback is None else (StopPlayback(asking.playback),)
    asking = replace(asking, playback=None)
    if key == ROW_BEGINS_ANEW or (key == ROW_ENDS and not asking.row):
        reply = _again(call, asking, question)
        return reply._replace(commands=(*silence, CancelTimer(TIMER), *reply.commands))
    row = asking.row if key == ROW_ENDS else asking.row + key
    asking = replace(asking, row=row)
    if key == ROW_ENDS or len(row) == LONGEST_ROW:
        return Reply(call, asking, (*silence, CancelTimer(TIMER)), row)
    return Reply(call, asking, (*silence, SetTimer(TIMER, WAIT_MORE)))


def _again(call: Call, asking: Asking, question: Question, *first: Heard) -> Reply:
    if asking.tries >= TRIES:
        return Reply(call, asking, (), NO_ANSWER)
    return ask(call, question, asking.tries + 1, *first)


def pressed(call: Call, key: str, now: datetime) -> Call:
    """The call with a key as evidence."""
    return with_evidence(call, Evidence(now, "key_pressed", detail=key))


def stop(asking: Asking) -> Commands:
    """Stop what is being waited for."""
    return (CancelTimer(TIMER) if asking.playback is None else StopPlayback(asking.playback),)
