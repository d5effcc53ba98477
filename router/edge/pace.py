"""A pace for what can wait: few at a time, so that no event of a call waits for many of them."""

import asyncio
import math

TICK = 0.02
"""Seconds. Whose turns fall into the same tick go together: to wake the process for each costs more than each
does."""


class Pace:
    """Turns with so much time between them; what nobody takes of it is not made up for later."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()  # First come, first served.
        self._next = 0.0

    async def turn(self, gap: float) -> None:
        """Wait for one's turn, which the next may have `gap` seconds after it, on the average. Turns come in
        the order in which they are waited for."""
        loop = asyncio.get_running_loop()
        async with self._line:
            if self._next > loop.time():
                await asyncio.sleep(math.ceil(self._next / TICK) * TICK - loop.time())
            self._next = max(self._next, loop.time() - TICK) + gap
