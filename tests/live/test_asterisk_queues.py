"""Callers in queues of Asterisk's own, followed by AMI: who talks, who hangs up, and what is not known."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from router.core.record import AttemptOutcome, CallRecord, Disposition, Party, Phase, TalkEnd
from tests.harness.proxy import Line
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCEL,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    INVITE_HEARING,
    PICK_UP,
    RINGING,
    TRYING,
    Callee,
    Caller,
    Move,
    bye,
    pause,
    refer,
    refused,
    register,
    reject,
)
from tests.harness.sipp import hang_up as hang_up_as_agent
from tests.harness.softphone import Softphone
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.room import Room

pytestmark = pytest.mark.live

NUMBERS = {
    "desk": "+4722334450",
    "pair": "+4722334451",
    "small": "+4722334452",
    "strict": "+4722334453",
    "keyed": "+4722334454",
    "elsewhere": "+4722334455",
    "nowhere": "+4722334456",
    "unanswered": "+4722334457",
    "patient": "+4722334458",
    "nina": "+4722334459",
}
RULES = """\
client: fjord
name: Fjord
numbers: "+47 22 33 44 5x"
timezone: Europe/Oslo
country: NO
people: {nina: {rings: PJSIP/100}}
last_resort: [hangup]
routes:
  - name: desk
    when: {dialled: "+47 22 33 44 50"}
    do: [{queue: {asterisk: desk}, for: 4s}, {ring: nina, for: 3s}]
  - {name: pair, when: {dialled: "+47 22 33 44 51"}, do: [{queue: {asterisk: pair}, for: 1m}]}
  - name: small
    when: {dialled: "+47 22 33 44 52"}
    do: [{queue: {asterisk: small, answer: false}, for: 6s, on: {full: [decline: busy]}}]
  - name: strict
    when: {dialled: "+47 22 33 44 53"}
    do: [{queue: {asterisk: strict}, on: {empty: [{tag: follow_up_needed}]}}]
  - name: keyed
    when: {dialled: "+47 22 33 44 54"}
    do: [{queue: {asterisk: keyed}, for: 1m, on: {left: [{ring: nina}]}}]
  - {name: elsewhere, when: {dialled: "+47 22 33 44 55"}, do: [{queue: {asterisk: elsewhere}, for: 1m}]}
  - name: nowhere
    when: {dialled: "+47 22 33 44 56"}
    do: [{queue: {asterisk: nowhere}, on: {failed: [{tag: follow_up_needed}]}}, {ring: nina, for: 3s}]
  - name: unanswered
    when: {dialled: "+47 22 33 44 57"}
    do: [{queue: {asterisk: desk, answer: false}, for: 1m}]
  - {name: patient, when: {dialled: "+47 22 33 44 58"}, do: [{queue: {asterisk: desk}, for: 1m}]}
  - {name: nina, when: {dialled: "+47 22 33 44 59"}, do: [{ring: nina, for: 20s}]}
"""
AGENTS = {"desk": 160, "ola": 161, "per": 162, "small": 163, "keyed": 165, "elsewhere": 166, "nina": 100}
KARI = "Kari Nordmann"
IGNORES = (CALLED, RINGING, CANCELLED)
TAKES = (CALLED, RINGING, pause(0.5), PICK_UP)
WAITS = (INVITE, ANSWERED, HUNG_UP_ON)


def leaves(after: float) -> tuple[Move, ...]:
    """A caller who is answered, and hangs up."""
    return (INVITE, ANSWERED, pause(after), bye())


def disposition_of(record: CallRecord) -> tuple[Disposition, str, Party | None]:
    return record.disposition, record.reason, record.hung_up_by


class Office(Room):
    """A sandbox with queues of its own, and its router, with AMI over a line that can be cut."""

    line: Line

    def agent(self, name: str, *moves: Move, calls: int | None = 1) -> Callee:
        """What an agent's phone does."""
        phone = Callee(*moves, calls=calls)
        self._stack.callback(phone.stop)
        phone.listening()
        account = self.sandbox.phones[AGENTS[name] - 100]
        register(self.sandbox, [(account, phone.port)])
        self._queue_knows(name, account.endpoint)
        return phone

    def softphone(self, name: str) -> Softphone:
        """The phone of an agent, with hands of its own."""
        account = self.sandbox.phones[AGENTS[name] - 100]
        phone = Softphone(self.sandbox, account)
        self.at_end(phone.close)
        self._queue_knows(name, account.endpoint)
        return phone

    def _queue_knows(self, name: str, endpoint: str) -> None:
        free = f"({endpoint}) (ringinuse disabled) (Not in use)"
        if name != "nina":
            wait_until(lambda: free in self.sandbox.cli("queue show"), "the queue knows of the agent's phone")

    def caller(self, queue: str, *moves: Move, **more: Any) -> Caller:
        caller = Caller(self.sandbox, NUMBERS[queue], *(moves or WAITS), **more)
        self._stack.callback(caller.stop)
        return caller

    def record_of(self, queue: str, count: int, within: float = 20.0) -> CallRecord:
        """The latest of so many."""
        return self.router.records(NUMBERS[queue], within, count)[0]

    def next_of(self, queue: str) -> int:
        return self.next_record(NUMBERS[queue])

    def they_talk(self) -> None:
        wait_until(lambda: len(self.sandbox.bridges()) == 1, "they talk", within=15.0)

    def agent_is_hung_up(self) -> None:
        """The talk is ended on the agent's side."""
        [agent] = [one["id"] for one in self.sandbox.ari("GET", "channels") if "/160-" in one["name"]]
        self.sandbox.ari("DELETE", f"channels/{agent}")

    def ami_is(self, up: bool) -> None:
        wait_until(lambda: self.router.metrics()["callrouter_ami_up"] == up, f"AMI {'up' if up else 'down'}")

    def timeline(self, queue: str) -> list[str]:
        """What is written down of the call to a queue that is not over."""
        stories = (
            one for one in self.router.stories() if one.info.dialled == NUMBERS[queue] and not one.record
        )
        return [json.loads(row.event)["event"] for story in stories for row in story.timeline]

    def happens(self, queue: str, *events: str) -> None:
        """Wait until all these are in it."""
        wait_until(lambda: set(events) <= {*self.timeline(queue)}, f"{' and '.join(events)} in {queue}")


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> Iterator[tuple[Sandbox, RouterProcess, Line]]:
    sandbox = bring_up("--rtp-timeout=0")
    ami = sandbox.facts["ami"]
    line = Line(ami["port"])
    try:
        settings = {"port": line.port, "user": f"{ami['username']}-queues", "secret": ami["secret"]}
        yield sandbox, run_router(sandbox, {"fjord.yaml": RULES}, ami=settings), line
    finally:
        line.close()


@pytest.fixture
def office(running: tuple[Sandbox, RouterProcess, Line]) -> Iterator[Office]:
    sandbox, router, line = running
    with ExitStack() as stack:
        office = Office(sandbox, router, stack)
        office.line = line
        office.ami_is(up=True)
        yield office
        line.restore()
    wait_until(lambda: sandbox.left_behind() == [], "nothing is left in Asterisk")


def outcomes(record: CallRecord) -> list[tuple[str, AttemptOutcome]]:
    return [(one.target, one.outcome) for one in record.attempts]


def talks(record: CallRecord) -> list[tuple[str, TalkEnd]]:
    return [(talk.who, talk.end) for talk in record.talks]


ENDS: dict[str, tuple[tuple[Move, ...], tuple[Move, ...], Party]] = {
    "the agent": ((*TAKES, pause(1.5), hang_up_as_agent()), WAITS, Party.CALLEE),
    "the caller": ((*TAKES, HUNG_UP_ON), leaves(3.0), Party.CALLER),
}


@pytest.mark.parametrize(("agent", "caller", "by"), ENDS.values(), ids=ENDS)
def test_a_talk_with_an_agent_ended_by(
    office: Office, agent: tuple[Move, ...], caller: tuple[Move, ...], by: Party
) -> None:
    count = office.next_of("patient")
    office.agent("desk", *agent)
    assert office.caller("patient", *caller).wait().as_written
    record = office.record_of("patient", count)
    ended = record.disposition, record.hung_up_by, record.phase
    assert ended == (Disposition.ANSWERED, by, Phase.TALKING), record
    # AMI may forget to say who it was; ARI tells of the agent's own request besides.
    (story,) = (one for one in office.router.stories() if one.info.id == record.info.id)
    seen = {json.loads(row.event)["event"] for row in story.timeline}
    assert ("AsteriskAgentHungUp" in seen) == (by is Party.CALLEE)
    assert record.answered_by == KARI
    assert outcomes(record) == [(KARI, AttemptOutcome.ANSWERED)]
    assert record.wait_seconds == pytest.approx(1.1, abs=0.8)
    assert record.talk_seconds == pytest.approx(1.7, abs=0.8)
    assert record.flags == ()


def test_who_is_transferred_by_the_agent_has_talked_with_the_agent(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("nina", *TAKES, pause(2.0), hang_up_as_agent())
    office.agent("desk", *TAKES, pause(1.0), refer("sip:100@127.0.0.1"), HUNG_UP_ON)
    assert office.caller("patient").wait().as_written
    record = office.record_of("patient", count)
    assert disposition_of(record) == (Disposition.ANSWERED, "transferred_by_agent", None)
    assert (record.answered_by, outcomes(record)) == (KARI, [(KARI, AttemptOutcome.ANSWERED)])
    assert record.talk_seconds == pytest.approx(1.0, abs=0.7)
    assert talks(record) == [(KARI, TalkEnd.BLIND_TRANSFER)]


GIVES = (*TAKES, pause(1.0), refer(f"sip:{NUMBERS['nina']}@127.0.0.1"), HUNG_UP_ON)
"""An agent who gives the caller to a number of ours."""


def given_to_nina(record: CallRecord) -> None:
    assert disposition_of(record) == (Disposition.ANSWERED, "", Party.CALLEE)
    assert talks(record) == [(KARI, TalkEnd.BLIND_TRANSFER), ("nina", TalkEnd.HUNG_UP)]
    assert (record.answered_by, record.flags) == (KARI, ("transferred",))
    assert outcomes(record) == [("nina", AttemptOutcome.ANSWERED), (KARI, AttemptOutcome.ANSWERED)]


def test_who_an_agent_gives_to_a_number_of_ours_goes_on_as_the_same_call(office: Office) -> None:
    count, calls = office.next_of("patient"), office.next_of("nina")
    office.agent("nina", *TAKES, pause(1.0), hang_up_as_agent())
    office.agent("desk", *GIVES)
    assert office.caller("patient").wait().as_written
    given_to_nina(office.record_of("patient", count))
    assert office.next_of("nina") == calls, "it is no call of its own"


def test_a_router_killed_while_the_next_phone_rings(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("nina", CALLED, RINGING, pause(4.0), PICK_UP, pause(1.0), hang_up_as_agent())
    office.agent("desk", *GIVES)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskQueueLed", "LegRinging")
    office.router.kill()
    office.router.start()
    assert caller.wait().as_written
    given_to_nina(office.record_of("patient", count))


def test_who_reaches_nobody_then_is_not_let_wait_for_ever(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *GIVES)
    assert office.caller("patient").wait().as_written
    record = office.record_of("patient", count)
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.ROUTER)
    assert talks(record) == [(KARI, TalkEnd.BLIND_TRANSFER)]


def test_an_agent_who_asks_somebody_by_a_number_of_ours_gives_the_caller_to_them(office: Office) -> None:
    count, asking = office.next_of("patient"), office.next_of("nina")
    agent, nina = office.softphone("desk"), office.softphone("nina")
    caller = office.caller("patient", *leaves(5.0))
    first = agent.wait_for_call().ring().pick_up()
    office.happens("patient", "AsteriskAgentConnected")
    first.hold()
    asked = agent.dial(NUMBERS["nina"])
    other = nina.wait_for_call().ring().pick_up()
    wait_until(lambda: len(office.sandbox.bridges()) == 2, "the agent asks nina")
    assert first.refer_to(asked) == 202
    office.happens("nina", "CallerReplaced")
    assert not other.ended
    assert caller.wait().as_written
    other.wait_ended()
    record = office.record_of("patient", count)
    assert disposition_of(record) == (Disposition.ANSWERED, "transferred_by_agent", None)
    record = office.record_of("nina", asking)
    assert (record.disposition, record.hung_up_by) == (Disposition.ANSWERED, Party.CALLER)
    assert (record.answered_by, "transferred" in record.flags) == ("nina", True)


def test_who_hangs_up_while_waiting_is_abandoned(office: Office) -> None:
    count = office.next_of("patient")
    agent = office.agent("desk", *IGNORES)
    office.caller("patient", *leaves(1.5))
    record = office.record_of("patient", count)
    assert agent.wait(10).as_written
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.QUEUE)
    assert (record.hung_up_by, record.answered_by) == (Party.CALLER, None)
    assert outcomes(record) == [(KARI, AttemptOutcome.CANCELLED)]


def test_whose_time_is_over_goes_on_along_the_plan(office: Office) -> None:
    count = office.next_of("desk")
    office.agent("desk", CALLED, reject(486), calls=None)
    office.agent("nina", *TAKES, pause(1.0), hang_up_as_agent())
    assert office.caller("desk").wait().as_written
    record = office.record_of("desk", count)
    assert (record.disposition, record.answered_by) == (Disposition.ANSWERED, "nina")
    tried = outcomes(record)
    assert tried[0] == ("nina", AttemptOutcome.ANSWERED)
    assert set(tried[1:]) == {(KARI, AttemptOutcome.FAILED)}, "AMI does not tell that the phone is busy"
    assert [seen.detail for seen in record.evidence if seen.what == "queue_ended"] == ["timeout"]


def test_nobody_left_to_ring_after_the_queue(office: Office) -> None:
    count = office.next_of("desk")
    office.agent("desk", *IGNORES, calls=None)
    assert office.caller("desk").wait().as_written
    record = office.record_of("desk", count)
    assert (record.disposition, record.hung_up_by) == (Disposition.NO_ANSWER, Party.ROUTER)
    assert outcomes(record)[-1] == (KARI, AttemptOutcome.NO_ANSWER)


def test_a_full_queue_is_busy_and_its_caller_never_answered(office: Office) -> None:
    count = office.next_of("small")
    office.agent("small", *IGNORES, calls=None)
    first = office.caller("small", INVITE, TRYING, pause(4.0), CANCEL)
    office.happens("small", "AsteriskQueueJoined")
    assert office.caller("small", INVITE, refused(486)).wait().as_written
    assert first.wait().as_written
    waited, turned_away = sorted(
        office.router.records(NUMBERS["small"], count=count + 1)[:2], key=lambda one: one.info.arrived_at
    )
    assert (waited.disposition, waited.phase) == (Disposition.ABANDONED, Phase.QUEUE)
    assert [seen.detail for seen in turned_away.evidence if seen.what == "queue_ended"] == ["full"]
    assert (turned_away.disposition, turned_away.reason) == (Disposition.NO_ANSWER, "queue_full")


GOES_ON = {"nobody can be rung": ("strict", "empty"), "there is no such queue": ("nowhere", "failed")}


@pytest.mark.parametrize(("queue", "outcome"), GOES_ON.values(), ids=GOES_ON)
def test_the_plan_goes_on_at_once_where(office: Office, queue: str, outcome: str) -> None:
    count = office.next_of(queue)
    assert office.caller(queue).wait().as_written
    record = office.record_of(queue, count)
    seen = [seen.detail for seen in record.evidence if seen.what in ("queue_ended", "tagged")]
    assert seen == [outcome, "follow_up_needed"]
    assert record.disposition in (Disposition.NO_ANSWER, Disposition.FAILED)


def test_a_key_leads_out_of_the_queue_and_on(office: Office) -> None:
    count = office.next_of("keyed")
    office.agent("nina", *TAKES, pause(0.5), hang_up_as_agent())
    media = office.calls(NUMBERS["keyed"], INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    office.happens("keyed", "AsteriskQueueJoined")
    media.press("5")
    record = office.record_of("keyed", count)
    assert (record.disposition, record.answered_by) == (Disposition.ANSWERED, "nina")


def test_who_a_key_leads_elsewhere_is_the_dialplans(office: Office) -> None:
    count = office.next_of("elsewhere")
    media = office.calls(NUMBERS["elsewhere"], INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    office.happens("elsewhere", "AsteriskQueueJoined")
    media.press("1")
    record = office.record_of("elsewhere", count)
    assert (record.disposition, record.reason) == (Disposition.TRANSFERRED, "left_queue")


def test_who_a_key_leads_to_a_number_of_ours_goes_on_as_the_same_call(office: Office) -> None:
    count = office.next_of("elsewhere")
    there = f"2,1,Goto,callrouter,{NUMBERS['nina']},1 into queue-elsewhere replace"
    office.sandbox.cli(f"dialplan add extension {there}")
    office.agent("nina", *TAKES, pause(1.5), hang_up_as_agent())
    media = office.calls(NUMBERS["elsewhere"], INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    office.happens("elsewhere", "AsteriskQueueJoined")
    media.press("2")
    record = office.record_of("elsewhere", count)
    assert disposition_of(record) == (Disposition.ANSWERED, "", Party.CALLEE)
    assert (talks(record), record.flags) == ([("nina", TalkEnd.HUNG_UP)], ())


def test_all_agents_ring_and_one_has_the_call(office: Office) -> None:
    count = office.next_of("pair")
    office.agent("ola", *IGNORES)
    office.agent("per", CALLED, RINGING, pause(1.5), PICK_UP, pause(0.5), hang_up_as_agent())
    assert office.caller("pair").wait().as_written
    record = office.record_of("pair", count)
    assert record.answered_by == "Per"
    assert sorted(outcomes(record)) == [
        ("Ola", AttemptOutcome.ANSWERED_ELSEWHERE),
        ("Per", AttemptOutcome.ANSWERED),
    ]


UNANSWERED: dict[str, tuple[tuple[Move, ...], tuple[Move, ...], Disposition]] = {
    "gives up": (IGNORES, (INVITE, TRYING, pause(1.5), CANCEL), Disposition.ABANDONED),
    "talks": ((*TAKES, pause(1.0), hang_up_as_agent()), WAITS, Disposition.ANSWERED),
}


@pytest.mark.parametrize(("agent", "caller", "comes"), UNANSWERED.values(), ids=UNANSWERED)
def test_who_waits_unanswered(
    office: Office, agent: tuple[Move, ...], caller: tuple[Move, ...], comes: Disposition
) -> None:
    count = office.next_of("unanswered")
    office.agent("desk", *agent)
    assert office.caller("unanswered", *caller).wait().as_written
    assert office.record_of("unanswered", count).disposition is comes


LATER = (CALLED, RINGING, pause(2.5), PICK_UP, HUNG_UP_ON)
"""An agent who takes some time to answer, and talks until hung up."""


def talked(office: Office, caller: Caller, count: int) -> CallRecord:
    """The record of a talk that the agent ends, once the router knows of it and AMI is there."""
    office.happens("patient", "AsteriskAgentConnected")
    office.ami_is(up=True)
    office.agent_is_hung_up()
    assert caller.wait().as_written
    record = office.record_of("patient", count)
    assert disposition_of(record) == (Disposition.ANSWERED, "", Party.CALLEE)
    assert record.answered_by == KARI
    assert outcomes(record) == [(KARI, AttemptOutcome.ANSWERED)]
    return record


def test_ami_lost_and_back_while_the_caller_waits(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentCalled")
    office.line.cut()
    talked(office, caller, count)


def test_an_agent_who_answers_while_ami_is_away_is_found(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentCalled")
    office.line.refuse()
    office.ami_is(up=False)
    office.they_talk()
    began = time.monotonic()
    office.line.restore()
    record = talked(office, caller, count)
    assert record.talk_seconds == pytest.approx(time.monotonic() - began, abs=1.5)


def test_ami_lost_and_back_in_the_talk(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentConnected")
    office.line.refuse()
    office.ami_is(up=False)
    office.line.restore()
    talked(office, caller, count)


NO_MORE: dict[str, tuple[str, tuple[Move, ...], tuple[Disposition, str, Party | None]]] = {
    "a caller who waits": (
        "AsteriskQueueJoined", IGNORES, (Disposition.UNOBSERVED, "not_followed", Party.CALLER),
    ),
    "a caller who talks": (
        "AsteriskAgentConnected", (*TAKES, HUNG_UP_ON), (Disposition.ANSWERED, "", Party.CALLER),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("told", "agent", "comes"), NO_MORE.values(), ids=NO_MORE)
def test_ami_lost_and_not_back_before_the_end_of(
    office: Office, told: str, agent: tuple[Move, ...], comes: tuple[Disposition, str, Party | None]
) -> None:
    count = office.next_of("patient")
    office.agent("desk", *agent)
    caller = office.caller("patient", *leaves(4.0))
    office.happens("patient", told)
    office.line.refuse()
    office.ami_is(up=False)
    assert caller.wait().as_written
    record = office.record_of("patient", count)
    assert disposition_of(record) == comes


def test_a_line_that_is_silent_harms_no_call_and_is_given_up(office: Office) -> None:
    count, waiting = office.next_of("strict"), office.next_of("patient")
    office.line.silence()
    caller = office.caller("patient", *leaves(16.0), limit=60)
    began = time.monotonic()
    assert office.caller("strict").wait().as_written
    assert time.monotonic() - began < 3.0
    assert office.record_of("strict", count).reason == "queue_empty"
    wait_until(lambda: office.router.metrics()["callrouter_ami_up"] == 0, "AMI is given up", within=20.0)
    office.line.restore()
    office.ami_is(up=True)
    assert caller.wait().as_written
    assert office.record_of("patient", waiting).disposition in (Disposition.ABANDONED, Disposition.UNOBSERVED)


def test_a_router_killed_while_the_caller_waits(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentCalled")
    office.router.kill()
    office.router.start()
    talked(office, caller, count)


def test_a_router_killed_before_the_agent_answers_and_back_in_the_talk(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentCalled")
    office.router.kill()
    office.they_talk()
    began = time.monotonic()
    office.router.start()
    record = talked(office, caller, count)
    assert record.talk_seconds == pytest.approx(time.monotonic() - began, abs=1.5)


def test_a_router_killed_in_the_talk(office: Office) -> None:
    count = office.next_of("patient")
    office.agent("desk", *LATER)
    caller = office.caller("patient")
    office.happens("patient", "AsteriskAgentConnected")
    office.router.kill()
    office.router.start()
    talked(office, caller, count)


def test_a_router_killed_and_back_goes_on_with_who_comes_back(office: Office) -> None:
    count = office.next_of("keyed")
    office.agent("nina", *TAKES, pause(0.5), hang_up_as_agent())
    media = office.calls(NUMBERS["keyed"], INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    office.happens("keyed", "AsteriskQueueJoined")
    office.router.kill()
    office.router.start()
    media.press("5")
    assert office.record_of("keyed", count).answered_by == "nina"


def test_a_caller_whose_end_no_router_sees_is_unobserved(office: Office) -> None:
    count = office.next_of("patient")
    caller = office.caller("patient", *leaves(2.0))
    office.happens("patient", "AsteriskQueueJoined")
    office.router.kill()
    assert caller.wait().as_written
    office.router.start()
    assert disposition_of(office.record_of("patient", count))[:2] == (Disposition.UNOBSERVED, "router_away")


def test_who_is_back_while_there_is_no_router_is_rung_by_the_break_glass_branch(office: Office) -> None:
    count = office.next_of("desk")
    glass = Callee(*TAKES, pause(10.0), hang_up_as_agent(), calls=1)
    office.at_end(glass.stop)
    glass.listening()
    register(office.sandbox, [(office.sandbox.phones[19], glass.port)])
    caller = office.caller("desk")
    office.happens("desk", "AsteriskQueueJoined")
    office.router.kill()
    office.they_talk()
    office.router.start()
    assert caller.wait().as_written
    assert glass.wait().as_written
    assert disposition_of(office.record_of("desk", count))[:2] == (Disposition.TRANSFERRED, "dead_man")
