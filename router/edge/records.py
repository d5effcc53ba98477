"""What is written down, read and changed off the event loop: a call is never kept waiting for it.

So many may be at it at once (AT_ONCE), in threads of their own: what hangs in a dead database holds up
nobody but the next who ask for the same, and those are told so within LIMIT seconds.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from router.edge.store.database import parse_url, trouble_told
from router.edge.store.errors import StoreError

AT_ONCE = 2
"""More would make nothing quicker, since Python puts together what is read in one thread at a time, and would
have the event loop wait longer for its turn."""
REST = 3.0
LONGEST_REST = 0.25
"""After each, a place rests for REST times as long as that took, at most so many seconds: who asks without
pause takes half of one processor, and calls have the rest."""
MOST_WAITING = 64
LIMIT = 5.0
"""Seconds."""

ANEW_AFTER = 60.0
"""Seconds that a database is kept open: another may have been put in its place."""

log = structlog.get_logger()


class UnreachableError(Exception):
    """It cannot be done now; the text is for whoever asked."""


class Closable(Protocol):
    """A way into the database, such as `Queries` or `Messages`; made of its URL."""

    def close(self) -> None: ...


Way = TypeVar("Way", bound=Closable)
Found = TypeVar("Found")


class _Open(NamedTuple):
    way: Any
    since: float


class Records:
    """One database."""

    def __init__(self, url: str, *, limit: float = LIMIT) -> None:
        """`limit` is in seconds."""
        self._url = url
        self._limit = limit
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="records")
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._ways: dict[Any, _Open] = {}
        self._opening = threading.Lock()

    async def ask(self, way: Callable[[str], Way], what: Callable[[Way], Found]) -> Found:
        """What comes of `what`, done in a thread with a way into the database. UnreachableError where that
        cannot be done, or not in time."""
        if self._waiting >= MOST_WAITING:
            raise UnreachableError("too many ask for what is written down; ask again in a moment")
        self._waiting += 1
        try:
            return await self.within(self._in_turn(way, what))
        finally:
            self._waiting -= 1

    async def within(self, done: Awaitable[Found]) -> Found:
        """What comes of something else that is done with the database, under the same conditions."""
        try:
            async with asyncio.timeout(self._limit):
                return await done
        except TimeoutError as error:
            late = "the database does not answer in time; what was to be changed may be changed nevertheless"
            log.error("records not reached", error=late)
            raise UnreachableError(late) from error
        except StoreError as error:
            log.error("records not reached", error=str(error))
            raise UnreachableError("the database cannot be used now; the router's log says why") from error

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for way in list(self._ways):
            self._shut(way)

    async def _in_turn(self, way: Callable[[str], Way], what: Callable[[Way], Found]) -> Found:
        await self._free.acquire()
        began = time.monotonic()
        begun = asyncio.get_running_loop().run_in_executor(self._pool, self._do, way, what)
        begun.add_done_callback(partial(self._ended, began))
        return await asyncio.shield(begun)  # A thread cannot be stopped, and has its place until it ends.

    def _ended(self, began: float, done: asyncio.Future[Any]) -> None:
        rest = min(REST * (time.monotonic() - began), LONGEST_REST)
        asyncio.get_running_loop().call_later(rest, self._free.release)
        if not done.cancelled():
            done.exception()  # Looked at, also where nobody waits for it any more.

    def _do(self, way: Callable[[str], Way], what: Callable[[Way], Found]) -> Found:
        try:
            with trouble_told(parse_url(self._url)):
                return what(self._opened(way))
        except StoreError:
            self._shut(way)
            raise

    def _opened(self, way: Callable[[str], Way]) -> Way:
        with self._opening:
            known = self._ways.get(way)
            if known is not None and time.monotonic() - known.since < ANEW_AFTER:
                opened: Way = known.way
                return opened
            self._shut(way)
            opened = way(self._url)
            self._ways[way] = _Open(opened, time.monotonic())
            return opened

    def _shut(self, way: Any) -> None:
        known = self._ways.pop(way, None)
        if known is not None:
            with suppress(Exception):  # It is given up for trouble.
                known.way.close()
