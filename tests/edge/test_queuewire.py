"""Asterisk's words on its own queues against the call machine's."""

from collections.abc import Mapping

import msgspec
import pytest

from router.core.call import CALLER, THE_CALLER, Call, Leg
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
    LegReady,
)
from router.core.plan import AsteriskQueue, CallPlan
from router.edge import queuewire
from router.edge.ari import models
from tests.edge.ari_server import event
from tests.edge.stories import TEN, a_call

CALL = Call(
    info=a_call("abcdefgh23456", channel="1.7"), plan=CallPlan(()), legs=(Leg(CALLER, TEN, THE_CALLER),)
)
KARI = {"Interface": "PJSIP/160", "MemberName": "Kari", "DestChannelStateDesc": "Ringing"}
DOWN = {**KARI, "DestChannelStateDesc": "Down"}

TOLD: list[tuple[str, Mapping[str, str], CallEvent | None]] = [
    ("QueueCallerJoin", {}, AsteriskQueueJoined()),
    ("QueueCallerLeave", {}, AsteriskQueueLeft()),
    ("QueueCallerAbandon", {}, AsteriskQueueAbandoned()),
    ("AgentCalled", KARI, AsteriskAgentCalled("Kari", "PJSIP/160")),
    ("AgentConnect", KARI, AsteriskAgentConnected("Kari", "PJSIP/160")),
    ("AgentRingNoAnswer", KARI, AsteriskAgentMissed("Kari", "PJSIP/160")),
    ("AgentRingNoAnswer", DOWN, AsteriskAgentMissed("Kari", "PJSIP/160", rang=False)),
    ("AgentDump", KARI, AsteriskAgentMissed("Kari", "PJSIP/160")),
    ("AgentComplete", {**KARI, "Reason": "agent", "TalkTime": "7"}, AsteriskAgentLeft("agent", "Kari", 7.0)),
    ("AgentComplete", {**KARI, "Reason": "caller"}, AsteriskAgentLeft("caller", "Kari")),
    ("QueueMemberStatus", KARI, None),
    ("SomethingNew", {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "headers", "means"), TOLD, ids=[f"{row[0]} {row[2]}" for row in TOLD])
def test_what_ami_tells(name: str, headers: Mapping[str, str], means: CallEvent | None) -> None:
    assert queuewire.read_ami({"Event": name, "Uniqueid": "1.7", **headers}) == means


BACK: list[tuple[str, str]] = [
    ("TIMEOUT", "timeout"),
    ("FULL", "full"),
    ("JOINEMPTY", "empty"),
    ("JOINUNAVAIL", "empty"),
    ("LEAVEEMPTY", "empty"),
    ("LEAVEUNAVAIL", "empty"),
    ("WITHDRAW", "withdrawn"),
    ("LEFT", "left"),
    ("CONTINUE", "answered"),
    ("UNKNOWN", "failed"),
    ("", "failed"),
]


@pytest.mark.parametrize(("status", "outcome"), BACK, ids=[row[0] for row in BACK])
def test_who_comes_back(status: str, outcome: str) -> None:
    assert queuewire.read_return(("queued", "3", status)) == AsteriskQueueReturned(3, outcome)


NOT_BACK = [(), ("queued",), ("queued", "x", "FULL"), ("queued", "-1", "FULL"), ("in", "3", "FULL")]


@pytest.mark.parametrize("args", NOT_BACK, ids=map(str, NOT_BACK))
def test_who_does_not(args: tuple[str, ...]) -> None:
    assert queuewire.read_return(args) is None


ENTERS: list[tuple[str, tuple[str, ...], int, CallEvent | None]] = [
    ("the caller, back", ("queued", "3", "FULL"), CALLER, AsteriskQueueReturned(3, "full")),
    ("the caller, led to a number", ("in", "+4722334450", ""), CALLER, AsteriskQueueLed("+4722334450")),
    ("the caller, called back", ("leg",), CALLER, LegReady(CALLER)),
    ("a leg", ("leg",), 1, LegReady(1)),
    ("a leg, as no leg does", ("in", "+4722334450"), 1, None),
]


@pytest.mark.parametrize(
    ("args", "leg", "means"), [row[1:] for row in ENTERS], ids=[row[0] for row in ENTERS]
)
def test_who_enters_the_application(args: tuple[str, ...], leg: int, means: CallEvent | None) -> None:
    start = msgspec.convert(event("StasisStart", "1.7", args=args), models.StasisStart)
    assert queuewire.read_event(start, leg) == means


def test_how_a_caller_is_sent_there() -> None:
    first, last = queuewire.write(CALL, EnterAsteriskQueue(3, AsteriskQueue("support", 90.4, answer=False)))
    names = ",".join(f"CALLROUTER_QUEUE{of}" for of in ("", "_FOR", "_ANSWER", "_STEP"))
    assert (first.method, first.path) == ("POST", "channels/1.7/variable")
    assert first.query == {"variable": f"ARRAY({names})", "value": "support,90,no,3"}
    assert (last.method, last.path) == ("POST", "channels/1.7/continue")
    assert last.query == {"context": "callrouter-queue", "extension": "s", "priority": "1"}
