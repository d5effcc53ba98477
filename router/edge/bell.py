"""A bell: rung whenever there may be something new, for as many as wait for that."""

import asyncio


class Bell:
    """Of one event loop. Whoever looks for news notes `rung` first, looks, and then waits from there: what
    came while they looked is not missed."""

    def __init__(self) -> None:
        self.rung = 0
        """Changes whenever it is."""
        self._next = asyncio.Event()
        self._waiting = 0

    def ring(self) -> None:
        """Wake all who wait."""
        self.rung += 1
        heard, self._next = self._next, asyncio.Event()
        heard.set()

    def ring_from_afar(self, loop: asyncio.AbstractEventLoop) -> None:
        """The same from another thread. The event loop itself is woken only if somebody waits."""
        self.rung += 1
        if self._waiting:
            loop.call_soon_threadsafe(self.ring)

    async def wait(self, since: int, timeout: float) -> None:
        """Until `rung` is another than `since`, at most so many seconds."""
        self._waiting += 1  # before the look, or a ring from afar between the two would be missed
        try:
            if self.rung == since:
                async with asyncio.timeout(timeout):
                    await self._next.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
