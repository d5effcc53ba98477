"""The bell: nobody who waits misses it, from whichever thread it is rung."""

import asyncio
import time

from router.edge.bell import Bell

LONG = 30.0
"""Seconds that no test waits."""


async def test_who_waits_is_woken_from_another_thread() -> None:
    bell, loop = Bell(), asyncio.get_running_loop()
    waits = asyncio.create_task(bell.wait(bell.rung, LONG))
    await asyncio.sleep(0)
    began = time.monotonic()
    await asyncio.to_thread(bell.ring_from_afar, loop)
    await waits
    assert time.monotonic() - began < LONG / 2


async def test_what_rang_during_the_look_is_not_waited_for() -> None:
    bell, loop = Bell(), asyncio.get_running_loop()
    before = bell.rung
    bell.ring_from_afar(loop)  # nobody waits: the loop is not woken
    began = time.monotonic()
    await bell.wait(before, LONG)
    assert time.monotonic() - began < LONG / 2


async def test_without_a_ring_the_wait_has_an_end() -> None:
    bell = Bell()
    before = bell.rung
    began = time.monotonic()
    await bell.wait(before, 0.05)
    assert time.monotonic() - began >= 0.04
    assert bell.rung == before
