"""What other systems are told of calls and agents, as calls go on."""

from datetime import timedelta

import msgspec
import pytest

from router.core import machine, notices
from router.core.agents import AgentChange, Change
from router.core.corrections import Correction
from router.core.events import (
    AgentOffered,
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskQueueJoined,
    AsteriskQueueLeft,
    CallEvent,
    LegAnswered,
    LegEnded,
    LegLeft,
    LegReady,
    LegRinging,
    PlaybackEnded,
    QueueJoined,
)
from router.core.notices import About, AgentChanged, CallEnded, CallMessage, CallTagged, Notice
from router.core.plan import AsteriskQueue, CallPlan, Delivery, Queue, SetTags
from router.core.record import AttemptOutcome, Disposition, LeftMessage, Party, TalkEnd
from router.core.tags import CallTag, Way
from tests.unit.story import (
    ANNA,
    ARRIVAL,
    CALLER_BYE,
    CALLER_UP,
    HELLO,
    INFO,
    RING_ANNA,
    RING_BOTH,
    gone,
    plan,
    story,
    talk,
)

DESK = Queue("desk", ("anna",), 60.0, phones={"anna": (ANNA,)})
THEIRS = AsteriskQueue("support", 60.0)
ABOUT = About("aaaaaaaaaaaaa", "fjord", "sales", "+4721000000", "+4790000001", ARRIVAL)


def told(the_plan: CallPlan, *events: CallEvent) -> list[Notice]:
    """What is told of the steps of a call, whose events come each a second after the one before."""
    call, _ = machine.begin(INFO, the_plan, ARRIVAL)
    found: list[Notice] = []
    for seq, event in enumerate(events, start=1):
        now = ARRIVAL + timedelta(seconds=seq)
        before = call
        call, _ = machine.step(before, event, now)
        notice = notices.of_step(before, call, event, seq, now)
        found += [] if notice is None else [notice]
    return found


def in_words(notice: Notice) -> str:
    """Its type and what it says besides whose it is."""
    values = msgspec.structs.asdict(notice)
    said = [f"{name}={values[name]}" for name in ("target", "dial", "queue", "by") if name in values]
    return " ".join([notices.type_of(notice), *said])


CASES: dict[str, tuple[CallPlan, tuple[CallEvent, ...], list[str]]] = {
    "a phone rings and is answered": (
        plan(RING_ANNA),
        talk(),
        ["call.ringing target=anna dial=PJSIP/anna", "call.answered by=anna"],
    ),
    "two phones ring": (
        plan(RING_BOTH),
        (LegReady(1), LegReady(2), LegRinging(2), LegRinging(1)),
        ["call.ringing target=bo dial=PJSIP/bo", "call.ringing target=anna dial=PJSIP/anna"],
    ),
    "a phone says twice that it rings": (
        plan(RING_ANNA),
        (LegReady(1), LegRinging(1), LegRinging(1)),
        ["call.ringing target=anna dial=PJSIP/anna"],
    ),
    "a phone says so after it was answered": (
        plan(RING_ANNA),
        (LegReady(1), LegAnswered(1), LegRinging(1)),
        [],
    ),
    "the caller waits, and an agent answers": (
        plan(DESK),
        (QueueJoined(), AgentOffered("anna"), *talk()),
        ["call.queued queue=desk", "call.ringing target=anna dial=PJSIP/anna", "call.answered by=anna"],
    ),
    "a queue that lets in nobody who is no longer there": (plan(HELLO, DESK), (QueueJoined(),), []),
    "a queue of Asterisk's own": (
        plan(THEIRS),
        (
            LegLeft(0),
            CALLER_UP,
            AsteriskQueueJoined(),
            AsteriskAgentCalled("Kari", "PJSIP/160"),
            AsteriskQueueLeft(),
            AsteriskAgentConnected("Kari", "PJSIP/160"),
        ),
        ["call.queued queue=support", "call.ringing target=Kari dial=PJSIP/160", "call.answered by=Kari"],
    ),
    "a prompt, and the caller leaves": (
        plan(HELLO),
        (CALLER_UP, PlaybackEnded(1), CALLER_BYE, *gone()),
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_steps_are_told(name: str) -> None:
    the_plan, events, expected = CASES[name]
    assert [in_words(notice) for notice in told(the_plan, *events)] == expected


def test_each_step_has_an_id_of_its_own_and_its_moment() -> None:
    ringing, answered = told(plan(RING_ANNA), *talk())
    assert (ringing.id, answered.id) == ("aaaaaaaaaaaaa.2", "aaaaaaaaaaaaa.4")
    assert ringing.at == ARRIVAL + timedelta(seconds=2)


def test_an_arrival_is_told_and_where_the_call_is_sent() -> None:
    arrived, routed = notices.of_arrival(INFO)
    assert msgspec.to_builtins(arrived) == {
        "type": "call.arrived",
        "id": "aaaaaaaaaaaaa.arrived",
        "at": "2026-11-23T09:00:00Z",
        "version": 1,
        "call": msgspec.to_builtins(ABOUT),
    }
    assert (notices.type_of(routed), routed.id) == ("call.routed", "aaaaaaaaaaaaa.routed")


def test_an_end_is_told_with_all_that_a_ticket_needs() -> None:
    record = story(plan(RING_ANNA), *talk(), CALLER_BYE, *gone(), LegLeft(1), LegEnded(1, 16)).record
    (ended,) = notices.of_end(record)
    assert isinstance(ended, CallEnded)
    assert (ended.id, ended.call) == ("aaaaaaaaaaaaa.ended", ABOUT)
    assert (ended.disposition, ended.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert (ended.answered_by, ended.talk_seconds) == ("anna", record.talk_seconds)
    assert [attempt.outcome for attempt in ended.attempts] == [AttemptOutcome.ANSWERED]
    assert [one.end for one in ended.talks] == [TalkEnd.HUNG_UP]


def test_what_the_rules_tagged_a_call_with_is_told_before_the_end() -> None:
    record = story(plan(SetTags(("vip",)), HELLO), CALLER_BYE, *gone()).record
    tagged, ended = notices.of_end(record)
    assert tagged == notices.of_tag(record.tags[0], ABOUT), "the same as was told when it was put there"
    assert notices.type_of(ended) == "call.ended"


def test_a_correction_is_told_with_what_was_derived() -> None:
    made = Correction(
        "aaaaaaaaaaaaa", Disposition.BUSY, "the wrong desk", "kari", Way.COMMAND, ARRIVAL, "pbx"
    )
    told = msgspec.to_builtins(notices.of_correction(made, Disposition.ANSWERED, ABOUT))
    assert (told["type"], told["disposition"], told["automatic"]) == ("call.corrected", "busy", "answered")
    assert (told["why"], told["who"], told["place"]) == ("the wrong desk", "kari", "pbx")
    assert told["id"] == f"aaaaaaaaaaaaa.corrected.{round(ARRIVAL.timestamp() * 1e6)}"


def test_a_message_is_told_before_the_end() -> None:
    record = story(plan(HELLO), CALLER_BYE, *gone()).record
    left = LeftMessage(
        ("kari",), "nb", Delivery((), "", 90), callback="+4790000009", recording=1, seconds=4.5
    )
    message, ended = notices.of_end(msgspec.structs.replace(record, message=left))
    assert isinstance(message, CallMessage)
    assert (message.to, message.callback, message.seconds) == (("kari",), "+4790000009", 4.5)
    assert message.id == "aaaaaaaaaaaaa.message"
    assert notices.type_of(ended) == "call.ended"


def test_a_tag_is_told_and_told_again_when_it_is_taken_off() -> None:
    tag = CallTag("aaaaaaaaaaaaa", "booking", "kari", Way.PHONE, ARRIVAL)
    off = msgspec.structs.replace(tag, removed=True, at=ARRIVAL + timedelta(microseconds=1))
    first, second = notices.of_tag(tag, ABOUT), notices.of_tag(off, ABOUT)
    assert isinstance(first, CallTagged)
    assert isinstance(second, CallTagged)
    assert (first.tag, first.removed, first.who, first.way) == ("booking", False, "kari", Way.PHONE)
    assert second.removed
    assert first.id != second.id


def test_an_agent_is_told() -> None:
    change = AgentChange(7, "fjord", "kari", Change.PAUSED, "lunch", "root", ARRIVAL)
    notice = notices.of_agent(change)
    assert isinstance(notice, AgentChanged)
    assert (notice.id, notice.client, notice.person, notice.change) == (
        "agent.7",
        "fjord",
        "kari",
        Change.PAUSED,
    )
    assert (notice.reason, notice.who, notice.at) == ("lunch", "root", ARRIVAL)
