"""Callers in queues of Asterisk's own: the whole daemon with a simulated Asterisk and AMI, each of which may
be away."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.edge import ami as ami_module
from router.edge import following
from tests.edge.ami_server import AmiServer
from tests.sim.asterisk import BREAK_GLASS, FakeAsterisk
from tests.sim.channels import Bridge, Channel
from tests.sim.phones import ANSWERS, RINGS_ON
from tests.sim.router import ONE, SUPPORT, Router, routing, until
from tests.sim.stories import gone_and_back, outcomes, talking, told

GAPS = ("the connection breaks", "the router is killed")
KARI = {"Queue": "support", "Interface": "PJSIP/160", "MemberName": "Kari"}
MEMBER = {"Event": "QueueMember", "Queue": "support", "Location": "PJSIP/160", "Name": "Kari"}


class Office:
    """One of each."""

    def __init__(self, asterisk: FakeAsterisk, ami: AmiServer, router: Router) -> None:
        self.asterisk, self.ami, self.router = asterisk, ami, router

    async def waits(self) -> Channel:
        """A caller who waits in the queue."""
        caller = self.asterisk.call(SUPPORT)
        await until(lambda: caller.app_name == "Queue", what="the caller is in the queue")
        self.joins(caller)
        await until(lambda: self.router.knows("AsteriskQueueJoined"))
        return caller

    def joins(self, caller: Channel) -> None:
        self.ami.queues = [{"Event": "QueueEntry", "Queue": "support", "Uniqueid": caller.id}, MEMBER]
        self.ami.tell("QueueCallerJoin", Uniqueid=caller.id)

    def connects(self, caller: Channel) -> None:
        """An agent answers; AMI tells of it, if it is there."""
        agent = Channel(self.asterisk.hang_up, "1795341600.99", "PJSIP/160-00000063", "Up")
        agent.originator = caller.id
        self.asterisk.channels[agent.id] = agent
        bridge = self.asterisk.bridges["theirs"] = Bridge("theirs")
        bridge.members = {caller.id, agent.id}
        self.ami.queues = [MEMBER]
        self.ami.tell("QueueCallerLeave", Uniqueid=caller.id)
        self.ami.tell("AgentConnect", Uniqueid=caller.id, DestUniqueid=agent.id, **KARI)

    async def connects_unheard(self, caller: Channel) -> None:
        """An agent answers while AMI is away, and the router finds that once it is back."""
        await self.ami.close()
        await self.ami_is(up=False)
        self.connects(caller)
        await self.ami.open()
        await until(lambda: self.router.knows("AsteriskAgentConnected"))

    def ends(self, caller: Channel, by: str) -> None:
        """The talk is over."""
        self.ami.tell("AgentComplete", Uniqueid=caller.id, Reason=by, TalkTime="1", **KARI)
        self.asterisk.channels.pop("1795341600.99")
        self.asterisk.bridges.pop("theirs")
        if by == "caller":
            caller.hang_up()
        else:
            self.asterisk.hang_up(caller, 16, 0, soft=16)

    async def agent_hangs_up_unheard(self, caller: Channel) -> tuple[str, str, str | None]:
        """The agent ends the talk, and AMI does not tell of it; what is told of the call."""
        self.asterisk.hang_up(self.asterisk.channels["1795341600.99"], 16, 200)
        self.asterisk.hang_up(caller, 16, 0, soft=16)
        return told(await self.router.record(SUPPORT))

    def gives(self, caller: Channel, to: str) -> None:
        """The agent gives the caller to a number."""
        self.ami.tell("AgentComplete", Uniqueid=caller.id, Reason="transfer", TalkTime="1", **KARI)
        self.asterisk.channels.pop("1795341600.99")
        self.asterisk.bridges.pop("theirs")
        self.asterisk.led_from_queue(caller, to)

    async def ami_is(self, up: bool) -> None:
        await self.router.counts("callrouter_ami_up", float(up))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_module, "REPLY_LIMIT", 0.3)
    monkeypatch.setattr(ami_module, "PING_EVERY", 0.1)
    monkeypatch.setattr(following, "GRACE", 0.1)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with AmiServer() as ami:
        settings = {"port": ami.port, "user": "callrouter", "secret": "hush-hush"}
        async with routing(tmp_path, ami=settings) as (asterisk, router):
            made = Office(asterisk, ami, router)
            await made.ami_is(up=True)
            yield made


@pytest.mark.parametrize(("by", "ended"), [("agent", "callee"), ("caller", "caller")])
async def test_who_talks_and_who_hangs_up(office: Office, by: str, ended: str) -> None:
    caller = await office.waits()
    office.ami.tell("AgentCalled", Uniqueid=caller.id, **KARI)
    office.connects(caller)
    await until(lambda: office.router.knows("AsteriskAgentConnected"))
    assert not caller.waits_under_a_dead_man
    office.ends(caller, by)
    record = await office.router.record(SUPPORT)
    assert told(record) == ("answered", "talking", ended)
    assert (record.answered_by, outcomes(record)) == ("Kari", {"Kari": "answered"})
    assert office.asterisk.queue_variables(caller) == ["support", "60", "yes", "0"]


async def test_an_agent_who_hangs_up_is_seen_where_ami_does_not_say_so(office: Office) -> None:
    caller = await office.waits()
    office.connects(caller)
    await until(lambda: office.router.knows("AsteriskAgentConnected"))
    assert await office.agent_hangs_up_unheard(caller) == ("answered", "talking", "callee")


async def test_so_is_one_who_was_found(office: Office) -> None:
    caller = await office.waits()
    await office.connects_unheard(caller)
    assert await office.agent_hangs_up_unheard(caller) == ("answered", "talking", "callee")


async def test_who_is_not_put_through_goes_on(office: Office) -> None:
    office.asterisk.phones = {"PJSIP/kari": ANSWERS}
    caller = await office.waits()
    office.ami.tell("QueueCallerAbandon", Uniqueid=caller.id)
    office.asterisk.back_from_queue(caller, "TIMEOUT")
    await until(lambda: talking(office.asterisk), what="kari answers")
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("answered", "talking", "caller")


async def test_who_is_given_to_a_number_of_ours_goes_on_as_the_same_call(office: Office) -> None:
    office.asterisk.phones = {"PJSIP/kari": ANSWERS}
    caller = await office.waits()
    office.connects(caller)
    await until(lambda: office.router.knows("AsteriskAgentConnected"))
    office.gives(caller, ONE)
    await until(lambda: talking(office.asterisk), what="kari answers")
    caller.hang_up()
    record = await office.router.record(SUPPORT)
    assert told(record) == ("answered", "talking", "caller")
    ends = [(talk.who, talk.end.value) for talk in record.talks]
    assert ends == [("Kari", "blind_transfer"), ("PJSIP/kari", "hung_up")]
    assert record.flags == ("transferred",)
    assert office.router.open_calls() == []


async def test_who_waits_for_the_next_one_waits_under_a_dead_man(office: Office) -> None:
    office.asterisk.phones = {"PJSIP/kari": RINGS_ON}
    caller = await office.waits()
    before = caller.dead_man_set
    office.asterisk.led_from_queue(caller, ONE)
    await until(lambda: caller.dead_man_set > before + 1, what="it is set by us")
    assert caller.waits_under_a_dead_man
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("abandoned", "ringing", "caller")


LED = {"all was seen": (True, ()), "AMI was away": (False, ("not_followed",))}


@pytest.mark.parametrize(("ami", "flags"), LED.values(), ids=LED)
async def test_who_is_led_to_a_number_by_a_key_and(office: Office, ami: bool, flags: tuple[str, ...]) -> None:
    office.asterisk.phones = {"PJSIP/kari": ANSWERS}
    caller = await office.waits()
    if not ami:
        await office.ami.close()
        await office.ami_is(up=False)
    office.asterisk.led_from_queue(caller, ONE)
    await until(lambda: talking(office.asterisk), what="kari answers")
    await until(lambda: office.router.knows("AsteriskQueueFollowed"))
    caller.hang_up()
    record = await office.router.record(SUPPORT)
    assert (told(record), record.answered_by) == (("answered", "talking", "caller"), "PJSIP/kari")
    assert record.flags == flags


@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_the_caller_was_led_to_a_number(office: Office, gap: str) -> None:
    office.asterisk.phones = {"PJSIP/kari": ANSWERS}
    caller = await office.waits()
    await gone_and_back(office.router, gap, lambda: office.asterisk.led_from_queue(caller, ONE, told=False))
    await until(lambda: talking(office.asterisk), what="kari answers")
    caller.hang_up()
    record = await office.router.record(SUPPORT)
    assert (told(record), record.answered_by) == (("answered", "talking", "caller"), "PJSIP/kari")


@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_the_phone_rings_of_whom_the_caller_was_led_to(office: Office, gap: str) -> None:
    office.asterisk.phones = {"PJSIP/kari": RINGS_ON}
    caller = await office.waits()
    office.connects(caller)
    await until(lambda: office.router.knows("AsteriskAgentConnected"))
    office.gives(caller, ONE)
    await until(lambda: office.router.knows("LegRinging"))
    await gone_and_back(office.router, gap)
    office.asterisk.answer(office.asterisk.legs("PJSIP/kari")[0])
    await until(lambda: talking(office.asterisk), what="kari answers")
    caller.hang_up()
    record = await office.router.record(SUPPORT)
    assert [talk.who for talk in record.talks] == ["Kari", "PJSIP/kari"]


@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_the_caller_waits_still(office: Office, gap: str) -> None:
    caller = await office.waits()
    await gone_and_back(office.router, gap)
    await office.ami_is(up=True)
    office.ami.tell("QueueCallerAbandon", Uniqueid=caller.id)
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("abandoned", "queue", "caller")


@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_the_caller_talks(office: Office, gap: str) -> None:
    caller = await office.waits()
    await gone_and_back(office.router, gap, lambda: office.connects(caller))
    await until(lambda: office.router.knows("AsteriskAgentConnected"))
    await office.ami_is(up=True)
    office.ends(caller, "agent")
    record = await office.router.record(SUPPORT)
    assert told(record) == ("answered", "talking", "callee")
    assert record.answered_by in ("Kari", "PJSIP/160")


async def test_who_came_back_to_no_router_is_the_dialplans(office: Office) -> None:
    caller = await office.waits()
    back = lambda: office.asterisk.back_from_queue(caller, "TIMEOUT")  # noqa: E731
    await gone_and_back(office.router, "the router is killed", back)
    assert told(await office.router.record(SUPPORT)) == ("transferred", "dead_man", "router")
    assert caller.context == BREAK_GLASS


async def test_an_agent_who_answers_while_ami_is_away_is_found(office: Office) -> None:
    caller = await office.waits()
    await office.connects_unheard(caller)
    office.ends(caller, "agent")
    record = await office.router.record(SUPPORT)
    assert (told(record), record.answered_by) == (("answered", "talking", "callee"), "Kari")


async def test_ami_may_be_behind_and_back_only_since_a_moment(office: Office) -> None:
    caller = await office.waits()
    await office.connects_unheard(caller)
    office.asterisk.hang_up(caller, 16, 0, soft=16)
    await until(lambda: office.router.knows("LegEnded"))
    office.ami.tell("AgentComplete", Uniqueid=caller.id, Reason="agent", TalkTime="1", **KARI)
    assert told(await office.router.record(SUPPORT)) == ("answered", "talking", "callee")


async def test_what_nobody_told_is_not_known(office: Office) -> None:
    caller = await office.waits()
    await office.ami.close()
    await office.ami_is(up=False)
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("unobserved", "not_followed", "caller")


async def test_that_nobody_answered_is_known_if_all_was_seen(office: Office) -> None:
    caller = await office.waits()
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("abandoned", "queue", "caller")


async def test_an_ami_that_does_not_answer_is_not_waited_for(office: Office) -> None:
    office.ami.mute = {"Ping", "QueueStatus"}
    caller = await office.waits()
    caller.hang_up()
    assert told(await office.router.record(SUPPORT)) == ("unobserved", "not_followed", "caller")


async def test_a_router_that_stops_does_not_wait_for_asterisks_queue(office: Office) -> None:
    await office.waits()
    office.router.signal(signal.SIGTERM)
    assert await office.router.exit_status(within=2.0) == 0


async def test_without_ami(asterisk: FakeAsterisk, router: Router) -> None:
    caller = asterisk.call(SUPPORT)
    await until(lambda: caller.app_name == "Queue")
    await router.counts("callrouter_ami_up", 0)  # no such metric
    asterisk.back_from_queue(caller, "FULL")
    await until(lambda: caller.heard == ["sound:closed"])
    caller.hang_up()
    await router.record(SUPPORT)


async def test_a_caller_back_whom_nobody_knows_goes_to_the_break_glass_branch(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = asterisk.call("TIMEOUT", entrance=("queued", "0"))
    await until(lambda: caller.context == BREAK_GLASS)
    assert router.open_calls() == []
