"""Notices as they are written down, for all who listen: read once, kept for a while, and told to each.

Theory of operation. The outbox is read only while somebody listens: after each commit of our writer (a bell
is rung, once for many), and every LOOK_EVERY seconds, since commands and other routers write into it too.
What was read is kept in memory, the last KEPT of them at least. Each listener has a place of its own in that
row, and takes what is behind it at its own pace, so a slow one has no queue that could grow; one who has
fallen behind what is kept, or comes back after a while, is given the rest out of the outbox.

Ids grow, and come into sight in that order (store/outbox.py), so what is behind the last one read is all that
is new.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from router.edge.bell import Bell
from router.edge.records import Records, UnreachableError
from router.edge.store.outbox import Outbox, Outgoing

log = structlog.get_logger()

KEPT = 1_000
AT_ONCE = 500
"""Notices read together."""

LOOK_EVERY = 1.0
"""Seconds."""


class NoticeFeed:
    """That of one router."""

    def __init__(self, records: Records, news: Bell) -> None:
        """`news` is rung when there may be more in the outbox."""
        self._records = records
        self._news = news
        self._told = Bell()
        self._kept: list[Outgoing] = []
        self._position: int | None = None
        """The last one that was read; None while nobody has listened."""
        self._listeners = Counter[str]()
        self._wanted = asyncio.Event()
        self.closed = False

    @property
    def listeners(self) -> int:
        """How many there are."""
        return self._listeners.total()

    def listeners_by(self, name: str) -> int:
        """How many of them have that name."""
        return self._listeners[name]

    async def run(self) -> None:
        """Read while somebody listens; for ever."""
        while True:
            await self._wanted.wait()
            rung = self._news.rung
            try:
                await self._look()
            except UnreachableError:
                await asyncio.sleep(LOOK_EVERY)
            except Exception:  # No listener is worth a call.
                log.exception("notices not read")
                await asyncio.sleep(LOOK_EVERY)
            await self._news.wait(rung, LOOK_EVERY)

    def close(self) -> None:
        """Have all listeners go."""
        self.closed = True
        self._told.ring()

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        """Somebody of that name listens."""
        self._listeners[name] += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._listeners[name] -= 1
            if not self.listeners:
                self._wanted.clear()
                self._position = None
                self._kept.clear()

    async def begin(self) -> int:
        """Where whoever begins to listen now begins. Raises UnreachableError."""
        if self._position is None:
            last = await self._records.ask(Outbox, Outbox.last)
            if self._position is None:
                self._position = last
        return self._position

    async def after(self, id: int) -> Sequence[Outgoing]:
        """What has been told after that one, in order; the first of them, where they are many. Raises
        UnreachableError."""
        position = await self.begin()
        if id >= position:
            return ()
        if self._kept and self._kept[0].id <= id + 1:
            return self._kept[bisect_right(self._kept, id, key=lambda notice: notice.id) :]
        return [notice for notice in await self._since(id) if notice.id <= position]

    async def begin_behind(self, id: int) -> tuple[int, bool]:
        """Where whoever has heard all up to that one goes on, and whether some behind it may be kept no more.
        Raises UnreachableError."""
        position = await self.begin()
        first = await self._records.ask(Outbox, Outbox.first)
        return min(id, position), not first or first > id + 1 or id > position

    async def wait(self, since: int, timeout: float) -> None:
        """Until more was told than when `rung` was `since`, at most so many seconds."""
        await self._told.wait(since, timeout)

    @property
    def rung(self) -> int:
        """Changes with what is told."""
        return self._told.rung

    async def _look(self) -> None:
        position = await self.begin()
        more = await self._since(position)
        if not more or self._position != position:
            return
        self._kept += more
        if len(self._kept) > 2 * KEPT:
            del self._kept[:-KEPT]
        self._position = more[-1].id
        self._told.ring()
        if len(more) == AT_ONCE:
            self._news.ring()

    async def _since(self, id: int) -> Sequence[Outgoing]:
        return await self._records.ask(Outbox, lambda outbox: outbox.since(id, AT_ONCE))
