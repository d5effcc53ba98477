"""A bell: rung whenever there may be something new, for as many as wait for that."""

import asyncio


class Bell:
    """Of one event loop. Whoever looks for news notes `rung` first, looks, and then waits from there: what
    came while they looked is not missed."""

    def __init__(self) -> None:
        self.rung = 0
        """How often it was."""
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait."""
        self.rung += 1
        heard, self._next = self._next, asyncio.Event()
        heard.set()

    async def wait(self, since: int, timeout: float) -> None:
        """Until it was rung more often than `since`, at most so many seconds."""
        if self.rung != since:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._next.wait()
        except TimeoutError:
            pass
