"""Callers wait for agents: the whole daemon with a simulated Asterisk, whose connection breaks at will."""

import asyncio
import signal

import pytest

from router.core.agents import Change
from router.edge.store.agents import AgentChanges
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import ANSWERS, BUSY, RINGS_ON, Phone
from tests.sim.router import BACK, KARIS, QUEUE, Router, until
from tests.sim.stories import gone_and_back, outcomes, playing, rings, talk, talking, told

KARI, LISE, SIRI = "PJSIP/kari", "PJSIP/lise", "PJSIP/siri"
GAPS = ("the connection breaks", "the router is killed")


async def test_a_caller_hears_music_until_an_agent_answers(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones = {LISE: BUSY, SIRI: RINGS_ON}
    caller = asterisk.call(QUEUE)
    await until(lambda: rings("Ringing")(asterisk), what="siri rings, after lise was busy")
    assert (caller.state, playing(asterisk)) == ("Up", ["default"])
    await router.counts("callrouter_queue_waiting", 1, client="fjord", queue="desk")
    [siri] = asterisk.legs(SIRI)
    asterisk.answer(siri)
    await until(lambda: talking(asterisk), what="the talk")
    assert playing(asterisk) == [""], "nobody hears music in a talk"
    caller.hang_up()
    record = await router.record(QUEUE)
    assert told(record) == ("answered", "talking", "caller")
    assert outcomes(record) == {"lise": "busy", "siri": "answered"}
    agents = {"client": "fjord", "queue": "desk"}
    await router.counts("callrouter_queue_offers_total", 1, outcome="taken", **agents)
    await router.counts("callrouter_queue_callers_total", 1, outcome="answered", **agents)
    await router.counts("callrouter_queue_agents", 2, state="idle", **agents)


@pytest.mark.parametrize("gap", GAPS)
async def test_after_a_gap_callers_are_in_their_places(
    gap: str, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    callers = [asterisk.call(QUEUE) for _ in range(3)]
    await until(lambda: router.knows("QueueJoined") == 3)
    await until(lambda: router.knows("LegRinging") == 2)
    await gone_and_back(router, gap)
    [lise] = asterisk.legs(LISE)
    asterisk.answer(lise)
    await until(lambda: talking(asterisk), what="lise talks with the first")
    lise.hang_up()
    await until(lambda: router.closed(QUEUE))
    [record] = router.closed(QUEUE)
    assert (record.info.channel, record.answered_by) == (callers[0].id, "lise")
    await until(lambda: asterisk.legs(LISE) not in ([], [lise]), what="she is rung for the third")
    for caller in callers[1:]:
        caller.hang_up()
    records = await router.all_over(3)
    assert [told(one)[0] for one in records] == ["answered", "abandoned", "abandoned"]
    await until(lambda: not asterisk.channels, what="the end of all channels")


@pytest.mark.parametrize("gap", GAPS)
async def test_a_caller_who_left_in_a_gap_frees_the_agent(
    gap: str, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    caller = asterisk.call(QUEUE)
    await until(lambda: router.knows("LegRinging") == 1)
    await gone_and_back(router, gap, caller.hang_up)
    await until(lambda: router.closed(QUEUE))
    await router.counts("callrouter_queue_agents", 2, client="fjord", queue="desk", state="idle")


async def test_who_does_not_answer_is_paused_also_for_the_next_router(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: ANSWERS}
    caller = asterisk.call(QUEUE)
    await until(lambda: talking(asterisk), what="siri answers, after lise did not")
    caller.hang_up()
    await router.record(QUEUE)
    changes = AgentChanges(router.database)
    await until(lambda: changes.latest(), what="it is written down")
    [paused] = changes.latest()
    assert (paused.person, paused.change, paused.reason) == ("lise", Change.PAUSED, "not answering")
    changes.close()
    await gone_and_back(router, "the router is killed")
    await router.counts("callrouter_queue_agents", 1, client="fjord", queue="desk", state="paused")


async def test_rules_see_who_is_at_work(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    for person in ("lise", "siri"):
        await asyncio.to_thread(router.command, "agents", "logout", person)
    await router.counts("callrouter_queue_agents", 2, client="fjord", queue="desk", state="logged_out")
    asterisk.call(QUEUE)
    record = await router.record(QUEUE)
    assert (record.info.route, record.answered_at) == ("nobody", None)
    assert told(record)[:2] == ("blocked", "route nobody")


@pytest.mark.parametrize("phone", [RINGS_ON, ANSWERS], ids=["offered", "talking"])
async def test_after_a_restart_of_asterisk_agents_are_there_for_the_next(
    phone: Phone, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {LISE: phone, SIRI: phone}
    for _ in range(3):
        asterisk.call(QUEUE)
    await until(lambda: router.knows("QueueJoined") == 3)
    await until(lambda: len(asterisk.legs(LISE)) == len(asterisk.legs(SIRI)) == 1)
    before = asterisk.opened
    asterisk.restart()
    await until(lambda: asterisk.opened > before)
    await router.in_touch()
    await router.all_over(3)
    await router.counts("callrouter_queue_waiting", 0, client="fjord", queue="desk")
    await router.counts("callrouter_queue_agents", 2, client="fjord", queue="desk", state="idle")
    asterisk.phones = {LISE: ANSWERS, SIRI: ANSWERS}
    asterisk.call(QUEUE)
    await until(lambda: talking(asterisk), what="the next caller is answered")


async def test_what_agents_said_holds_after_a_restart(asterisk: FakeAsterisk, router: Router) -> None:
    for words in (("logout", "lise"), ("resume", "lise"), ("pause", "siri"), ("login", "siri")):
        await asyncio.to_thread(router.command, "agents", *words)
    agents = {"client": "fjord", "queue": "desk"}
    for _ in range(2):
        await router.counts("callrouter_queue_agents", 1, state="logged_out", **agents)
        await router.counts("callrouter_queue_agents", 1, state="idle", **agents)
        await gone_and_back(router, "the router is killed")


async def test_a_phone_that_is_in_use_by_something_else_is_not_rung(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones = {KARI: ANSWERS, LISE: RINGS_ON}
    elsewhere = await talk(asterisk)  # with kari
    asterisk.call(KARIS)
    await router.counts("callrouter_queue_offers_total", 1, client="fjord", queue="karis", outcome="in_use")
    assert len(asterisk.legs(KARI)) == 1, "nothing rings in her talk"
    elsewhere.hang_up()
    await until(lambda: len(asterisk.legs(KARI)) == 1 and talking(asterisk), within=8.0)


CALLER_OUTSIDE = "PJSIP/+4790000009@trunk"


async def keeps_the_place(asterisk: FakeAsterisk, router: Router) -> None:
    """A caller presses the key by which they are called back, and is let go."""
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    caller = asterisk.call(BACK)
    await until(lambda: router.knows("QueueJoined") == 1)
    await until(lambda: router.knows("NumberRead") == 1)
    asterisk.press(caller, "1")
    await until(lambda: caller.id not in asterisk.channels, what="the caller is let go")
    await until(lambda: len(router.closed(BACK)) == 1)
    await router.counts("callrouter_queue_waiting", 1, client="fjord", queue="back")


@pytest.mark.parametrize("gap", ["nothing", *GAPS])
async def test_who_keeps_the_place_is_called_back(gap: str, asterisk: FakeAsterisk, router: Router) -> None:
    await keeps_the_place(asterisk, router)
    if gap != "nothing":
        await gone_and_back(router, gap)
    asterisk.phones |= {"PJSIP/kari": ANSWERS, CALLER_OUTSIDE: ANSWERS}
    await until(lambda: asterisk.legs("PJSIP/kari"), what="kari is rung")
    ringing = [leg for leg in asterisk.legs("PJSIP/kari") if leg.state == "Ringing"]
    for leg in ringing:
        asterisk.answer(leg)
    await until(lambda: talking(asterisk), what="the two talk", within=10.0)
    [caller] = asterisk.legs(CALLER_OUTSIDE)
    assert caller.variables["CONNECTEDLINE(num,i)"] == BACK, "who calls back is known"
    caller.hang_up()
    await until(lambda: len(router.closed(BACK)) == 2)
    asked, back = router.closed(BACK)
    assert told(asked)[0] == "callback_requested"
    assert told(back) == ("answered", "talking", "caller")
    await router.counts("callrouter_queue_waiting", 0, client="fjord", queue="back")


async def test_a_restart_of_asterisk_takes_no_place(asterisk: FakeAsterisk, router: Router) -> None:
    await keeps_the_place(asterisk, router)
    before = asterisk.opened
    asterisk.restart()
    await until(lambda: asterisk.opened > before)
    await router.in_touch()
    asterisk.phones |= {"PJSIP/kari": ANSWERS, CALLER_OUTSIDE: BUSY}
    await until(lambda: len(router.closed(BACK)) == 2, within=15.0, what="kari tries to call")
    assert told(router.closed(BACK)[1]) == ("busy", "ringing", "caller")


async def test_whoever_is_to_be_called_back_keeps_no_router_from_stopping(
    asterisk: FakeAsterisk, router: Router
) -> None:
    await keeps_the_place(asterisk, router)
    await asyncio.to_thread(router.command, "agents", "pause", "kari")
    await until(lambda: not asterisk.legs("PJSIP/kari"), what="nobody is rung")
    router.signal(signal.SIGTERM)
    assert await router.exit_status(within=3.0) == 0
    await router.start()
    await router.counts("callrouter_queue_waiting", 1, client="fjord", queue="back")
