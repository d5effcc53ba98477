"""The pace of what can wait."""

import asyncio

import pytest

from router.edge.pace import TICK, Pace


async def test_turns_come_in_order_few_at_a_time_and_no_more_than_so_many() -> None:
    pace, order = Pace(), []
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def turn(number: int) -> None:
        await pace.turn(TICK / 4)
        order.append((number, loop.time() - began))

    await asyncio.gather(*map(turn, range(20)))
    assert [number for number, _ in order] == list(range(20))
    assert order[-1][1] >= 3 * TICK, "twenty turns, five a tick, of which the first begins at once"
    moments = {round(after / TICK) for _, after in order}
    assert len(moments) <= 10, "they wake together"


async def test_without_a_gap_nobody_waits() -> None:
    pace = Pace()
    async with asyncio.timeout(100 * TICK):
        for _ in range(1000):
            await pace.turn(0.0)
        await pace.turn(3600.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * TICK):
            await pace.turn(0.0)


async def test_what_nobody_took_is_not_made_up_for() -> None:
    pace, loop = Pace(), asyncio.get_running_loop()
    await pace.turn(TICK)
    await asyncio.sleep(10 * TICK)
    began = loop.time()
    for _ in range(5):
        await pace.turn(TICK)
    assert loop.time() - began >= 2 * TICK
