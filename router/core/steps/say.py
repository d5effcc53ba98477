"""`say`: the caller hears one prompt."""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import PROMPT_FAILED, Call, Done, Saying, Turn, with_evidence, with_flag
from router.core.commands import AnswerCaller, CallCommand, OpenBridge, Play
from router.core.events import CallEvent, PlaybackEnded
from router.core.plan import Say
from router.core.record import Evidence


def enter(call: Call, step: Say, now: datetime) -> Turn:
    """Answer the caller if that is not done yet, and play."""
    playback = call.playbacks + 1
    commands: tuple[CallCommand, ...] = (Play(playback, step.media),)
    if not call.playbacks:
        commands = (OpenBridge(), *commands)
    if not call.answering:
        commands = (AnswerCaller(), *commands)
    return Turn(replace(call, state=Saying(playback), playbacks=playback, answering=True), commands)


def advance(call: Call, state: Saying, event: CallEvent, now: datetime) -> Turn:
    """Go on when the prompt is over. One that Asterisk could not play is noted, and never leaves a caller
    waiting."""
    if not isinstance(event, PlaybackEnded) or event.playback != state.playback:
        return Turn(call)
    if event.failed:
        call = with_evidence(with_flag(call, PROMPT_FAILED), Evidence(at=now, what="prompt_failed"))
    return Turn(call, outcome=Done())
