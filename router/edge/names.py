"""Names of callers as prompts: each is made once it is wanted, while phones ring, and by one thread."""

import asyncio
from collections.abc import Collection

import structlog

from router.core.plan import Speak
from router.edge.prompts import Prompts

MOST = 200
"""Names that wait to be made; of more, numbers are said in their place."""

log = structlog.get_logger()


class Names:
    """Those that are wanted."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._wanted: asyncio.Queue[Speak] = asyncio.Queue(MOST)

    def want(self, names: Collection[Speak]) -> None:
        """Have these made, if they are not; returns at once."""
        for name in self._prompts.missing(names):
            if not self._wanted.full():
                self._wanted.put_nowait(name)

    async def run(self) -> None:
        """Make them; for ever."""
        while True:
            name = await self._wanted.get()
            for why in (await asyncio.to_thread(self._prompts.make, [name])).values():
                log.warning("name of a caller not spoken", language=name.language, error=why)
