"""What an event says of a call's legs, and of what is recorded, in every state: written down, and kept as
evidence."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from router.core import talks, visits
from router.core.call import (
    CALLER,
    RECORDING_FAILED,
    Call,
    InAsteriskQueue,
    LegState,
    SpokenMessage,
    with_evidence,
    with_flag,
    with_leg,
)
from router.core.events import (
    AgentOffered,
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentHungUp,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskLost,
    AsteriskQueueAbandoned,
    AsteriskQueueFollowed,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    BridgeLost,
    CallerJoined,
    CallerReplaced,
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegLeft,
    LegLost,
    LegReady,
    LegReplaced,
    LegRinging,
    LegUnheld,
    NumberRead,
    OfferWithdrawn,
    PeopleFound,
    PersonChosen,
    PlaybackEnded,
    QueueEnded,
    QueueJoined,
    QueueTold,
    RecordingEnded,
    RouterReturned,
    Supervised,
    TalkFound,
    TimerFired,
    TransferAsked,
    TransferLed,
)
from router.core.plan import AsteriskQueue, Message
from router.core.record import Evidence
from router.core.steps import asteriskqueue, offering


def observe(call: Call, event: CallEvent, now: datetime) -> Call:
    """Write into the legs what an event says of them, and keep it as evidence."""
    match event:
        case LegRinging(number):
            leg = call.legs[number]
            if leg.state in (LegState.CREATED, LegState.DIALLED):
                return with_leg(call, replace(leg, state=LegState.RINGING, ringing_at=now))
        case LegAnswered(number):
            leg = call.legs[number]
            # A caller who left us may be answered by the dialplan; that is no affair of this call any more.
            if leg.answered_at is None and leg.state not in (LegState.LEFT, LegState.ENDED):
                return with_leg(call, replace(leg, state=LegState.UP, answered_at=now))
        case HangupRequested(number, cause, soft):
            return with_evidence(call, Evidence(now, "hangup_requested", number, cause, soft=soft))
        case LegLeft(number):
            if number == CALLER and isinstance(call.state, InAsteriskQueue) and not call.state.away:
                step = call.step
                assert isinstance(step, AsteriskQueue)
                # As was commanded.
                return with_evidence(call, Evidence(now, visits.HANDED, detail=step.queue))
            if number == CALLER and not call.caller.gone:
                call = with_leg(call, replace(call.caller, state=LegState.LEFT))
            return with_evidence(call, Evidence(now, "left", number))
        case LegEnded(number, cause, tech_cause):
            ended = replace(
                call.legs[number], state=LegState.ENDED, ended_at=now, cause=cause, tech_cause=tech_cause
            )
            return with_evidence(with_leg(call, ended), Evidence(now, "ended", number, cause, tech_cause))
        case LegLost(number, since):
            lost = replace(call.legs[number], state=LegState.ENDED, ended_at=now, lost=True)
            # It ended somewhere between `since` and now; only what was seen counts as time spent.
            detail = f"since {since.isoformat()}" if since else ""
            return with_evidence(with_leg(call, lost), Evidence(since or now, "lost", number, detail=detail))
        case CommandFailed(command, number, status, reason):
            if command in offering.COMMANDS:
                call = with_leg(call, offering.refused(call.legs[number], event, now))
            elif command == "Record" and status:
                call = with_flag(replace(call, recording=None), RECORDING_FAILED)
            detail = f"{command}: {status} {reason}"
            return with_evidence(call, Evidence(now, "command_failed", number, detail=detail))
        case RecordingEnded(recording) if recording == call.recording:
            return _recorded(call, event, now)
        case TalkFound(number, dial, since):
            detail = f"{dial}, since {since.isoformat()}"
            return with_evidence(call, Evidence(now, "talk_found", number, detail=detail))
        case LegHeld(number):
            return talks.hold(call, number, now)
        case LegUnheld(number):
            return talks.unhold(call, number, now)
        case CallerJoined():
            return with_evidence(call, Evidence(now, "joined"))
        case Supervised(who, mode):
            return with_evidence(
                call, Evidence(now, "supervised", call.partner or 0, detail=f"{who}: {mode}")
            )
        case RouterReturned():
            return talks.unseen(call)
        case AsteriskQueueFollowed(whole=True):
            return asteriskqueue.followed(call)
        case AsteriskLost():
            for leg in call.legs:
                if not leg.gone:
                    call = with_leg(call, replace(leg, state=LegState.ENDED, ended_at=now, lost=True))
            return with_evidence(call, Evidence(now, "asterisk_lost"))
        case (
            LegReady()
            | PlaybackEnded()
            | KeyPressed()
            | RecordingEnded()
            | NumberRead()
            | PeopleFound()
            | PersonChosen()
            | QueueJoined()
            | QueueEnded()
            | AgentOffered()
            | OfferWithdrawn()
            | QueueTold()
            | AsteriskQueueJoined()
            | AsteriskAgentCalled()
            | AsteriskAgentMissed()
            | AsteriskAgentConnected()
            | AsteriskAgentLeft()
            | AsteriskAgentHungUp()
            | AsteriskQueueAbandoned()
            | AsteriskQueueLeft()
            | AsteriskQueueFollowed()
            | AsteriskQueueReturned()
            | AsteriskQueueLed()
            | TimerFired()
            | BridgeLost()
            | TransferAsked()
            | TransferLed()
            | LegReplaced()
            | CallerReplaced()
        ):
            pass  # Says nothing of a leg's life. A recording that is told of twice was ended by the first.
        case _:
            assert_never(event)
    return call


def _recorded(call: Call, event: RecordingEnded, now: datetime) -> Call:
    """Whoever spoke long enough has left a message, also by hanging up."""
    call = replace(call, recording=None)
    if event.failed:
        return with_evidence(with_flag(call, RECORDING_FAILED), Evidence(now, "recording_failed"))
    step = call.step
    assert isinstance(step, Message)
    enough = event.seconds >= step.shortest and not call.unwanted
    spoken = SpokenMessage(event.recording, event.seconds) if enough else None
    what = "recorded" if spoken else "not_left" if call.unwanted else "recorded_too_little"
    return with_evidence(replace(call, recorded=spoken), Evidence(now, what, detail=f"{event.seconds:g} s"))
