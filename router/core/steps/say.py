"""`say`: the caller hears one prompt. Also what all steps share that play something to the caller."""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import (
    PROMPT_FAILED,
    Call,
    Commands,
    Done,
    Queueing,
    Ringing,
    Saying,
    Turn,
    with_evidence,
    with_flag,
)
from router.core.commands import AnswerCaller, Heard, OpenBridge, Play, StartMusic, StopMusic
from router.core.events import CallEvent, PlaybackEnded
from router.core.plan import Prompt, Queue, Ring, Step
from router.core.record import Evidence


def enter(call: Call, prompt: Prompt, now: datetime) -> Turn:
    """Answer the caller if that is not done yet, and play."""
    call, commands = play(call, (prompt,))
    return Turn(replace(call, state=Saying(call.playbacks)), commands)


def advance(call: Call, state: Saying, event: CallEvent, now: datetime) -> Turn:
    """Go on when the prompt is over."""
    if not isinstance(event, PlaybackEnded) or event.playback != state.playback:
        return Turn(call)
    return Turn(heard(call, event, now), outcome=Done())


def play(call: Call, prompts: tuple[Heard, ...]) -> tuple[Call, Commands]:
    """Play to the caller, one after the other, as the call's next playback."""
    playback = call.playbacks + 1
    call, commands = in_bridge(call)
    return replace(call, playbacks=playback), (*commands, Play(playback, prompts))


def in_bridge(call: Call) -> tuple[Call, Commands]:
    """The call with its caller answered and in its bridge, as far as that is not done yet."""
    bridge = () if call.bridged else (OpenBridge(),)
    call, answer = answered(call)
    return replace(call, bridged=True), (*answer, *bridge)


def answered(call: Call) -> tuple[Call, Commands]:
    """The call with its caller answered, if that is not done yet."""
    return replace(call, answering=True), () if call.answering else (AnswerCaller(),)


def music_again(call: Call) -> Commands:
    """What a gap may have swallowed of the music: that it plays while the caller waits, and not then."""
    steps = (call.plan.nodes[at].step for at in call.met)
    played = [music for step in steps if (music := _music_of(step))]
    if not played or not call.bridged:
        return ()
    match call.state:
        case Ringing() | Queueing(joined=True, playback=None):
            music = _music_of(call.step)
            return (StartMusic(music),) if music else (StopMusic(),)
        case _:
            return (StopMusic(),)


def _music_of(step: Step) -> str:
    match step:
        case Ring(music=music):
            return music
        case Queue(rules=rules):
            return rules.music
        case _:
            return ""


def heard(call: Call, event: PlaybackEnded, now: datetime) -> Call:
    """What the end of a prompt says. One that Asterisk could not play is noted, and never leaves a caller
    waiting."""
    if not event.failed:
        return call
    return with_evidence(with_flag(call, PROMPT_FAILED), Evidence(at=now, what="prompt_failed"))
