"""The whole daemon on PostgreSQL: callers wait for agents, and a router that dies is replaced."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.postgres import Postgres
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import RINGS_ON
from tests.sim.router import QUEUE, Router, routing, until
from tests.sim.stories import gone_and_back, talking, told

LISE, SIRI = "PJSIP/lise", "PJSIP/siri"


@pytest.fixture
async def both(tmp_path: Path, postgres: Postgres) -> AsyncIterator[tuple[FakeAsterisk, Router]]:
    async with routing(tmp_path, database=postgres.new_database()) as made:
        yield made


async def test_places_offers_and_agents_outlive_the_router(asterisk: FakeAsterisk, router: Router) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    callers = [asterisk.call(QUEUE) for _ in range(3)]
    await until(lambda: router.knows("QueueJoined") == 3)
    await until(lambda: router.knows("LegRinging") == 2)
    await gone_and_back(router, "the router is killed")
    [lise] = asterisk.legs(LISE)
    asterisk.answer(lise)
    await until(lambda: talking(asterisk), what="lise talks with the first")
    lise.hang_up()
    await until(lambda: router.closed(QUEUE))
    [record] = router.closed(QUEUE)
    assert (record.info.channel, record.answered_by) == (callers[0].id, "lise")
    for caller in callers[1:]:
        caller.hang_up()
    records = await router.all_over(3)
    assert [told(one)[0] for one in records] == ["answered", "abandoned", "abandoned"]


async def test_calls_are_answered_while_the_database_is_away(
    asterisk: FakeAsterisk, router: Router, postgres: Postgres
) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    postgres.stop()
    caller = asterisk.call(QUEUE)
    await until(lambda: len(asterisk.legs(LISE)) == 1, what="lise is rung")
    asterisk.answer(asterisk.legs(LISE)[0])
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    postgres.start()
    record = await router.record(QUEUE)
    assert told(record) == ("answered", "talking", "caller")
