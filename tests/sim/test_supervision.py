"""Supervisors: the whole daemon with a simulated Asterisk, whose connection breaks at will."""

import asyncio
import signal
from collections.abc import Sequence

import pytest

from router.core.supervision import Outcome, Stretch
from router.edge import supervision
from router.edge.store.supervisions import SupervisionAudit
from tests.sim.asterisk import FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import ANSWERS, Fault
from tests.sim.router import KARIS, ONE, RULES, Router, until
from tests.sim.stories import gone_and_back, playing, talking, told

SUPERVISED = RULES.replace("karis: {agents: kari}", "karis: {agents: kari, supervisors: lise}")
LISE = "PJSIP/lise"


@pytest.fixture(autouse=True)
async def _supervised(router: Router, asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules with a supervisor."""
    monkeypatch.setattr(supervision, "REFRESH", 0.1)
    router.write_rules(SUPERVISED)
    asterisk.phones = {"PJSIP/kari": ANSWERS}
    await router.die()
    await router.start()


async def talk(asterisk: FakeAsterisk) -> Channel:
    """A caller who talks with kari, whoever else is there."""
    caller = asterisk.call(KARIS)

    def together() -> bool:
        both = {caller.id, *(leg.id for leg in asterisk.legs("PJSIP/kari"))}
        bridged = any(bridge.members == both for bridge in asterisk.bridges.values())
        return len(both) == 2 and bridged and not caller.waits_under_a_dead_man

    await until(together, what="the talk")
    return caller


def supervise(asterisk: FakeAsterisk, mode: str = "listen", digits: str = "", phone: str = LISE) -> Channel:
    return asterisk.call(digits, entrance=("supervise", mode), phone=phone)


def snoops(asterisk: FakeAsterisk) -> list[Channel]:
    return [channel for channel in asterisk.channels.values() if channel.spied]


async def snooping(asterisk: FakeAsterisk, whispers: str) -> Channel:
    """The one snoop there is, once it is so and hears."""

    def there() -> bool:
        found = [one for one in snoops(asterisk) if one.whispers == whispers]
        members = {member for bridge in asterisk.bridges.values() for member in bridge.members}
        return len(snoops(asterisk)) == 1 and bool(found) and found[0].id in members

    await until(there, what=f"a snoop that whispers {whispers}")
    return snoops(asterisk)[0]


def kept(router: Router) -> Sequence[Stretch]:
    audit = SupervisionAudit(router.database)
    try:
        return audit.latest(None, 50)[::-1]
    finally:
        audit.close()


def ends(router: Router) -> list[tuple[str, str, Outcome | None]]:
    return [(one.supervisor, one.mode.value, one.outcome) for one in kept(router)]


async def test_modes_change_by_keys_and_the_talk_knows_nothing(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = await talk(asterisk)
    lise = supervise(asterisk)
    await snooping(asterisk, "none")
    asterisk.press(lise, "5")
    await snooping(asterisk, "out")
    asterisk.press(lise, "6")
    snoop = await snooping(asterisk, "both")
    [kari] = asterisk.legs("PJSIP/kari")
    assert snoop.spied == kari.id
    asterisk.press(lise, "#")
    await until(lambda: lise.ended and not snoops(asterisk), what="nothing of it is left")
    assert talking(asterisk)
    caller.hang_up()
    record = await router.record(KARIS)
    assert told(record) == ("answered", "talking", "caller")
    seen = [(one.leg, one.detail) for one in record.evidence if one.what == "supervised"]
    assert seen == [(1, "lise: listen"), (1, "lise: whisper"), (1, "lise: barge")]
    await until(lambda: len(ends(router)) == 3)
    assert ends(router) == [
        ("lise", "listen", Outcome.CHANGED),
        ("lise", "whisper", Outcome.CHANGED),
        ("lise", "barge", Outcome.LEFT),
    ]
    await router.counts("callrouter_supervisions_total", 1, mode="barge", outcome="left")
    await router.all_over(1)


async def test_between_two_talks_there_is_music(asterisk: FakeAsterisk, router: Router) -> None:
    lise = supervise(asterisk, "whisper")
    await until(lambda: playing(asterisk) == ["default"], what="music")
    caller = await talk(asterisk)
    await snooping(asterisk, "out")
    caller.hang_up()
    await until(lambda: playing(asterisk) == ["default"] and not snoops(asterisk), what="music again")
    second = await talk(asterisk)
    await snooping(asterisk, "none")
    lise.hang_up()
    second.hang_up()
    await router.all_over(2)
    await until(lambda: len(ends(router)) == 2)
    assert [outcome for _, _, outcome in ends(router)] == [Outcome.TALK_OVER, Outcome.LEFT]


GAPS = ("the connection breaks", "the router is killed")


@pytest.mark.parametrize("gap", GAPS)
async def test_a_gap_ends_supervision_and_no_talk(gap: str, asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk)
    lise = supervise(asterisk, "barge")
    await snooping(asterisk, "both")
    await until(lambda: len(kept(router)) == 1)
    await gone_and_back(router, gap)
    await until(lambda: lise.ended and not snoops(asterisk), what="nothing of it is left")
    await until(lambda: len(asterisk.bridges) == 1, what="the talk's own bridge")
    assert talking(asterisk)
    await until(lambda: ends(router) == [("lise", "barge", Outcome.UNOBSERVED)])
    again = supervise(asterisk)
    await snooping(asterisk, "none")
    again.hang_up()
    caller.hang_up()
    await router.all_over(1)


async def test_what_another_application_has_is_left_alone(asterisk: FakeAsterisk, router: Router) -> None:
    await router.die()
    theirs = asterisk.call("", entrance=("supervise", "listen"), phone=LISE, invite=False)
    theirs.app = theirs.app_data = "other,supervise,listen,"
    await router.start()
    assert theirs.ended is None
    theirs.hang_up()


async def test_a_supervisor_who_came_while_nobody_looked_is_hung_up_on(
    asterisk: FakeAsterisk, router: Router
) -> None:
    await router.die()
    lise = asterisk.call("", entrance=("supervise", "listen"), phone=LISE, invite=False)
    await router.start()
    await until(lambda: lise.ended)


async def test_the_dead_man_of_a_supervisor_is_set_anew(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk)
    lise = supervise(asterisk)
    snoop = await snooping(asterisk, "none")
    await until(lambda: lise.dead_man_set > 2 and snoop.dead_man_set > 2)
    lise.hang_up()
    caller.hang_up()
    await router.all_over(1)


REFUSALS = [
    ("a phone of nobody", "PJSIP/trunk", "", "not_permitted", ""),
    ("no such agent", LISE, "999", "no_such_agent", "lise"),
]


@pytest.mark.parametrize(
    ("phone", "digits", "why", "who"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
async def test_who_may_not_hears_nothing(
    asterisk: FakeAsterisk, router: Router, phone: str, digits: str, why: str, who: str
) -> None:
    caller = await talk(asterisk)
    refused = supervise(asterisk, "barge", digits, phone)
    await until(lambda: refused.ended)
    assert len([path for _, path, _ in asterisk.requests if path.endswith("-v/play")]) == 1, "it is said"
    assert not [path for _, path, _ in asterisk.requests if "snoop" in path]
    await until(lambda: len(kept(router)) == 1)
    [row] = kept(router)
    assert (row.outcome, row.reason, row.supervisor) == (Outcome.REFUSED, why, who)
    await router.counts("callrouter_supervisions_total", 1, mode="barge", outcome="refused")
    caller.hang_up()
    await router.all_over(1)


async def test_rules_that_permit_no_longer_end_it(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk)
    lise = supervise(asterisk)
    await snooping(asterisk, "none")
    router.write_rules(RULES)
    await router.in_touch()
    assert (await asyncio.to_thread(router.command, "reload")).exit_code == 0
    await until(lambda: not snoops(asterisk), what="the end of the snoop")
    assert talking(asterisk)
    lise.hang_up()
    caller.hang_up()
    await router.all_over(1)


FAULTS = [
    ("the snoop is refused", Fault("POST", r"channels/.*/snoop/.*"), Outcome.FAILED),
    ("it cannot be let in", Fault("POST", r"bridges/.*-v/addChannel", times=2), None),
    ("nothing can be played", Fault("POST", r"bridges/.*-v/play"), Outcome.LEFT),
]


@pytest.mark.parametrize(("fault", "end"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
async def test_what_asterisk_refuses_harms_no_talk(
    asterisk: FakeAsterisk, router: Router, fault: Fault, end: Outcome | None
) -> None:
    caller = await talk(asterisk)
    asterisk.faults = [fault]
    lise = supervise(asterisk)
    if end is Outcome.LEFT:
        await snooping(asterisk, "none")
    if end is not None:
        await until(lambda: len(kept(router)) == 1)
        lise.hang_up()
    await until(lambda: lise.ended)
    await until(lambda: [one.outcome for one in kept(router)] == ([end] if end else []))
    assert talking(asterisk)
    caller.hang_up()
    await router.all_over(1)


async def test_while_the_router_stops_nobody_begins(asterisk: FakeAsterisk, router: Router) -> None:
    await talk(asterisk)
    waits = asterisk.call("+4722334402")
    asterisk.phones |= dict.fromkeys(("PJSIP/ola", "PJSIP/anne"), ANSWERS)
    router.signal(signal.SIGTERM)
    await router.is_ready(503)
    lise = supervise(asterisk)
    await until(lambda: lise.ended)
    waits.hang_up()


async def test_a_fault_of_ours_ends_a_supervision_and_no_talk(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await talk(asterisk)
    lise = supervise(asterisk, "barge")
    await snooping(asterisk, "both")

    def fails(*_: object) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(supervision, "step", fails)
        await until(lambda: lise.ended and not snoops(asterisk), what="nothing of it is left")
    assert talking(asterisk)
    await router.counts("callrouter_engine_errors_total", 1)
    caller.hang_up()
    await router.all_over(1)


async def test_who_was_replaced_says_nothing_more(asterisk: FakeAsterisk, router: Router) -> None:
    await talk(asterisk)
    supervise(asterisk)
    await snooping(asterisk, "none")
    await asterisk.replace()
    await until(lambda: not router.running)
    asked = len(asterisk.requests)
    await asyncio.sleep(0.3)  # some times as long as between two settings of dead-man timers
    assert len(asterisk.requests) == asked
    assert len(snoops(asterisk)) == 1, "it is the other router's now"


@pytest.mark.parametrize("first", ["the caller", "the talk that is heard"])
async def test_a_supervisor_puts_no_caller_through_to_a_talk(
    first: str, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones[LISE] = ANSWERS
    router.write_rules(SUPERVISED.replace("[{ring: PJSIP/kari}]", "[{ring: PJSIP/lise}]", 1))
    await router.die()
    await router.start()
    caller = await talk(asterisk)
    other = asterisk.call(ONE)
    await until(lambda: router.knows("LegAnswered") == 4, what="lise has a caller of her own")
    [answered] = asterisk.legs(LISE)
    lise = supervise(asterisk, "barge")
    await snooping(asterisk, "both")
    both = (answered, lise) if first == "the caller" else (lise, answered)
    places = asterisk.join(*both)
    await until(lambda: router.knows("LegAnswered") == 5, what="lise has her caller back")
    assert not snoops(asterisk)
    assert all(place.ended for place in places)
    [again] = asterisk.legs(LISE)
    assert {other.id, again.id} in [bridge.members for bridge in asterisk.bridges.values()]
    other.hang_up()
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")
    assert told(await router.record(KARIS)) == ("answered", "talking", "caller")
    assert ends(router) == [("lise", "barge", Outcome.LEFT)]
    await router.all_over(2)
