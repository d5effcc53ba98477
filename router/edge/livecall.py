"""LiveCall: one call, and what the engine keeps beside its state."""

import asyncio
from collections.abc import Callable

from router.core.call import Call


class LiveCall:
    """One call with the number of its last journalled event, its channels' names, and its timers."""

    __slots__ = ("_timers", "call", "names", "seq")

    def __init__(self, call: Call, seq: int = 0) -> None:
        self.call = call
        self.seq = seq
        self.names: dict[int, str] = {}
        """What Asterisk last called the channel of each leg, as far as it has told us."""
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def set_timer(self, name: str, seconds: float, fire: Callable[[str], None]) -> None:
        """Call `fire(name)` in so many seconds; replaces a timer of the same name."""
        self.cancel_timer(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, self._run_out, name, fire)

    def cancel_timer(self, name: str) -> None:
        """Forget a timer, if there is one."""
        if timer := self._timers.pop(name, None):
            timer.cancel()

    def cancel_timers(self) -> None:
        """Forget all timers."""
        for name in list(self._timers):
            self.cancel_timer(name)

    def _run_out(self, name: str, fire: Callable[[str], None]) -> None:
        del self._timers[name]
        fire(name)
