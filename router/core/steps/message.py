"""`message` and `callback`: the caller leaves a message, or only a number at which to be called back.

A message is spoken after a tone. `#` ends it, and so do SILENCE seconds without speech, or the longest there
may be; 0 leaves without one, and the call goes on with the next step. Then the caller may send it, hear it,
or speak it again. Whoever hangs up after speaking has left it: how long they spoke is told when the
recording ends, whatever the call does by then (observe.py).

Then comes the number. An informal client takes it from the display; a formal one reads it back, and so is
every number that is keyed in. Who withholds it keys it in, and so do those who call from one of the client's
own, where nobody could call them back. A message without a number is a message; a wish to be called back
without one is none.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from router.core.call import (
    CALLER,
    RECORDING_FAILED,
    Asking,
    Call,
    CallbackNumber,
    Messaging,
    Settled,
    Stage,
    Turn,
    with_flag,
)
from router.core.commands import (
    CancelTimer,
    DiscardRecording,
    Heard,
    ReadNumber,
    Record,
    Recorded,
    SetTimer,
    StopRecording,
)
from router.core.events import (
    CallEvent,
    KeyPressed,
    NumberRead,
    PlaybackEnded,
    RecordingEnded,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase, spelled
from router.core.plan import OTHERWISE, Callback, Message, Say, Speak
from router.core.record import Disposition
from router.core.steps import question, say
from router.core.steps.question import NO_ANSWER, Question, Reply

TONE = Say("sound:beep")

SILENCE = 5
"""Seconds without speech that end a recording."""

TIMER = "recording"
"""The timer that ends a recording which Asterisk does not end itself."""

LATE = 5.0
"""Seconds until then, after the longest that there may be; and from a recording's being told to end until it
is given up."""

END, LEAVE = "#", "0"
"""Keys of who speaks."""
SEND, HEAR, AGAIN = "1", "2", "3"
"""Keys of who has spoken."""
RIGHT, WRONG = "1", "2"
"""Keys of who is asked whether a number is right."""
WANTED = "1"
"""The key of who wants to be called back."""

TRIES = 2
"""Recordings that are too short, and numbers that are none, until the caller is not asked any more."""

MOST_HEARD = 40
"""Prompts of a call after which its message is sent, and neither heard nor spoken again."""

CANCEL_TIMERS = (CancelTimer(TIMER),)

PHRASES = {
    Message: (
        Phrase.LEAVE_MESSAGE,
        Phrase.NOT_HEARD,
        Phrase.SEND_MESSAGE,
        Phrase.MESSAGE_LEFT,
    ),
    Callback: (Phrase.OFFER_CALLBACK, Phrase.CALLBACK_TAKEN),
}
"""What is said in each, besides what both say,"""
OF_NUMBERS = (
    Phrase.NO_SUCH_KEY,
    Phrase.KEY_IN_NUMBER,
    Phrase.OWN_NUMBER,
    Phrase.NO_NUMBER,
    Phrase.NUMBER_IS,
    Phrase.NUMBER_RIGHT,
)
"""which is this, and digits."""


def enter(call: Call, step: Message | Callback, now: datetime) -> Turn:
    """Have the display read, and invite the caller to speak, or offer to call back."""
    look = ReadNumber(call.info.caller)
    if isinstance(step, Message):
        turn = _invite(call, _invitation(call, step))
    else:
        turn = _ask(call, Messaging(Stage.OFFERED))
    return Turn(turn.call, (*turn.commands, look))


def advance(call: Call, state: Messaging, event: CallEvent, now: datetime) -> Turn:
    """Take one event while the caller leaves a message or a number."""
    if isinstance(event, NumberRead) and not (
        state.stage is Stage.READING and event.text == state.asking.row
    ):
        return Turn(displayed(call, event))
    match state.stage:
        case Stage.INVITED:
            return _invited(call, state, event, now)
        case Stage.RECORDING:
            return _recording(call, state, event, now)
        case Stage.READING:
            return _reading(call, state, event)
        case Stage.CLOSING:
            return _closing(call, state, event, now)
        case Stage.OFFERED | Stage.REVIEWING | Stage.KEYING | Stage.CONFIRMING:
            reply = question.hear(call, state.asking, _question(call, state), event, now)
            asked = _asked(reply, state)
            return asked if reply.answer is None else _after(asked, _answered(asked.call, state, reply))
        case _:
            assert_never(state.stage)


def displayed(call: Call, event: NumberRead) -> Call:
    """What the display shows counts until something else is known."""
    if call.callback is not None or event.text != call.info.caller:
        return call
    return replace(call, callback=_number_of(event))


def _after(first: Turn, turn: Turn) -> Turn:
    return Turn(turn.call, first.commands + turn.commands, turn.outcome)


# Speaking


def _invite(call: Call, prompts: tuple[Heard, ...], tries: int = 1, *, skipped: bool = False) -> Turn:
    """Let the caller speak after the tone."""
    call, commands = say.play(call, (*prompts, TONE))
    state = Messaging(Stage.INVITED, Asking(tries, call.playbacks), tries, skipped)
    return Turn(replace(call, state=state), commands)


def _invitation(call: Call, step: Message) -> tuple[Heard, ...]:
    said = () if step.say is None else (step.say,)
    return (*said, _phrase(call, Phrase.LEAVE_MESSAGE))


def _invited(call: Call, state: Messaging, event: CallEvent, now: datetime) -> Turn:
    step = _message(call)
    match event:
        case PlaybackEnded(playback) if playback == state.asking.playback:
            return _record(say.heard(call, event, now), state, step)
        case KeyPressed(leg, key) if leg == CALLER and key == END and not state.skipped:
            turn = _invite(question.pressed(call, key, now), (), state.tries, skipped=True)
            return Turn(turn.call, (*question.stop(state.asking), *turn.commands))
        case KeyPressed(leg, key) if leg == CALLER and key == LEAVE:
            return Turn(question.pressed(call, key, now), question.stop(state.asking), OTHERWISE)
        case _:
            # Other keys, keys of phones; prompts, timers and legs of earlier steps.
            return Turn(call)


def _record(call: Call, state: Messaging, step: Message) -> Turn:
    recording = call.recordings + 1
    state = Messaging(Stage.RECORDING, tries=state.tries)
    call = replace(call, recordings=recording, recording=recording, unwanted=False, state=state)
    return Turn(call, (Record(recording, step.longest, SILENCE), _limit(step)))


def _limit(step: Message) -> SetTimer:
    return SetTimer(TIMER, step.longest + LATE)


def _recording(call: Call, state: Messaging, event: CallEvent, now: datetime) -> Turn:
    """While the caller speaks."""
    match event:
        case RecordingEnded(recording, failed=failed) if recording == call.recordings:
            turn = Turn(call, outcome=OTHERWISE) if failed else _spoken(call, state)
            return Turn(turn.call, (*CANCEL_TIMERS, *turn.commands), turn.outcome)
        case KeyPressed(leg, key) if leg == CALLER and (key == LEAVE or (key == END and not state.stopped)):
            call = replace(question.pressed(call, key, now), unwanted=call.unwanted or key == LEAVE)
            return Turn(call) if state.stopped else _stop(call, state)
        case TimerFired(timer) if timer == TIMER and not state.stopped:
            return _stop(call, state)
        case TimerFired(timer) if timer == TIMER:
            # Nobody knows what there is; what was perhaps said is not removed.
            return Turn(with_flag(replace(call, recording=None), RECORDING_FAILED), outcome=OTHERWISE)
        case RouterReturned():
            return _stop(call, state) if state.stopped else Turn(call, (_limit(_message(call)),))
        case _:
            # Other keys, keys of phones; prompts, timers and legs of earlier steps.
            return Turn(call)


def _stop(call: Call, state: Messaging) -> Turn:
    """End the recording. Its end comes soon, or nobody waits for it any more."""
    call = replace(call, state=replace(state, stopped=True))
    return Turn(call, (StopRecording(call.recordings), SetTimer(TIMER, LATE)))


def _spoken(call: Call, state: Messaging) -> Turn:
    """The recording is over: was something said that the caller wants to leave?"""
    if call.recorded is not None:
        return _ask(call, Messaging(Stage.REVIEWING))
    if call.unwanted or state.tries >= TRIES:
        return _leave(call)
    turn = _invite(call, (_phrase(call, Phrase.NOT_HEARD),), state.tries + 1)
    return Turn(turn.call, (DiscardRecording(call.recordings), *turn.commands))


def _leave(call: Call) -> Turn:
    """Go on without a message."""
    return Turn(replace(call, recorded=None), (DiscardRecording(call.recordings),), OTHERWISE)


# Answering


def _ask(call: Call, state: Messaging, *first: Heard) -> Turn:
    return _asked(question.ask(call, _question(call, state), 1, *first), state)


def _asked(reply: Reply, state: Messaging) -> Turn:
    return Turn(replace(reply.call, state=replace(state, asking=reply.asking)), reply.commands)


def _question(call: Call, state: Messaging) -> Question:
    wrong = _phrase(call, Phrase.NO_SUCH_KEY)
    match state.stage:
        case Stage.OFFERED:
            return Question((_phrase(call, Phrase.OFFER_CALLBACK),), (WANTED,))
        case Stage.REVIEWING:
            return Question((_phrase(call, Phrase.SEND_MESSAGE),), (SEND, HEAR, AGAIN, LEAVE), wrong)
        case Stage.KEYING:
            return Question((_phrase(call, Phrase.KEY_IN_NUMBER),), None)
        case _:
            assert call.callback is not None
            digits = spelled(call.hears_in(_step(call).language), call.callback.said)
            prompts = (_phrase(call, Phrase.NUMBER_IS), *digits, _phrase(call, Phrase.NUMBER_RIGHT))
            return Question(prompts, (RIGHT, WRONG), wrong)


def _answered(call: Call, state: Messaging, reply: Reply) -> Turn:
    """A question is answered, or is not asked any more."""
    answer = reply.answer
    match state.stage:
        case Stage.OFFERED if answer == NO_ANSWER:
            return Turn(call, outcome=OTHERWISE)
        case Stage.REVIEWING if answer == LEAVE:
            return _leave(call)
        case Stage.REVIEWING if answer == AGAIN and call.playbacks < MOST_HEARD:
            turn = _invite(replace(call, recorded=None), ())
            return Turn(turn.call, (DiscardRecording(call.recordings), *turn.commands))
        case Stage.REVIEWING if answer == HEAR and call.playbacks < MOST_HEARD:
            return _ask(call, state, Recorded(call.recordings))
        case Stage.KEYING if answer == NO_ANSWER:
            return _close(call)
        case Stage.KEYING:
            reading = replace(state, stage=Stage.READING, asking=reply.asking)
            return Turn(replace(call, state=reading), (ReadNumber(reply.asking.row),))
        case Stage.CONFIRMING if answer == WRONG:
            return _key_in(replace(call, callback=None), state)
        case Stage.CONFIRMING:
            return _close(call)
        case _:
            return ask_number(call)


# The number


def ask_number(call: Call) -> Turn:
    """Come to the number at which to call back."""
    if call.callback is None:
        return _key_in(call, Messaging(Stage.KEYING))
    if _step(call).tone == "informal":
        return _close(call)
    return _ask(call, Messaging(Stage.CONFIRMING))


def _key_in(call: Call, state: Messaging, *first: Heard) -> Turn:
    """Ask for a number, unless that was done often enough."""
    if state.tries >= TRIES:
        return _close(call)
    return _ask(call, Messaging(Stage.KEYING, tries=state.tries + 1), *first)


def _reading(call: Call, state: Messaging, event: CallEvent) -> Turn:
    """A number was keyed in, and is being read."""
    match event:
        case NumberRead(own=own):
            number = _number_of(event)
            if number is not None:
                call = replace(call, callback=number)
                return _ask(call, Messaging(Stage.CONFIRMING, tries=state.tries))
            return _key_in(call, state, _phrase(call, Phrase.OWN_NUMBER if own else Phrase.NO_NUMBER))
        case RouterReturned():
            return Turn(call, (ReadNumber(state.asking.row),))
        case _:
            # Keys pressed too many; prompts, timers and legs of earlier steps.
            return Turn(call)


def _number_of(event: NumberRead) -> CallbackNumber | None:
    return CallbackNumber(event.number, event.said) if event.number else None


def _close(call: Call) -> Turn:
    """Thank the caller; from now on the call is settled. A wish to be called back nowhere is none."""
    if isinstance(call.step, Message):
        disposition, thanks = Disposition.MESSAGE_LEFT, Phrase.MESSAGE_LEFT
    elif call.callback is None:
        return Turn(call, outcome=OTHERWISE)
    else:
        kept = call.queued_since is not None
        thanks = Phrase.PLACE_KEPT if kept else Phrase.CALLBACK_TAKEN
        disposition = Disposition.CALLBACK_REQUESTED
    call, commands = say.play(call, (_phrase(call, thanks),))
    closing = Messaging(Stage.CLOSING, Asking(1, call.playbacks))
    return Turn(replace(call, state=closing, settled=Settled(disposition)), commands)


def _closing(call: Call, state: Messaging, event: CallEvent, now: datetime) -> Turn:
    if not isinstance(event, PlaybackEnded) or event.playback != state.asking.playback:
        return Turn(call)
    return Turn(say.heard(call, event, now), outcome=call.settled)


# Words


def _step(call: Call) -> Message | Callback:
    step = call.wish or call.step
    assert isinstance(step, Message | Callback)
    return step


def _message(call: Call) -> Message:
    step = call.step
    assert isinstance(step, Message)
    return step


def _phrase(call: Call, which: Phrase) -> Speak:
    step = _step(call)
    return phrase(call.hears_in(step.language), step.tone, which)
