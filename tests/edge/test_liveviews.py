"""Live calls as they are shown: where each caller is, who is rung, and who talks."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from router.core.call import LegState
from router.core.events import (
    AgentOffered,
    AsteriskAgentCalled,
    AsteriskAgentConnected,
    AsteriskQueueJoined,
    LegEnded,
    LegLeft,
    LegReady,
    QueueJoined,
)
from router.core.plan import AsteriskQueue, Queue
from router.core.record import Phase
from router.edge.liveviews import seen
from tests.unit.story import (
    ANNA,
    ARRIVAL,
    BO,
    CALLER_UP,
    HELLO,
    RING_ANNA,
    RING_BOTH,
    Story,
    plan,
    rings,
    story,
    talk,
)

DESK = Queue("desk", ("anna", "bo"), 60.0, phones={"anna": (ANNA,), "bo": (BO,)})
CREATED, RINGING, UP = LegState.CREATED, LegState.RINGING, LegState.UP
IN_ASTERISK_QUEUE = (CALLER_UP, LegLeft(0), AsteriskQueueJoined())

SEEN = [
    ("hears a greeting", story(plan(HELLO, RING_ANNA)), Phase.GREETING, "saying", None, None, []),
    ("phones ring", story(plan(RING_BOTH), rings(1)), Phase.RINGING, "ringing", None, None,
     [("anna", RINGING), ("bo", CREATED)]),
    ("one is busy", story(plan(RING_BOTH), rings(1), LegEnded(1, 17, 486)), Phase.RINGING, "ringing", None,
     None, [("bo", CREATED)]),
    ("talks", story(plan(RING_ANNA), talk()), Phase.TALKING, "talking", None, "anna", [("anna", UP)]),
    ("waits", story(plan(DESK), QueueJoined()), Phase.QUEUE, "queueing", "desk", None, []),
    ("is offered", story(plan(DESK), QueueJoined(), AgentOffered("anna"), LegReady(1)), Phase.QUEUE,
     "queueing", "desk", None, [("anna", LegState.DIALLED)]),
    ("waits in Asterisk's own", story(plan(AsteriskQueue("ours", 60.0)), IN_ASTERISK_QUEUE), Phase.QUEUE,
     "in_asterisk_queue", "ours", None, []),
    ("talks there", story(plan(AsteriskQueue("ours", 60.0)), IN_ASTERISK_QUEUE,
     AsteriskAgentCalled("Kari", "PJSIP/160"), AsteriskAgentConnected("Kari", "PJSIP/160")), Phase.TALKING,
     "in_asterisk_queue", None, "Kari", []),
    ("found nobody", story(plan(RING_ANNA), LegEnded(1, 17, 486)), Phase.RINGING, "ending", None, None, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "phase", "state", "queue", "talks_with", "phones"),
    [row[1:] for row in SEEN],
    ids=[row[0] for row in SEEN],
)
def test_a_call_as_it_stands(
    call: Story,
    phase: Phase,
    state: str,
    queue: str | None,
    talks_with: str | None,
    phones: list[tuple[str, LegState]],
) -> None:
    (shown,) = seen([call.call])
    assert (shown.id, shown.client, shown.caller) == ("aaaaaaaaaaaaa", "fjord", "+4790000001")
    assert (shown.phase, shown.state, shown.queue, shown.talks_with) == (phase, state, queue, talks_with)
    assert (shown.talking_since is not None) is (talks_with is not None)
    assert [(phone.target, phone.state) for phone in shown.phones] == phones


def test_who_arrived_first_is_shown_first() -> None:
    first = story(plan(HELLO)).call
    later = replace(first, info=replace(first.info, id="bbb", arrived_at=ARRIVAL + timedelta(seconds=1)))
    assert [call.id for call in seen([later, first])] == ["aaaaaaaaaaaaa", "bbb"]


def test_a_feature_code_is_no_live_call() -> None:
    call = story(plan(HELLO)).call
    keyed_in = replace(call, info=replace(call.info, id="bbb", dialled="code12", route="agent code kept"))
    assert [shown.id for shown in seen([call, keyed_in])] == ["aaaaaaaaaaaaa"]


def test_a_phone_is_shown_since_it_last_changed() -> None:
    def since(call: Story) -> float:
        return (seen([call.call])[0].phones[0].since - ARRIVAL).total_seconds()

    assert since(story(plan(RING_ANNA))) == 0.0
    assert since(story(plan(RING_ANNA), rings())) == 2.0
    assert since(story(plan(RING_ANNA), talk())) == 3.0
