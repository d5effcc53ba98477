"""Numbers that nobody is to call, as the router minds them: read at its start, and when there are more."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime

import structlog

from router.core.donotcontact import DoNotContact, Spared
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.errors import StoreError

AGAIN = 5.0
"""Seconds until a database that could not tell is asked again."""

log = structlog.get_logger()


class Sparing:
    """Those of one database."""

    def __init__(self, url: str, use: Callable[[Spared], None]) -> None:
        """`use` takes all that there are, each time."""
        self._url = url
        self._use = use
        self._wanted = asyncio.Event()
        self._reading = asyncio.Lock()

    def look(self) -> None:
        """There are more."""
        self._wanted.set()

    async def read(self) -> int:
        """Read them again; how many there are. Raises StoreError."""
        async with self._reading:  # What was read first must not be used last.
            entries = await asyncio.to_thread(self._standing)
            self._use(Spared(entries))
        return len(entries)

    async def run(self) -> None:
        """Until cancelled: read them again whenever there are more."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.read()
            except StoreError as error:
                log.error("whom nobody is to call is unknown for now", error=str(error))
                await asyncio.sleep(AGAIN)
                self._wanted.set()

    def _standing(self) -> Sequence[DoNotContact]:
        with closing(DoNotContacts(self._url)) as entries:
            return entries.standing(datetime.now(UTC))
