"""LiveCall: one call, and what the engine keeps beside its state. LiveCalls: all of them."""

import asyncio
from collections.abc import Callable

from router.core.call import CALLER, Call, InAsteriskQueue, LegState
from router.edge.ari import wire


class LiveCall:
    """One call with the number of its last journalled event, its channels' names, and its timers."""

    __slots__ = ("_timers", "call", "names", "seq")

    def __init__(self, call: Call, seq: int = 0) -> None:
        self.call = call
        self.seq = seq
        self.names: dict[int, str] = {}
        """What Asterisk last called the channel of each leg, as far as it has told us."""
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def set_timer(
        self, loop: asyncio.AbstractEventLoop, name: str, seconds: float, fire: Callable[[str], None]
    ) -> None:
        """Call `fire(name)` in so many seconds; replaces a timer of the same name."""
        self.cancel_timer(name)
        self._timers[name] = loop.call_later(seconds, self._run_out, name, fire)

    def cancel_timer(self, name: str) -> None:
        """Forget a timer, if there is one."""
        if timer := self._timers.pop(name, None):
            timer.cancel()

    def cancel_timers(self) -> None:
        """Forget all timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _run_out(self, name: str, fire: Callable[[str], None]) -> None:
        del self._timers[name]
        fire(name)


class LiveCalls:
    """All calls that are not over. The engine holds both tables itself: every event is looked up in them."""

    def __init__(self) -> None:
        self.by_id: dict[str, LiveCall] = {}
        self.by_channel: dict[str, tuple[LiveCall, int]] = {}
        """Every leg of theirs, by its channel's id."""

    def keep(self, live: LiveCall) -> LiveCall:
        """Know a call from now on, or the channels that it has come to have."""
        call = live.call
        self.by_id[call.info.id] = live
        for leg in call.legs:
            if leg.state is not LegState.ABSENT:
                # What is there nevertheless, a dead process made: a stranger.
                self.by_channel[wire.channel_id(call, leg.number)] = (live, leg.number)
        return live

    def moved(self, before: Call, live: LiveCall) -> None:
        """Know a call by the channels that it has now, of which one may be the caller's."""
        was = wire.channel_id(before, CALLER)
        if was != wire.channel_id(live.call, CALLER):
            self.by_channel.pop(was, None)
            live.names.pop(CALLER, None)
        self.keep(live)

    def drop(self, call: Call) -> None:
        """Know a call that is over no longer."""
        self.by_id.pop(call.info.id, None)
        for leg in call.legs:
            self.by_channel.pop(wire.channel_id(call, leg.number), None)

    def in_asterisk_queues(self) -> list[Call]:
        """Those whose callers are in a queue of Asterisk's own."""
        calls = (live.call for live in self.by_id.values())
        return [call for call in calls if isinstance(call.state, InAsteriskQueue)]
