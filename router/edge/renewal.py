"""What commands write for calls, read again where the router was not told.

A command tells the router beside it. Routers that share a database, and those that it could not reach, look
for themselves whether something was written (store/marks.py). Who was told reads once more: nothing says
whether others have written at the same time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing

import structlog

from router.edge.store.errors import StoreError
from router.edge.store.marks import Mark, Marks

EVERY = 15.0
"""Seconds between two looks."""

log = structlog.get_logger()


class Renewal:
    """For one router."""

    def __init__(self, database_url: str, read: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        """`read` is how each kind of `Marks.all` is read again; these raise StoreError."""
        self._url = database_url
        self._read = read
        self._known: dict[str, Mark] = {}

    async def run(self) -> None:
        """Until cancelled. Once in the beginning all is read: something may have been written since the start
        read it."""
        while True:
            try:
                await self._look()
            except StoreError as error:
                log.warning("what commands have written is not read for now", error=str(error))
            except Exception:
                log.exception("what commands have written is not read for now")
            await asyncio.sleep(EVERY)

    async def _look(self) -> None:
        marks = await asyncio.to_thread(self._marks)
        for name, read in self._read.items():
            if self._known.get(name) != marks[name]:
                await read()
                self._known[name] = marks[name]

    def _marks(self) -> Mapping[str, Mark]:
        with closing(Marks(self._url)) as marks:
            return marks.all()
