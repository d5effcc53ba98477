"""Asterisk refuses or does not reply, or the fault is our own: see asterisk.py."""

import asyncio
import sqlite3
from collections.abc import MutableMapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from router import app
from router.core import deadman, machine
from router.core.arrival import Arriving, read_facts
from router.core.events import PlaybackEnded
from router.core.verdict import Verdict
from router.edge import arrivals, deadmen, reconciliation, recovery
from router.edge.store.verdicts import Verdicts
from tests.sim.asterisk import BREAK_GLASS, FakeAsterisk
from tests.sim.phones import ANSWERS, BUSY, NO_REPLY, RINGS_ON, SILENT, Fault, Phone, misfortune
from tests.sim.router import (
    ALL,
    CLOSED,
    GREETING,
    ONE,
    Router,
    until,
)
from tests.sim.stories import (
    outcomes,
    rings,
    talk,
    talking,
    told,
    waiting,
)

# Commands


REFUSED = [
    ("create", Fault("POST", "channels/create", 503), ("failed", "unreachable", "router")),
    ("dial", Fault("POST", "channels/.*/dial", 409), ("failed", "", "router")),
    ("answer", Fault("POST", "channels/.*/answer", 500), ("failed", "command_failed", "router")),
    ("bridge", Fault("POST", "bridges", 500), ("dropped", "command_failed", "router")),
    ("join", Fault("POST", "bridges/.*/addChannel", 400), ("dropped", "command_failed", "router")),
]


@pytest.mark.parametrize(
    ("fault", "disposition"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_a_command_that_asterisk_refuses(
    asterisk: FakeAsterisk, router: Router, fault: Fault, disposition: tuple[str, str, str]
) -> None:
    asterisk.phones["PJSIP/kari"] = Phone(answers=0.1) if fault.status in (500, 400) else SILENT
    asterisk.sounds["sound:sorry"] = 0.05
    asterisk.faults = [Fault(fault.method, fault.path, fault.status)]
    asterisk.call(ONE)
    record = await router.record(ONE)
    assert (record.disposition.value, record.reason, str(record.hung_up_by)) == disposition
    await router.all_over(1)
    assert await router.metric(
        "callrouter_command_failures_total",
        command={"create": "CreateLeg", "dial": "DialLeg", "answer": "AnswerCaller"}.get(
            fault.path.rpartition("/")[2], "Bridge"
        ),
        status=str(max(fault.status, 0)),
    )


async def test_a_reply_that_is_lost_is_not_a_refusal(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.faults = [Fault("POST", "channels/create", NO_REPLY)]
    asterisk.phones["PJSIP/kari"] = Phone(answers=0.6)  # after the router has given up waiting for the reply
    caller = asterisk.call(ONE)
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    assert outcomes(await router.record(ONE)) == {"PJSIP/kari": "answered"}
    assert await router.metric("callrouter_command_failures_total", command="CreateLeg", status="0") == 1
    await router.all_over(1)


@pytest.mark.parametrize("status", [500, NO_REPLY])
async def test_dead_men_that_do_not_come_off_are_tried_again(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Every call of the request is told that it failed."""
    monkeypatch.setattr(deadmen, "BATCH", 0.2)
    asterisk.faults = [Fault("POST", "asterisk/variable", status)]
    asterisk.phones["PJSIP/kari"] = ANSWERS
    callers = [asterisk.call(ONE, caller=f"+479000000{number}") for number in range(3)]
    await router.counts(
        "callrouter_command_failures_total", 3, command="LiftDeadMan", status=str(max(0, status))
    )
    sent = asterisk.commands(about="asterisk/variable")
    await until(lambda: len(asterisk.commands(about="asterisk/variable")) > len(sent), what="the second try")
    assert talking(asterisk)
    for caller in callers:
        caller.hang_up()
    assert [record.flags for record in await router.all_over(3)] == [("lift_failed",)] * 3


async def test_a_reply_that_comes_after_the_end_of_the_call(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.faults = [Fault("POST", "channels/create", 500)]
    caller = asterisk.call(ONE, caller="+4790000008")
    caller.hang_up()
    asterisk.phones["PJSIP/kari"] = ANSWERS
    assert told(await router.record(ONE)) == ("abandoned", "ringing", "caller")
    await router.counts("callrouter_command_failures_total", 1, command="CreateLeg", status="500")
    await router.all_over(1)


# Faults of our own


async def test_an_error_in_one_call_stays_in_that_call(
    asterisk: FakeAsterisk,
    router: Router,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[MutableMapping[str, Any]],
) -> None:
    real = machine.step

    def breaks(call: Any, event: Any, now: Any) -> Any:
        if call.info.dialled == GREETING and isinstance(event, PlaybackEnded):
            raise ValueError("a fault of ours")
        return real(call, event, now)

    monkeypatch.setattr(machine, "step", breaks)
    monkeypatch.setattr(deadman, "REFRESH", 0.05)
    broken = asterisk.call(GREETING)
    await until(lambda: [entry for entry in logged if entry["event"] == "step failed"])
    caller = await talk(asterisk)
    before = len(asterisk.requests)
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")
    await router.counts("callrouter_engine_errors_total", 2)  # told twice
    # The broken call's caller is kept in it no longer: the dead man brings it to the dialplan.
    assert asterisk.asked_of(broken, since=before) == []
    asterisk.dead_man_strikes(broken)
    assert told(await router.record(GREETING)) == ("transferred", "dead_man", "router")


async def test_a_caller_whom_the_dialplan_hands_over_wrongly_is_left_alone_and_told_of(
    asterisk: FakeAsterisk, router: Router, logged: list[MutableMapping[str, Any]]
) -> None:
    asterisk.call(ONE, entrance=())
    await until(lambda: [entry for entry in logged if entry["event"] == "channel left alone"])
    assert asterisk.requests == []


async def test_an_error_in_an_arrival_leaves_that_caller_to_the_dead_man(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(call: Arriving, *known: Any) -> Any:
        if call.dialled == GREETING:
            raise ValueError("a fault of ours")
        return read_facts(call, *known)

    monkeypatch.setattr(arrivals, "read_facts", breaks)
    lost = asterisk.call(GREETING)
    caller = await talk(asterisk)
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")
    assert await router.metric("callrouter_engine_errors_total") == 1
    assert (lost.state, lost.waits_under_a_dead_man) == ("Ring", True)


async def test_a_comparison_that_fails_keeps_no_new_caller_from_being_served(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> Any:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(recovery, "sight", breaks)
    asterisk.drop()
    await router.counts("callrouter_engine_errors_total", 1)
    caller = await talk(asterisk)
    caller.hang_up()
    assert told(await router.record(ONE)) == ("answered", "talking", "caller")


async def test_a_call_that_ended_without_its_record_gets_it(
    asterisk: FakeAsterisk, router: Router, tmp_path: Path
) -> None:
    caller = await talk(asterisk)
    caller.hang_up()
    record = await router.record(ONE)
    await router.die()
    with closing(sqlite3.connect(tmp_path / "state" / "callrouter.db")) as database, database:
        database.execute("DELETE FROM attempts")
        database.execute("UPDATE calls SET disposition = NULL")
    await router.start()
    assert await router.record(ONE) == record


async def test_a_saved_call_that_cannot_be_read_keeps_nobody_from_being_served(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    await waiting(asterisk, router, ONE, rings("Ringing"))
    await router.die()

    def breaks(text: bytes) -> Any:
        raise ValueError("of another version")

    monkeypatch.setattr(reconciliation, "_decode_plan", breaks)
    await router.start()
    assert await router.metric("callrouter_engine_errors_total") == 1
    asterisk.phones["PJSIP/ola"] = asterisk.phones["PJSIP/anne"] = ANSWERS
    asterisk.call(ALL)
    await until(lambda: talking(asterisk), what="the talk of another")


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_goes_wrong_every_call_has_one_end(
    asterisk: FakeAsterisk, router: Router, seed: int
) -> None:
    """Twenty callers, phones of all kinds, refusals and lost connections: nothing is left behind."""
    random = Random(seed)
    asterisk.phones = {
        "PJSIP/kari": Phone(answers=0.1, hangs_up=0.2),
        "PJSIP/ola": BUSY,
        "PJSIP/anne": RINGS_ON,
    }
    asterisk.faults = [misfortune(random) for _ in range(10)]
    callers = []
    for number in range(20):
        callers.append(asterisk.call(random.choice([ONE, ALL, GREETING, CLOSED]), f"+479000{number:04}"))
        await asyncio.sleep(random.uniform(0, 0.03))
        if random.random() < 0.1:
            asterisk.drop()
        if random.random() < 0.2:
            random.choice(callers).hang_up()
    await until(lambda: asterisk.connected)
    await router.in_touch()
    fell = [caller for caller in callers if caller.context == BREAK_GLASS]
    await asyncio.sleep(0.5)
    for caller in callers:
        caller.hang_up()
    await until(
        lambda: not (asterisk.channels or asterisk.bridges or router.open_calls()), 12.0, "a clean end"
    )
    assert len(router.closed()) >= len(callers) - len(fell)
    assert len({record.info.channel for record in router.closed()}) == len(router.closed())
    assert asterisk.unheard_of == []


async def test_commands_on_numbers_count_when_the_database_comes_late(
    asterisk: FakeAsterisk, router: Router, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a machine's start, where PostgreSQL takes longer than we do."""
    monkeypatch.setattr(app, "REMEMBER_AGAIN", 0.05)
    spammer = Verdict(0, "block", "+4790000001", None, "", "ann", datetime.now(UTC), None)
    with closing(Verdicts(router.database)) as verdicts:
        verdicts.add(spammer)
    await router.die()
    state, away = tmp_path / "state", tmp_path / "away"
    state.rename(away)
    state.write_text("no folder")
    await router.start()
    assert await router.metric("callrouter_engine_errors_total") == 0
    state.unlink()
    away.rename(state)
    asterisk.phones["PJSIP/kari"] = BUSY

    async def refused() -> bool:
        asterisk.call(ONE, caller="+4790000001")
        await router.all_over(len(router.closed()) + 1)
        return router.closed()[-1].reason == "command 1"

    async with asyncio.timeout(5.0):
        while not await refused():
            await asyncio.sleep(0.05)
