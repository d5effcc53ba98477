"""What was told to other systems is not kept for ever."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import structlog

from router.edge.store.errors import StoreError
from router.edge.store.outbox import FORGET_AT_ONCE, Outbox

log = structlog.get_logger()

EVERY = 600.0
"""Seconds between two looks."""
PAUSE = 0.2
"""Seconds in which whoever waits for the database has it."""


async def forget_notices(database_url: str, keep: float, give_up: float | None) -> None:
    """Remove notices for ever: after `keep` seconds those that need not be sent (any more), after `give_up`
    also others. None: none is to be sent."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            now = datetime.now(UTC)
            await _forget(database_url, now - timedelta(seconds=keep), unsent=give_up is None)
            if give_up is not None:
                lost = await _forget(database_url, now - timedelta(seconds=max(keep, give_up)), unsent=True)
                if lost:
                    log.error("the broker never took these notices, which are too old now", notices=lost)
        except StoreError as error:
            log.warning("old notices stay for now", error=str(error))


async def _forget(database_url: str, before: datetime, *, unsent: bool) -> int:
    def forget_some() -> int:
        with closing(Outbox(database_url)) as outbox:
            return outbox.forget(before, unsent=unsent)

    removed, some = 0, FORGET_AT_ONCE
    while some == FORGET_AT_ONCE:
        some = await asyncio.to_thread(forget_some)
        removed += some
        await asyncio.sleep(PAUSE)
    return removed
