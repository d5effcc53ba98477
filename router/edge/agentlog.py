"""When agents come and go: what commands write down is taken in, and what happens here is written down.

Both go through the database, in the order in which they came about, and neither keeps a call waiting. What
was written here is not taken in once more when it is read.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing

import structlog

from router.core.agents import AgentChange
from router.edge.store.agents import AgentChanges
from router.edge.store.errors import StoreError

log = structlog.get_logger()


class AgentLog:
    """The changes of agents, in one database."""

    def __init__(
        self, database_url: str, change: Callable[[AgentChange], None], on_told: Callable[[], None]
    ) -> None:
        """`change` is told of each that was made elsewhere; `on_told` is called whenever there may be more in
        the outbox."""
        self._url = database_url
        self._change = change
        self._on_told = on_told
        self._last: int | None = None
        """As far as they were read."""
        self._own: set[int] = set()
        """Made here, as far as they were not read again."""
        self._writes: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def read(self) -> int:
        """Take in what was changed since that was read last; how many changes that is. Raises StoreError."""
        async with self._reading:  # What was read first must not be taken in last.
            await self.flush()
            changes = await asyncio.to_thread(self._read)
            for change in (one for one in changes if one.id not in self._own):
                self._change(change)
            if changes:
                self._on_told()
                self._last = changes[-1].id
                self._own -= {change.id for change in changes}
        return len(changes)

    def note(self, change: AgentChange) -> None:
        """Have it outlive us that an agent came or went."""
        task = asyncio.get_running_loop().create_task(self._write_in_turn(change))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def flush(self, within: float | None = None) -> None:
        """Wait until all that changed here is written down, or `within` seconds are over."""
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=within)
            if late:
                log.error("changes of agents are not written down", changes=len(late))

    async def _write_in_turn(self, change: AgentChange) -> None:
        async with self._writing:  # It lets tasks in in the order in which they came.
            try:
                self._own.add(await asyncio.to_thread(self._write, change))
            except StoreError as error:
                log.error("a change of an agent is not written down", agent=change.person, error=str(error))
        self._on_told()

    def _write(self, change: AgentChange) -> int:
        with closing(AgentChanges(self._url)) as changes:
            return changes.add(change).id

    def _read(self) -> Sequence[AgentChange]:
        with closing(AgentChanges(self._url)) as changes:
            return changes.latest() if self._last is None else changes.since(self._last)
