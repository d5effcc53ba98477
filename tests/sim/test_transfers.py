"""Phones give callers away: the whole daemon with a simulated Asterisk, whose connection breaks at will."""

import asyncio
from collections.abc import Callable

import pytest

from router.core.record import CallRecord
from tests.sim.asterisk import FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import ANSWERS, BUSY, RINGS_ON
from tests.sim.router import KARIS, ONE, RULES, Router, until
from tests.sim.stories import gone_and_back, outcomes, talk, talking, told

KARI, OLA = "PJSIP/kari", "PJSIP/ola"
GAPS = ("the connection breaks", "the router is killed")


def talks(record: CallRecord) -> list[tuple[str, str]]:
    return [(talk.who, talk.end.value) for talk in record.talks]


async def kari_talks(asterisk: FakeAsterisk, router: Router) -> tuple[Channel, Channel]:
    """The caller, and kari's channel."""
    caller = await talk(asterisk)
    await until(lambda: router.knows("LegAnswered") == 2)
    [kari] = asterisk.legs(KARI)
    return caller, kari


async def ola_rings(asterisk: FakeAsterisk) -> Channel:
    await until(lambda: [leg.state for leg in asterisk.legs(OLA)] == ["Ringing"], what="ola's phone rings")
    [ola] = asterisk.legs(OLA)
    return ola


async def test_a_blind_transfer_reaches_a_person(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones[OLA] = RINGS_ON
    caller, kari = await kari_talks(asterisk, router)
    other = asterisk.transfer(kari, "101")
    ola = await ola_rings(asterisk)
    await until(lambda: caller.waits_under_a_dead_man, what="the dead man: the router may die again")
    assert other.id not in asterisk.channels
    asterisk.answer(ola)
    await until(lambda: talking(asterisk), what="the caller talks with ola")
    caller.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "caller")
    assert talks(record) == [("PJSIP/kari", "blind_transfer"), ("ola", "hung_up")]
    assert outcomes(record) == {"PJSIP/kari": "answered", "ola": "answered"}
    await router.all_over(1)


@pytest.mark.parametrize("to", ["101", "999", "+15551234567"])
async def test_whoever_gave_the_caller_away_is_rung_back(
    to: str, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones[OLA] = BUSY
    caller, kari = await kari_talks(asterisk, router)
    asterisk.transfer(kari, to)
    await until(lambda: asterisk.legs(KARI) not in ([], [kari]) and talking(asterisk), what="kari again")
    caller.hang_up()
    record = await router.record(ONE)
    assert talks(record) == [("PJSIP/kari", "blind_transfer"), ("PJSIP/kari", "hung_up")]
    refused = [seen.detail for seen in record.evidence if seen.what == "transfer_refused"]
    assert bool(refused) == (to != "101")
    await router.all_over(1)


async def test_an_attended_transfer_goes_on(asterisk: FakeAsterisk, router: Router) -> None:
    caller, kari = await kari_talks(asterisk, router)
    ola = Channel(asterisk.hang_up, "1795341699.1", f"{OLA}-00000077", "Up")
    other = asterisk.hand_over(kari, ola, "101")
    await until(lambda: kari.id not in asterisk.channels, what="kari's end")
    assert caller.id in asterisk.channels
    other.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "callee")
    assert talks(record) == [("PJSIP/kari", "attended_transfer"), ("ola", "hung_up")]
    await router.all_over(1)


async def test_one_to_a_phone_that_rings_still_is_made_anew(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones[OLA] = ANSWERS
    caller, kari = await kari_talks(asterisk, router)
    other = asterisk.hand_over(kari, kari, "101", answered=False)
    await until(lambda: asterisk.legs(OLA) and talking(asterisk), what="ola has the caller")
    assert other.id not in asterisk.channels
    caller.hang_up()
    assert talks(await router.record(ONE))[0] == ("PJSIP/kari", "blind_transfer")
    await router.all_over(1)


async def test_what_joins_two_bridges_and_ends_at_once_ends_the_call(
    asterisk: FakeAsterisk, router: Router
) -> None:
    _, kari = await kari_talks(asterisk, router)
    asterisk.pick_up(kari, "Local/_attended@transfer").hang_up()
    record = await router.record(ONE)
    assert talks(record) == [("PJSIP/kari", "attended_transfer"), ("Local/_attended@transfer", "hung_up")]
    await router.all_over(1)


async def test_a_phone_that_takes_the_call_over_has_it(asterisk: FakeAsterisk, router: Router) -> None:
    caller, kari = await kari_talks(asterisk, router)
    asterisk.pick_up(kari, OLA)
    await until(lambda: router.knows("LegReplaced") == 1)
    caller.hang_up()
    assert talks(await router.record(ONE))[1] == ("ola", "hung_up")
    await router.all_over(1)


async def test_the_callers_side_gives_nobody_away(asterisk: FakeAsterisk, router: Router) -> None:
    caller, _ = await kari_talks(asterisk, router)
    caller.variables["TRANSFER_CONTEXT"] = "from-trunk"
    other = asterisk.transfer(caller, "101")
    await router.record(ONE)
    assert other.ended is not None
    assert asterisk.legs(OLA) == []
    await router.all_over(1)


async def test_two_callers_of_one_phone_both_come_back_to_it(asterisk: FakeAsterisk, router: Router) -> None:
    _, kari = await kari_talks(asterisk, router)
    asterisk.call(ONE)
    await until(lambda: router.knows("LegAnswered") == 4, what="kari has both")
    [second] = [leg for leg in asterisk.legs(KARI) if leg is not kari]
    asterisk.join(kari, second)
    await until(lambda: router.knows("LegAnswered") == 6, what="both talk with kari")
    again = [leg for leg in asterisk.legs(KARI) if leg not in (kari, second)]
    assert len(again) == 2
    for leg in again:
        leg.hang_up()
    for record in await router.all_over(2):
        assert told(record) == ("answered", "talking", "callee")
        assert talks(record) == [("PJSIP/kari", "blind_transfer"), ("PJSIP/kari", "hung_up")]


async def consulting(asterisk: FakeAsterisk, router: Router, dialled: str, phone: str) -> Channel:
    """Whoever is at that phone asks somebody by a number of ours; the channel of that call."""
    before = router.knows("LegAnswered")
    caller = asterisk.call(dialled, "100", phone=phone)
    await until(lambda: router.knows("LegAnswered") == before + 2, what="the word")
    return caller


async def test_whoever_was_asked_by_a_queue_is_called_for_the_caller(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones[KARI] = asterisk.phones[OLA] = ANSWERS
    router.write_rules(RULES.replace("karis: {agents: kari}", "karis: {agents: ola}"))
    await router.die()
    await router.start()
    caller, kari = await kari_talks(asterisk, router)
    asked = await consulting(asterisk, router, KARIS, KARI)
    [ola] = asterisk.legs(OLA)
    asterisk.join(kari, asked)
    await until(
        lambda: asterisk.legs(OLA) not in ([], [ola]) and talking(asterisk), what="ola has the caller"
    )
    caller.hang_up()
    assert talks(await router.record(ONE)) == [("PJSIP/kari", "blind_transfer"), ("ola", "hung_up")]
    assert told(await router.record(KARIS)) == ("answered", "talking", "caller")
    await router.all_over(2)


@pytest.mark.parametrize("gap", [None, *GAPS])
async def test_a_phone_of_the_house_that_called_puts_somebody_in_its_own_place(
    gap: str | None, asterisk: FakeAsterisk, router: Router
) -> None:
    asterisk.phones[KARI] = ANSWERS
    asked = await consulting(asterisk, router, ONE, OLA)
    outside = Channel(asterisk.hang_up, "1795341699.1", "PJSIP/trunk-00000077", "Up")
    other = asterisk.hand_over(asked, outside, "101")
    await until(lambda: asked.id not in asterisk.channels and router.knows("CallerReplaced") == 1)
    if gap is not None:
        await gone_and_back(router, gap)
    assert talking(asterisk)
    other.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "caller")
    assert "transferred" in record.flags
    await router.all_over(1)


async def test_a_trunk_that_called_puts_nobody_in_its_own_place(
    asterisk: FakeAsterisk, router: Router
) -> None:
    caller, _ = await kari_talks(asterisk, router)
    other = asterisk.hand_over(caller, caller, "101")
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "caller")
    assert other.ended is not None
    await router.all_over(1)


async def test_holds_are_counted(asterisk: FakeAsterisk, router: Router) -> None:
    caller, kari = await kari_talks(asterisk, router)
    asterisk.hold(kari)
    await asyncio.sleep(0.2)
    asterisk.hold(kari, held=False)
    await until(lambda: router.knows("LegUnheld") == 1)
    caller.hang_up()
    assert (await router.record(ONE)).hold_seconds == pytest.approx(0.2, abs=0.1)


async def test_an_agent_is_free_once_the_caller_is_given_away(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones[OLA] = RINGS_ON
    caller = await talk(asterisk, KARIS)
    agents = {"client": "fjord", "queue": "karis"}
    await router.counts("callrouter_queue_agents", 1, state="talking", **agents)
    asterisk.transfer(asterisk.legs(KARI)[0], "101")
    await ola_rings(asterisk)
    await router.counts("callrouter_queue_agents", 1, state="idle", **agents)
    caller.hang_up()
    record = await router.record(KARIS)
    assert (told(record)[0], talks(record)) == ("answered", [("kari", "blind_transfer")])


WAYS: dict[str, Callable[[FakeAsterisk, Channel], Channel]] = {
    "blind": lambda asterisk, kari: asterisk.transfer(kari, "101"),
    "by another phone": lambda asterisk, kari: asterisk.pick_up(kari, OLA),
}


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_one_that_nobody_saw_is_found(
    way: Callable[[FakeAsterisk, Channel], Channel], gap: str, asterisk: FakeAsterisk, router: Router
) -> None:
    """Asterisk refuses them while no router is there, but one that has just died is there for a moment."""
    asterisk.phones[OLA] = ANSWERS
    caller, kari = await kari_talks(asterisk, router)
    await gone_and_back(router, gap, lambda: way(asterisk, kari))
    await until(lambda: asterisk.legs(OLA) and talking(asterisk), what="the talk with ola")
    caller.hang_up()
    record = await router.record(ONE)
    assert told(record)[0] == "answered"
    assert [who for who, _ in talks(record)] in (["PJSIP/kari", "ola"], ["PJSIP/kari", OLA])
    await router.all_over(1)


@pytest.mark.parametrize("gap", GAPS)
async def test_transfers_outlive_a_gap(gap: str, asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones[OLA] = RINGS_ON
    _, kari = await kari_talks(asterisk, router)
    asterisk.transfer(kari, "101")
    ola = await ola_rings(asterisk)
    await until(lambda: router.knows("LegRinging") == 2)
    await gone_and_back(router, gap)
    asterisk.answer(ola)
    await until(lambda: talking(asterisk), what="the talk with ola")
    await until(lambda: router.knows("LegAnswered") == 3)
    other = asterisk.pick_up(ola, "PJSIP/anne")
    await until(lambda: router.knows("LegReplaced") == 1)
    await gone_and_back(router, gap)
    other.hang_up()
    record = await router.record(ONE)
    assert told(record) == ("answered", "talking", "callee")
    assert [who for who, _ in talks(record)] == ["PJSIP/kari", "ola", "PJSIP/anne"]
    await router.all_over(1)
