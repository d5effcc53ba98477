"""The router or its connection is gone for a while, and each call still has one true end: see asterisk.py."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from router.edge import recovery
from tests.sim.asterisk import BREAK_GLASS, FakeAsterisk
from tests.sim.channels import Bridge, Channel
from tests.sim.phones import ANSWERS, BUSY, NO_REPLY, Fault, Phone
from tests.sim.router import (
    ALL,
    CLOSED,
    GREETING,
    IN_TURN,
    MUSIC,
    ONE,
    Router,
    until,
)
from tests.sim.stories import (
    back,
    caller_of,
    gone_and_back,
    hears,
    outcomes,
    playing,
    rings,
    talk,
    talking,
    told,
    waiting,
)

# The websocket is lost


PHASES = [
    ("ringing", ONE, rings("Ringing"), ("abandoned", "ringing", "caller")),
    ("three ringing", ALL, rings("Ringing", "Ringing", "Ringing"), ("abandoned", "ringing", "caller")),
    ("greeting", GREETING, hears, ("abandoned", "greeting", "caller")),
    ("music", MUSIC, lambda asterisk: playing(asterisk) == ["jazz"], ("abandoned", "ringing", "caller")),
    ("announcement", CLOSED, hears, ("informed", "closing", "caller")),
]


@pytest.mark.parametrize("gap", ["the websocket is lost", "the router is killed"])
@pytest.mark.parametrize(
    ("dialled", "there", "disposition"), [row[1:] for row in PHASES], ids=[row[0] for row in PHASES]
)
async def test_a_caller_who_waits_through_a_gap_goes_on_waiting(
    asterisk: FakeAsterisk,
    router: Router,
    dialled: str,
    there: Callable[[FakeAsterisk], bool],
    disposition: tuple[str, str, str],
    gap: str,
) -> None:
    caller = await waiting(asterisk, router, dialled, there)
    await gone_and_back(router, gap)
    assert there(asterisk)
    caller.hang_up()
    assert told(await router.record(dialled)) == disposition
    await router.all_over(1)


GAPS = pytest.mark.parametrize("gap", ["the websocket is lost", "the router is killed"])


@GAPS
async def test_people_who_talk_are_not_disturbed_by_a_gap(
    asterisk: FakeAsterisk, router: Router, gap: str
) -> None:
    caller = await talk(asterisk)
    before = len(asterisk.requests)
    await gone_and_back(router, gap)
    await until(lambda: len(asterisk.requests) >= before + 1)
    await until(lambda: asterisk.asked_of(caller, since=before), what="the lift of the dead men")
    assert {path for _, path, _ in asterisk.requests[before:]} == {"asterisk/variable"}
    assert talking(asterisk)
    caller.hang_up()
    record = await router.record(ONE)
    assert (told(record), record.answered_by) == (("answered", "talking", "caller"), "PJSIP/kari")
    await router.all_over(1)


CHANGED = [
    ("the caller left a ringing phone", ONE, rings("Ringing"),
     lambda asterisk: caller_of(asterisk).hang_up(), ("unobserved", "router_away", None)),
    ("the caller left in the greeting", GREETING, hears,
     lambda asterisk: caller_of(asterisk).hang_up(), ("unobserved", "router_away", None)),
    ("the phone gave up", ONE, rings("Ringing"),
     lambda asterisk: asterisk.legs("PJSIP/kari")[0].hang_up(19, 480),
     ("no_answer", "unobserved", "router")),
    ("the prompt ended", CLOSED, hears,
     lambda asterisk: end_prompt(asterisk), ("informed", "closing", "router")),
    ("the caller fell to the dialplan", ONE, rings("Ringing"),
     lambda asterisk: asterisk.dead_man_strikes(caller_of(asterisk)), ("transferred", "dead_man", "router")),
    ("everything is gone", ONE, rings("Ringing"),
     lambda asterisk: asterisk.restart(), ("dropped", "asterisk_lost", "network")),
]  # fmt: skip


def end_prompt(asterisk: FakeAsterisk) -> None:
    for bridge in asterisk.bridges.values():
        bridge.playing.clear()


@GAPS
@pytest.mark.parametrize(
    ("dialled", "there", "happens", "disposition"),
    [row[1:] for row in CHANGED],
    ids=[row[0] for row in CHANGED],
)
async def test_what_happened_in_a_gap_is_found_out(
    asterisk: FakeAsterisk,
    router: Router,
    dialled: str,
    there: Callable[[FakeAsterisk], bool],
    happens: Callable[[FakeAsterisk], object],
    disposition: tuple[str, str, str | None],
    gap: str,
) -> None:
    caller = await waiting(asterisk, router, dialled, there)
    asterisk.sounds["sound:sorry"] = 0.05
    await gone_and_back(router, gap, lambda: happens(asterisk))
    assert told(await router.record(dialled)) == disposition
    await until(lambda: not asterisk.legs("PJSIP/kari"), what="the end of the legs")
    if caller.context == BREAK_GLASS:
        assert caller.ended is None  # it is the dialplan's now
        caller.hang_up()
    await router.all_over(1)


@GAPS
async def test_a_phone_answered_in_a_gap_gets_the_call(
    asterisk: FakeAsterisk, router: Router, gap: str
) -> None:
    caller = await waiting(asterisk, router, ALL, rings("Ringing", "Ringing", "Ringing"))
    await gone_and_back(router, gap, lambda: asterisk.answer(asterisk.legs("PJSIP/ola")[0]))
    await until(lambda: talking(asterisk) and len(asterisk.channels) == 2, what="the talk")
    caller.hang_up()
    record = await router.record(ALL)
    assert outcomes(record) == {
        "PJSIP/kari": "answered_elsewhere",
        "PJSIP/ola": "answered",
        "PJSIP/anne": "answered_elsewhere",
    }
    await router.all_over(1)


@GAPS
async def test_a_talk_that_ended_in_a_gap_is_unobserved(
    asterisk: FakeAsterisk, router: Router, gap: str
) -> None:
    caller = await talk(asterisk)
    await gone_and_back(router, gap, caller.hang_up)
    record = await router.record(ONE)
    assert told(record) == ("unobserved", "router_away", None)
    assert {seen.detail[:6] for seen in record.evidence if seen.what == "lost"} == {"since "}
    await router.all_over(1)


@GAPS
async def test_people_whose_bridge_was_lost_are_joined_again(
    asterisk: FakeAsterisk, router: Router, gap: str
) -> None:
    caller = await talk(asterisk)
    await gone_and_back(router, gap, asterisk.bridges.clear)
    await until(lambda: talking(asterisk), what="the new bridge")
    caller.hang_up()
    assert told(await router.record(ONE))[0] == "answered"
    await router.all_over(1)


async def test_asterisk_restarted_under_a_talk(asterisk: FakeAsterisk, router: Router) -> None:
    await talk(asterisk)
    asterisk.restart()
    assert told(await router.record(ONE)) == ("dropped", "asterisk_lost", "network")
    caller = await talk(asterisk)
    caller.hang_up()
    assert [record.disposition.value for record in await router.all_over(2)] == ["dropped", "answered"]


async def test_the_time_to_ring_runs_on_in_a_gap(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await waiting(asterisk, router, IN_TURN, rings("Ringing"))
    asterisk.away = True
    asterisk.drop()
    await asyncio.sleep(1.1)  # the time of the first phone
    asterisk.phones["PJSIP/ola"] = ANSWERS
    asterisk.away = False
    await until(lambda: talking(asterisk), what="the talk with the second")
    caller.hang_up()
    assert outcomes(await router.record(IN_TURN)) == {"PJSIP/kari": "no_answer", "PJSIP/ola": "answered"}
    await router.all_over(1)


async def test_a_time_that_ran_out_is_not_held_against_the_next_phone(
    asterisk: FakeAsterisk, router: Router
) -> None:
    """The first phone's time ran out in the gap, and it gave up as well: the second has its whole time."""
    caller = await waiting(asterisk, router, IN_TURN, rings("Ringing"))
    asterisk.faults = [Fault("GET", "channels", late=1.3)]  # the list, while events are held
    asterisk.drop()
    await until(lambda: asterisk.connected)
    asterisk.phones["PJSIP/ola"] = Phone(answers=0.3)
    await until(lambda: not asterisk.faults[0].times)
    asterisk.legs("PJSIP/kari")[0].hang_up(17, 486)
    await until(lambda: talking(asterisk), what="the talk with the second")
    caller.hang_up()
    assert outcomes(await router.record(IN_TURN)) == {"PJSIP/kari": "busy", "PJSIP/ola": "answered"}
    await router.all_over(1)


# While the router compares


async def test_a_caller_who_leaves_while_the_router_compares_is_not_taken_in_again(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller = await waiting(asterisk, router, GREETING, hears)
    asterisk.faults = [Fault("GET", "bridges", late=0.3)]  # the list of channels has come by then
    asterisk.reads.clear()
    asterisk.drop()
    await until(lambda: not asterisk.faults[0].times and "GET channels" in asterisk.reads)
    caller.hang_up()
    assert told(await router.record(GREETING)) == ("abandoned", "greeting", "caller")
    await router.in_touch()
    assert await router.metric("callrouter_calls_entered_total") == 1
    await router.all_over(1)


async def test_a_call_that_comes_while_the_router_compares(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/kari"] = ANSWERS
    asterisk.faults = [Fault("GET", "bridges", late=0.3)]
    asterisk.drop()
    await until(lambda: not asterisk.faults[0].times)
    caller = asterisk.call(ONE)
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")
    await router.all_over(1)


async def test_the_connection_is_lost_again_while_the_router_compares(
    asterisk: FakeAsterisk, router: Router
) -> None:
    """What was told before the second loss is not forgotten: the caller was seen to leave."""
    caller = await waiting(asterisk, router, ONE, rings("Ringing"))
    asterisk.faults = [Fault("GET", "bridges", late=0.5)]
    asterisk.drop()
    await until(lambda: not asterisk.faults[0].times)
    caller.hang_up()
    await asterisk.heard()
    asterisk.drop()
    await back(router)
    assert told(await router.record(ONE)) == ("abandoned", "ringing", "caller")
    await router.all_over(1)


async def test_a_read_that_is_not_replied_to_is_made_again(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk)
    asterisk.faults = [Fault("GET", r"channels/\d.*", NO_REPLY)]
    await gone_and_back(router, "the websocket is lost", caller.hang_up)
    assert told(await router.record(ONE)) == ("unobserved", "router_away", None)
    await router.all_over(1)


@pytest.mark.parametrize(
    "fault", [Fault("GET", "channels", 500), Fault("GET", "channels", late=1.0)], ids=["refused", "slow"]
)
async def test_an_asterisk_that_cannot_list_its_channels_gets_its_calls_served(
    asterisk: FakeAsterisk, router: Router, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "LIST_LIMIT", 0.2)
    caller = await waiting(asterisk, router, ONE, rings("Ringing"))
    asterisk.faults = [fault]
    await gone_and_back(router, "the websocket is lost")
    asterisk.answer(asterisk.legs("PJSIP/kari")[0])
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")


async def test_a_channel_that_cannot_be_read_does_not_make_the_router_deaf(
    asterisk: FakeAsterisk, router: Router
) -> None:
    await waiting(asterisk, router, ONE, rings("Ringing"))
    caller_of(asterisk).name = None  # type: ignore[assignment]  # what Asterisk must not say
    asterisk.drop()
    await back(router)
    asterisk.phones["PJSIP/ola"] = asterisk.phones["PJSIP/anne"] = ANSWERS
    asterisk.call(ALL)
    await until(lambda: talking(asterisk), what="the talk of another")


# Strangers


async def test_what_is_left_of_a_call_that_is_over_is_removed(asterisk: FakeAsterisk, router: Router) -> None:
    caller = await talk(asterisk)
    [bridge] = asterisk.bridges
    caller.hang_up()
    await router.all_over(1)
    leg = Channel(asterisk.hang_up, bridge.replace("-b", "-l1"), "PJSIP/kari-00000002", "Up")
    leg.originator, leg.app = caller.id, "callrouter"
    asterisk.channels[leg.id] = leg
    asterisk.bridges[bridge] = Bridge(bridge)
    asterisk.bridges[bridge].members.add(leg.id)
    asterisk.drop()
    await back(router)
    await until(lambda: not asterisk.bridges and not asterisk.channels, what="the end of the orphans")


async def test_a_caller_whom_nobody_knows_is_taken_in(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones["PJSIP/kari"] = ANSWERS
    caller = asterisk.call(ONE, invite=False)
    asterisk.drop()
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")
    await router.all_over(1)


async def forgotten(router: Router, state: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
    """The router dies with all that it had written down, and another one comes."""
    await router.die()
    for file in state.iterdir():
        file.unlink()
    meanwhile()
    await router.start()


@GAPS
async def test_people_who_talk_in_a_call_that_nobody_knows_are_taken_over(
    asterisk: FakeAsterisk, tmp_path: Path, router: Router, gap: str
) -> None:
    """The second phone took the call; of the first nothing is known but that there was one."""
    asterisk.phones = {"PJSIP/kari": BUSY, "PJSIP/ola": ANSWERS}
    caller = asterisk.call(IN_TURN)
    await until(lambda: talking(asterisk), what="the talk")
    before = len(asterisk.requests)
    await forgotten(router, tmp_path / "state")
    await gone_and_back(router, gap)
    await until(lambda: asterisk.asked_of(caller, since=before), what="the lift of the dead men")
    assert {path for _, path, _ in asterisk.requests[before:]} == {"asterisk/variable"}
    caller.hang_up()
    record = await router.record(IN_TURN)
    assert (told(record), record.answered_by) == (("answered", "talking", "caller"), "PJSIP/ola")
    assert outcomes(record) == {"unknown": "unobserved", "PJSIP/ola": "answered"}
    assert (record.info.client, record.info.route) == ("fjord", "in turn")
    assert record.info.arrived_at < (record.answered_at or record.info.arrived_at) < record.ended_at
    await router.all_over(1)


async def test_people_of_whom_nobody_can_tell_who_they_are_talk_on(
    asterisk: FakeAsterisk, tmp_path: Path, router: Router
) -> None:
    caller = await talk(asterisk)

    def unrecognisable() -> None:
        caller.app_data = "callrouter"

    before = len(asterisk.requests)
    await forgotten(router, tmp_path / "state", unrecognisable)
    asterisk.phones["PJSIP/kari"] = BUSY
    asterisk.sounds["sound:sorry"] = 0.0
    asterisk.call(ONE, caller="+4790000008")
    assert told(await router.record(ONE))[0] == "busy"
    assert talking(asterisk)
    assert asterisk.asked_of(caller, since=before) == []


async def test_calls_of_another_asterisk_are_left_to_its_own_router(
    asterisk: FakeAsterisk, router: Router
) -> None:
    await talk(asterisk)
    asterisk.entity_id = "00:00:00:00:00:99"
    await gone_and_back(router, "the router is killed", asterisk.restart)
    assert router.open_calls() == [ONE]
    assert router.closed() == []
