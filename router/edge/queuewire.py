"""Asterisk's words on its own queues <-> the call machine's words: dialplan, ARI and AMI. Pure.

Into a queue callers go by the dialplan's context callrouter-queue, which they enter with variables set
before; back they come into our application, with what has become of it (callrouter.conf), or as everybody
who dials a number, where an agent or a key of the queue has led them to one. What happens in between AMI
tells, of the caller's channel by `Uniqueid`: it is the id that ARI has for it.
"""

from collections.abc import Mapping, Sequence

from router.core.call import CALLER, Call
from router.core.commands import EnterAsteriskQueue
from router.core.events import (
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskAgentLeft,
    AsteriskAgentMissed,
    AsteriskQueueAbandoned,
    AsteriskQueueJoined,
    AsteriskQueueLed,
    AsteriskQueueLeft,
    AsteriskQueueReturned,
    CallEvent,
)
from router.core.plan import AsteriskQueueOutcome
from router.core.steps.queue import ANSWERED
from router.edge.ari import models, wire

QUEUED = "queued"
"""The first argument with which the dialplan hands back who was in a queue; the position of the plan and the
queue's status follow."""

CONTEXT = "callrouter-queue"
"""Where the dialplan takes a caller into a queue. The contexts that belong to it begin so, too."""

BREAK_GLASS = "callrouter-breakglass"
"""Where the dialplan takes callers whom no router has."""

_STATUS = {
    "FULL": AsteriskQueueOutcome.FULL,
    "JOINEMPTY": AsteriskQueueOutcome.EMPTY,
    "LEAVEEMPTY": AsteriskQueueOutcome.EMPTY,
    "JOINUNAVAIL": AsteriskQueueOutcome.EMPTY,
    "LEAVEUNAVAIL": AsteriskQueueOutcome.EMPTY,
    "TIMEOUT": AsteriskQueueOutcome.TIMEOUT,
    "LEFT": AsteriskQueueOutcome.LEFT,
    "WITHDRAW": AsteriskQueueOutcome.WITHDRAWN,
    "CONTINUE": ANSWERED,
}
"""QUEUESTATUS, and our dialplan's LEFT. Any other, such as UNKNOWN: there is no such queue (22.10.1)."""

AMI_EVENTS = "agent"
"""The class of events that all of ours are in (manager.conf: `read = agent`)."""


def write(call: Call, command: EnterAsteriskQueue) -> tuple[wire.Request, ...]:
    """The ARI requests that send the caller into a queue, in order. All variables are set at once: no value
    has a comma."""
    step = command.step
    variables = {
        "CALLROUTER_QUEUE": step.queue,
        "CALLROUTER_QUEUE_FOR": str(round(step.wait_for)),
        "CALLROUTER_QUEUE_ANSWER": "yes" if step.answer else "no",
        "CALLROUTER_QUEUE_STEP": str(command.position),
    }
    array = {"variable": f"ARRAY({','.join(variables)})", "value": ",".join(variables.values())}
    there = {"context": CONTEXT, "extension": "s", "priority": "1"}
    caller = f"channels/{call.info.channel}"
    return (
        wire.Request("POST", f"{caller}/variable", array),
        wire.Request("POST", f"{caller}/continue", there),
    )


def read_return(args: Sequence[str]) -> AsteriskQueueReturned | None:
    """What came of the queue for a caller who entered the application by `args`; None for anybody else."""
    if len(args) != 3 or args[0] != QUEUED or not args[1].isdecimal():
        return None
    return AsteriskQueueReturned(int(args[1]), _STATUS.get(args[2], AsteriskQueueOutcome.FAILED))


def read_event(event: models.Event, leg: int) -> CallEvent | None:
    """What an event of a leg's channel means for its call; None if nothing."""
    if isinstance(event, models.StasisStart) and leg == CALLER and event.replace_channel is None:
        entrance = wire.read_entrance(event.args)
        back = read_return(event.args) if entrance is None else AsteriskQueueLed(entrance.dialled)
        return back or wire.read_event(event, leg)
    return wire.read_event(event, leg)


def read_ami(event: Mapping[str, str]) -> CallEvent | None:
    """What an event of AMI means for the caller whose channel it is of; None if nothing."""
    agent, dial = event.get("MemberName", ""), event.get("Interface", "")
    match event.get("Event"):
        case "QueueCallerJoin":
            return AsteriskQueueJoined()
        case "AgentCalled":
            return AsteriskAgentCalled(agent, dial)
        case "AgentRingNoAnswer":
            return AsteriskAgentMissed(agent, dial, rang=event.get("DestChannelStateDesc") == "Ringing")
        case "AgentDump":  # hung up while hearing what is announced to agents
            return AsteriskAgentMissed(agent, dial)
        case "AgentConnect":
            return AsteriskAgentConnected(agent, dial)
        case "AgentComplete":
            return AsteriskAgentLeft(event.get("Reason", ""), agent, _seconds(event.get("TalkTime", "")))
        case "QueueCallerAbandon":
            return AsteriskQueueAbandoned()
        case "QueueCallerLeave":
            return AsteriskQueueLeft()
        case _:
            return None  # Of agents who come and go, and what else the class has.


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
