"""A command for the caller or for the talk failed: what that makes of the call.

What could not be played or recorded is over, to the step that wanted it, and has failed: that is an event
(`as_event`). All else concerns the call as a whole (`failed`). Failures to ring phones come to neither: steps
see those themselves (steps/offering.py).
"""

from datetime import datetime

from router.core import deadman, ending
from router.core.call import (
    Asking,
    Call,
    CallingBack,
    Commands,
    Ending,
    InAsteriskQueue,
    LegState,
    Messaging,
    Queueing,
    Ringing,
    Saying,
    Searching,
    Talking,
    with_flag,
)
from router.core.commands import AnswerCaller, Bridge, HangupReason, IndicateRinging, OpenBridge
from router.core.events import CallEvent, CommandFailed, PlaybackEnded, RecordingEnded
from router.core.steps import asteriskqueue, say

LIFT_FAILED = "lift_failed"
"""Flag of a call whose dead-man timer did not come off at once: it is tried a second time, not for ever."""

NO_REPLY = "no_reply"
"""Flag of a call for which Asterisk once did not reply in time: it is told a second time, not for ever."""

_HEARING = Saying | Asking | Messaging | Searching
"""The states in which something is played to the caller."""

_IN_BRIDGES = ("Play", "PlayToLeg", "Record", "StartMusic")
"""Commands that need a bridge."""


def means_nothing(event: CommandFailed) -> bool:
    """404 means that a channel is going, and its own events say more; but of what is done in a bridge, that
    there is none."""
    return event.status == 404 and event.command not in _IN_BRIDGES


def as_event(call: Call, event: CommandFailed) -> CallEvent | None:
    """What the failure is to the step that the call is in; None if it is not the step's affair."""
    match event.command:
        case "Play" if isinstance(call.state, Queueing) and call.state.playback is not None:
            return PlaybackEnded(call.state.playback, failed=True)
        case "Play" if isinstance(call.state, _HEARING) and call.playing:
            return PlaybackEnded(call.playing[0], failed=True)
        case "PlayToLeg" if isinstance(call.state, CallingBack):
            return PlaybackEnded(call.state.playback, failed=True)
        case "PlayToLeg" if isinstance(call.state, Ringing | Queueing):
            hearing = (one.playback for one in call.state.asked if one.leg == event.leg)
            playback = next((number for number in hearing if number is not None), None)
            return None if playback is None else PlaybackEnded(playback, failed=True)
        case "Record" if isinstance(call.state, Messaging) and event.status:
            return RecordingEnded(call.recordings, failed=True)
        case "EnterAsteriskQueue" if isinstance(call.state, InAsteriskQueue) and event.status:
            return event
        case _:
            return None


def failed(call: Call, event: CommandFailed, now: datetime) -> tuple[Call, Commands]:
    """What follows of all other failures: it is told once more, or done without, or the call ends."""
    match event.command:
        case "AnswerCaller" if call.caller.state is LegState.UP:
            return call, ()  # The reply was lost, not the answer.
        case "AnswerCaller" | "OpenBridge" | "Bridge" if event.status == 0:
            # Asterisk may have done it, or stands still for a moment, and then several have no reply at once.
            # Told twice they do no harm; whether it helped, the channels' own events will show.
            if NO_REPLY in call.flags:
                return call, ()
            bridge = Bridge(call.partner) if call.partner is not None else OpenBridge()
            answer = () if call.caller.state is LegState.UP else (AnswerCaller(),)
            return with_flag(call, NO_REPLY), (*answer, bridge)
        case "AnswerCaller" | "OpenBridge" | "Bridge":
            return ending.end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case "StartMusic" if isinstance(call.state, Ringing | Queueing):
            return call, (IndicateRinging(),)
        case "StopMusic" if event.status == 0 and NO_REPLY not in call.flags:
            return with_flag(call, NO_REPLY), say.music_again(call)
        case "EnterAsteriskQueue" if isinstance(call.state, InAsteriskQueue):
            if call.state.away or NO_REPLY in call.flags:
                return call, ()
            return with_flag(call, NO_REPLY), asteriskqueue.again(call)
        case "LiftDeadMan" if LIFT_FAILED not in call.flags and isinstance(call.state, Talking):
            return with_flag(call, LIFT_FAILED), deadman.lift(call.state.leg)
        case _:
            # Ringing tone, dead-man timers (set anew soon), hangups of lost legs (checked at the end).
            return call, ()
