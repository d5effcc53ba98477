"""How a call ends: all that it has made is told to end, what has not ended is waited for, and the record is
written. What it waits for, and why not for ever, is told in machine.py.

A call whose plan hands it to the dialplan ends when the caller's channel has left us for it.
"""

from datetime import datetime

from msgspec.structs import replace

from router.core import retelling
from router.core.call import (
    CALLER,
    Call,
    Commands,
    Ending,
    Leg,
    LegState,
    Over,
    Queueing,
    with_evidence,
    with_flag,
    with_leg,
)
from router.core.commands import (
    CallCommand,
    CancelTimers,
    DestroyBridge,
    DestroyLegBridge,
    DiscardRecording,
    Finish,
    HangUpLeg,
    HangupReason,
    LeaveQueue,
    ReturnToDialplan,
    SetTimer,
    StopRecording,
)
from router.core.disposition import make_record
from router.core.events import CallEvent, CommandFailed, RecordingEnded, RouterReturned, TimerFired
from router.core.plan import Dialplan
from router.core.record import Evidence
from router.core.steps import queue

CLEAN_UP = "clean_up"
"""The timer that looks after the ends we wait for."""

OVERDUE = 5.0
"""Seconds after which a channel that should be gone is told again."""

DEPARTURE = 1.0
"""Seconds we wait for the end of a caller who left our application without a hangup request. A channel that
died is gone at once; one that the dead-man timer took to the dialplan stays."""

MAX_CHECKS = 3

UNCLEAN = "unclean"
"""Flag of a call whose channels' ends were never all confirmed."""


def end(call: Call, ending: Ending, now: datetime, going: int | None = None) -> tuple[Call, Commands]:
    """Have everything hung up that is not gone, or `going` by itself; the record waits for the ends."""
    commands: list[CallCommand] = [CancelTimers()]
    reason = ending.reason or (HangupReason.CALLER_LEFT if going == CALLER else HangupReason.CALL_OVER)
    if call.caller.gone and ending.reason is not None:
        call = with_evidence(call, Evidence(now, "router_hung_up", detail=reason))
    for leg in call.legs:
        if not leg.gone and leg.intent is None and leg.number != going:
            call = _intend(call, leg, reason, now)
            commands.append(HangUpLeg(leg.number, reason))
    commands += [*_queue_left(call), *_made_gone(call)]
    call = replace(call, state=ending)
    if not _waits(call, ending):
        call, finish = _finish(call, now)
        return call, (*commands, *finish)
    departing = call.caller.state is LegState.LEFT
    return call, (*commands, SetTimer(CLEAN_UP, DEPARTURE if departing else OVERDUE))


def advance(call: Call, state: Ending, event: CallEvent, now: datetime) -> tuple[Call, Commands]:
    """Take one event while the ends are waited for."""
    handing_over = state.dialplan is not None and call.caller.state not in (LegState.LEFT, LegState.ENDED)
    match event:
        case CommandFailed("ReturnToDialplan", _, status) if handing_over and status != 404:
            return end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case TimerFired(timer) if timer == CLEAN_UP and handing_over:
            return end(call, Ending(HangupReason.COMMAND_FAILED), now)
        case RouterReturned() if handing_over:
            return call, (*retelling.told_again(call), _to_dialplan(call), SetTimer(CLEAN_UP, OVERDUE))
        case TimerFired(timer) if timer == CLEAN_UP:
            return _overdue(call, state, now)
        case RouterReturned():
            return _overdue(call, state, now)
        case RecordingEnded(recording, failed=False) if call.recorded is None:
            call, finish = (call, ()) if _waits(call, state) else _finish(call, now)
            return call, (DiscardRecording(recording), *finish)
        case _:
            # Only the ends count now, and those are observed; our commands may well fail.
            return (call, ()) if _waits(call, state) else _finish(call, now)


def lost(call: Call, now: datetime) -> tuple[Call, Commands]:
    """The end of a call whose Asterisk is gone, and with it all that could be waited for."""
    over, commands = _finish(call, now)
    return over, (*_queue_left(call), *commands)


def _queue_left(call: Call) -> Commands:
    """The caller waits no longer, and an agent's talk is over."""
    if isinstance(call.state, Queueing):
        return (LeaveQueue(queue.ABANDONED),)
    return (LeaveQueue(agent=call.agent),) if call.agent else ()


def _made_gone(call: Call) -> Commands:
    """End and remove all that the call has made; what is gone already does no harm."""
    recording = () if call.recording is None else (StopRecording(call.recording),)
    own = (DestroyLegBridge(leg.number) for leg in call.legs if leg.asked)
    return (*recording, *own, *((DestroyBridge(),) if call.has_bridge else ()))


def _intend(call: Call, leg: Leg, reason: HangupReason, now: datetime) -> Call:
    """Write down that we end a leg: our own intent outranks any cause that comes back."""
    call = with_leg(call, replace(leg, intent=reason))
    if leg.number == CALLER:
        call = with_evidence(call, Evidence(now, "router_hung_up", detail=reason))
    return call


def _to_dialplan(call: Call) -> ReturnToDialplan:
    step = call.step
    assert isinstance(step, Dialplan)
    return ReturnToDialplan(step.context, step.extension)


def _overdue(call: Call, state: Ending, now: datetime) -> tuple[Call, Commands]:
    """Demand again the ends that have not come; after MAX_CHECKS write the record without them."""
    state = replace(state, checks=state.checks + 1)
    call = replace(call, state=state)
    commands: list[CallCommand] = [*_made_gone(call)]
    for leg in _still_there(call, state):
        reason = leg.intent or HangupReason.NORMAL
        if leg.intent is None:
            call = _intend(call, leg, reason, now)
        commands.append(HangUpLeg(leg.number, reason))
    waits = _waits(call, state)
    if waits and state.checks < MAX_CHECKS:
        return call, (*commands, SetTimer(CLEAN_UP, OVERDUE))
    call, finish = _finish(with_flag(call, UNCLEAN) if waits else call, now)
    return call, (*commands, *finish)


def _waits(call: Call, state: Ending) -> bool:
    """Whether the record must wait for something that has not ended."""
    return call.recording is not None or bool(_still_there(call, state))


def _still_there(call: Call, state: Ending) -> list[Leg]:
    """The legs whose end is still to come. A caller in the dialplan is no longer ours to wait for."""
    kept = state.dialplan is not None or state.checks > 0
    return [leg for leg in call.legs if not leg.gone and not (kept and leg.state is LegState.LEFT)]


def _finish(call: Call, now: datetime) -> tuple[Call, Commands]:
    return replace(call, state=Over()), (Finish(make_record(call, now)),)
