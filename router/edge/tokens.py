"""The tokens that open the API, as the running router knows them.

A token must be judged at every request, and the database may be slow or gone then. So those that hold are
kept in memory, and read again when a command has changed them (it tells us), every LOOK_EVERY seconds that
somebody asks (commands tell one router only, and several may share a database), and when one is shown that we
do not know. While the database is gone those stay known that were.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from router.core.access import Token
from router.edge.records import Records, UnreachableError
from router.edge.store.tokens import Tokens

LOOK_EVERY = 10.0
FOR_UNKNOWN = 1.0
"""Seconds between two looks for tokens that are shown and not known: whoever guesses keeps nobody busy."""


class KnownTokens:
    """Those of one database."""

    def __init__(self, records: Records, now: Callable[[], datetime]) -> None:
        self._records = records
        self._now = now
        self._known: dict[str, Token] = {}
        """By their hashes."""
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    async def read(self) -> int:
        """Read them again; how many there are. Raises UnreachableError."""
        async with self._looking:  # What was read first must not be used last.
            return await self._read()

    async def _read(self) -> int:
        now = self._now()
        found = await self._records.ask(Tokens, lambda tokens: tokens.listed(now))
        self._known = {token.hash: token for token in found}
        self._looked = time.monotonic()
        return len(found)

    async def find(self, hash: str) -> Token | None:
        """What is known of the token with that hash, if it holds. UnreachableError where none is known, and
        there may be others."""
        if hash not in self._known:
            await self._look(FOR_UNKNOWN)
        elif not self._looking.locked():
            try:
                await self._look(LOOK_EVERY)
            except UnreachableError:
                self._looked = time.monotonic()  # Those that are known do meanwhile.
        token = self._known.get(hash)
        return token if token is not None and token.holds(self._now()) else None

    async def _look(self, every: float) -> None:
        async with self._looking:
            if time.monotonic() - self._looked >= every:
                await self._read()
