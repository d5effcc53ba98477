"""The router stops, is replaced, gets other rules, or has no database: see asterisk.py."""

import asyncio
import signal
import sqlite3
from collections.abc import MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from router import app as router_app
from router.edge import calllog, deadmen, reload
from router.edge.store import unwritten
from tests.sim.asterisk import BREAK_GLASS, FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import ANSWERS, RINGS_ON
from tests.sim.router import (
    ALL,
    CLOSED,
    ONE,
    RULES,
    Router,
    routing,
    until,
)
from tests.sim.stories import (
    rings,
    talk,
    talking,
    told,
    waiting,
)

# The end of the router


async def test_the_line_of_the_last_call_is_in_the_log(
    asterisk: FakeAsterisk,
    router: Router,
    logged: list[MutableMapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calllog, "TOGETHER", 60.0)
    caller = await talk(asterisk)
    caller.hang_up()
    await router.record(ONE)
    router.signal(signal.SIGTERM)
    assert await router.exit_status() == 0
    assert [entry["dialled"] for entry in logged if entry["event"] == "call ended"] == [ONE]


async def test_draining_serves_who_waits_and_leaves_who_talks(asterisk: FakeAsterisk, router: Router) -> None:
    talker = await talk(asterisk)
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    waiter = asterisk.call(ONE, caller="+4790000008")
    await until(lambda: [leg for leg in asterisk.legs("PJSIP/kari") if leg.state == "Ringing"])
    router.signal(signal.SIGTERM)
    late = await until_draining(router, asterisk)
    assert late.context == BREAK_GLASS
    assert router.running
    [ringing] = [leg for leg in asterisk.legs("PJSIP/kari") if leg.state == "Ringing"]
    asterisk.answer(ringing)
    assert await router.exit_status() == 0
    assert (talker.ended, waiter.ended) == (None, None)
    assert [told(record) for record in router.closed(CLOSED)] == [("transferred", "draining", "router")]
    assert router.open_calls() == [ONE, ONE]
    await router.start()
    talker.hang_up()
    waiter.hang_up()
    late.hang_up()
    await router.all_over(3)


async def until_draining(router: Router, asterisk: FakeAsterisk) -> Channel:
    """A caller who comes while the router is stopping."""
    await router.is_ready(503)
    caller = asterisk.call(CLOSED)
    await until(lambda: caller.context == BREAK_GLASS)
    return caller


async def test_a_second_signal_stops_at_once(asterisk: FakeAsterisk, router: Router) -> None:
    await waiting(asterisk, router, ONE, rings("Ringing"))
    router.signal(signal.SIGTERM)
    await router.is_ready(503)
    assert router.running
    router.signal(signal.SIGTERM)
    assert await router.exit_status(within=2.0) == 0
    assert router.open_calls() == [ONE]


@pytest.mark.parametrize("second_signal", [False, True], ids=["with the last who waits", "at once"])
async def test_talks_that_have_just_begun_outlive_the_router(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch, second_signal: bool
) -> None:
    monkeypatch.setattr(deadmen, "BATCH", 60.0)
    asterisk.phones = {"PJSIP/kari": RINGS_ON, "PJSIP/ola": ANSWERS}
    asterisk.call(ALL)
    await until(lambda: [len(bridge.members) for bridge in asterisk.bridges.values()] == [2])
    for _ in range(2):
        asterisk.call(ONE)
    await until(lambda: rings("Up", "Ringing", "Ringing")(asterisk))
    assert under_a_dead_man(asterisk) == 6
    router.signal(signal.SIGTERM)
    await until(lambda: under_a_dead_man(asterisk) == 4, what="the lift of what waited")
    first, second = asterisk.legs("PJSIP/kari")
    asterisk.answer(first)
    await until(lambda: under_a_dead_man(asterisk) == 2, what="the lift at once")
    if second_signal:
        router.signal(signal.SIGTERM)
    else:
        asterisk.answer(second)
    assert await router.exit_status() == 0
    assert under_a_dead_man(asterisk) == (2 if second_signal else 0)


def under_a_dead_man(asterisk: FakeAsterisk) -> int:
    """How many channels end, or fall to the dialplan, if nobody looks after them."""
    return sum(channel.waits_under_a_dead_man for channel in asterisk.channels.values())


async def test_draining_ends_at_its_limit(tmp_path: Path) -> None:
    async with routing(tmp_path, drain_for="1s") as (asterisk, router):
        await waiting(asterisk, router, ONE, rings("Ringing"))
        router.signal(signal.SIGTERM)
        assert await router.exit_status() == 0
        assert router.open_calls() == [ONE]


@pytest.mark.parametrize("draining", [False, True], ids=["serving", "draining"])
async def test_a_router_that_was_replaced_sends_nothing_and_ends(
    asterisk: FakeAsterisk, router: Router, draining: bool
) -> None:
    await waiting(asterisk, router, ONE, rings("Ringing"))
    if draining:
        router.signal(signal.SIGTERM)
        await router.is_ready(503)
    before = len(asterisk.requests)
    await asterisk.replace()
    assert await router.exit_status() == 1
    assert len(asterisk.requests) == before
    assert asterisk.legs("PJSIP/kari")
    assert router.open_calls() == [ONE]


@pytest.mark.parametrize("by", ["a signal", "the command", "watching"])
async def test_rules_are_read_again(tmp_path: Path, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "LOOK_EVERY", 0.05)
    async with routing(tmp_path, watch=by == "watching") as (asterisk, router):
        asterisk.phones["PJSIP/kari"] = RINGS_ON
        in_flight = asterisk.call(ONE)
        await until(lambda: asterisk.legs("PJSIP/kari"))
        router.write_rules(RULES.replace("PJSIP/kari", "PJSIP/siri"))
        loaded = await router.metric("callrouter_rules_loaded_timestamp_seconds")
        if by == "a signal":
            router.signal(signal.SIGHUP)
        elif by == "the command":
            assert (await asyncio.to_thread(router.command, "reload")).stdout.endswith("2 client(s)\n")
        while await router.metric("callrouter_rules_loaded_timestamp_seconds") == loaded:
            await asyncio.sleep(0.005)
        asterisk.phones["PJSIP/siri"] = ANSWERS
        caller = asterisk.call(ONE, caller="+4790000008")
        await until(lambda: talking(asterisk), what="the talk by the new rules")
        assert in_flight.state == "Ring"
        in_flight.hang_up()
        caller.hang_up()
        old, new = await router.all_over(2)
        assert old.info.rules_version != new.info.rules_version


@pytest.mark.parametrize(
    ("broken", "said"),
    [("rules", "fjord.yaml:2:9: a list is needed"), ("reader", "could not be read, by a fault")],
)
async def test_rules_that_are_wrong_change_nothing(
    asterisk: FakeAsterisk, router: Router, broken: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "rules":
        router.write_rules("client: fjord\nroutes: 5\n")
    else:

        def breaks(self: object) -> object:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr("router.edge.rulesfile.RulesFile.load", breaks)
    found = await asyncio.to_thread(router.command, "reload")
    assert (found.exit_code, found.stderr.splitlines()[-1]) == (1, "the old rules stay in use")
    assert said in found.stderr
    await router.counts("callrouter_rules_refused_total", 1)
    caller = await talk(asterisk)
    caller.hang_up()
    await router.all_over(1)


async def test_records_of_a_router_that_stops_without_a_database_come_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_app, "FLUSH", 0.3)
    (tmp_path / "db").mkdir()
    async with routing(tmp_path, database=f"sqlite:///{tmp_path}/db/callrouter.db") as (asterisk, router):
        over = await talk(asterisk)
        (tmp_path / "db").rename(tmp_path / "away")
        over.hang_up()
        talker = await talk(asterisk)
        await router.counts("callrouter_store_failing", 1)
        router.signal(signal.SIGTERM)
        assert await router.exit_status() == 0
        assert len(list((tmp_path / "state").glob("unwritten-*.jsonl"))) == 1
        (tmp_path / "away").rename(tmp_path / "db")
        await router.start()
        talker.hang_up()
        records = await router.all_over(2)
        assert [told(record) for record in records] == [("answered", "talking", "caller")] * 2
        assert list((tmp_path / "state").glob("unwritten-*")) == []


async def test_a_call_whose_end_is_kept_is_not_taken_for_a_live_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_app, "FLUSH", 0.3)
    async with routing(tmp_path) as (asterisk, router):
        caller = await talk(asterisk)
        await until(lambda: bool(router.open_calls()), what="the arrival is written")
        file = router.database.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN IMMEDIATE")  # It can be read, and not be written to.
            caller.hang_up()
            await router.counts("callrouter_store_failing", 1)
            router.signal(signal.SIGTERM)
            assert await router.exit_status() == 0
            await router.start()
            await router.counts("callrouter_store_failing", 1)
        [record] = await router.all_over(1)
        assert told(record) == ("answered", "talking", "caller")
        await router.counts("callrouter_store_failing", 0)
        assert await router.metric("callrouter_disposition_conflicts_total") == 0


async def test_a_router_that_loses_records_says_so_by_its_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_app, "FLUSH", 0.3)
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(unwritten, "TEMPORARY", ())
    async with routing(tmp_path) as (asterisk, router):
        (tmp_path / "state").rename(tmp_path / "away")
        (tmp_path / "state").write_text("no folder")
        await talk(asterisk)
        await router.counts("callrouter_store_failing", 1)
        router.signal(signal.SIGTERM)
        assert await router.exit_status() == 1


async def test_no_database_stops_no_call(tmp_path: Path, logged: list[MutableMapping[str, Any]]) -> None:
    async with FakeAsterisk() as asterisk:
        router = Router(asterisk, tmp_path)
        (tmp_path / "state").write_text("no folder")
        try:
            await router.start()
            caller = await talk(asterisk)
            await router.counts("callrouter_store_failing", 1)
            (tmp_path / "state").unlink()
            (tmp_path / "state").mkdir()
            caller.hang_up()
            await router.counts("callrouter_store_failing", 0)
            assert told(await router.record(ONE)) == ("answered", "talking", "caller")
        finally:
            await router.die()
