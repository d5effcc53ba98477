"""Dead-man timers of all calls, set and lifted together.

None of them is in a hurry: some seconds are left whenever one is set anew or lifted. So what is to be set
waits for BATCH seconds, and then one request sets it for all calls; a request of each call's own would cost
Asterisk more than what it asks for.

What was overtaken meanwhile is not sent: of two settings of one channel the later counts, and none of a leg
or a call that is ending. That is more than thrift. A caller who was handed to the dialplan is no longer ours,
and a timer set after that would cut short whatever the dialplan does.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from router.core.call import CALLER, Call, Ending, InAsteriskQueue, Over
from router.core.commands import LiftDeadMan, SetDeadMan
from router.edge.ari import wire
from router.edge.livecall import LiveCall

BATCH = 0.2
"""Seconds that a setting may wait. core/deadman.py's REFRESH reckons with them."""

AT_ONCE = 50
"""Channels a request; ARRAY() takes a hundred (funcs/func_strings.c)."""

STOOD_STILL = 1.0
"""A flush so many seconds late means that we did not run: timers may have run out meanwhile, and we have not
read of it yet. In less time none does, since even after a lost setting some seconds are left."""

DeadManCommand = SetDeadMan | LiftDeadMan

Told = tuple[LiveCall, DeadManCommand]
"""A command and the call that it is for."""

Send = Callable[[wire.Request, Sequence[Told]], None]
"""Takes a request with the commands that it carries out, each once."""


class _Setting(NamedTuple):
    live: LiveCall
    leg: int
    seconds: int
    command: DeadManCommand


_NOT_OURS = (InAsteriskQueue, Ending, Over)


def counts(call: Call, leg: int) -> bool:
    """True while the timer of one of a call's legs is ours to set."""
    there = not call.legs[leg].gone and call.legs[leg].intent is None
    return there and not isinstance(call.state, _NOT_OURS)


class DeadMen:
    """The settings that wait for the next request."""

    def __init__(self, seconds: int, send: Send) -> None:
        """`seconds` is how long a timer runs."""
        self._seconds = seconds
        self._send = send
        self._waiting: dict[str, _Setting] = {}
        """By the channel's id."""
        self._timer: asyncio.TimerHandle | None = None
        self._hurried = False

    def take(self, live: LiveCall, command: DeadManCommand) -> None:
        """Carry out a command, together with others."""
        legs = (command.leg,) if isinstance(command, LiftDeadMan) else command.legs
        seconds = wire.NEVER if isinstance(command, LiftDeadMan) else self._seconds
        for leg in (CALLER, *legs):
            self._waiting[wire.channel_id(live.call, leg)] = _Setting(live, leg, seconds, command)
        if self._hurried:
            self.flush()
        elif self._timer is None:
            self._wait()

    def hurry(self) -> None:
        """We are about to stop: what waits is sent now, and what comes at once. A lift that is not sent would
        have a talk cut short."""
        self._hurried = True
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        waiting = [setting for setting in self._waiting.values() if counts(setting.live.call, setting.leg)]
        self.forget()
        for at in range(0, len(waiting), AT_ONCE):
            batch = waiting[at : at + AT_ONCE]
            told = dict.fromkeys((setting.live, setting.command) for setting in batch)
            self._send(wire.absolute_timeouts(map(_timeout, batch)), tuple(told))

    def forget(self) -> None:
        """Send nothing of what waits: it is not ours to say, or will be said anew."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, *, again: bool = False) -> None:
        self._timer = asyncio.get_running_loop().call_later(BATCH, self._run_out, again)

    def _run_out(self, again: bool) -> None:
        assert self._timer is not None
        late = asyncio.get_running_loop().time() - self._timer.when()
        if late > STOOD_STILL and not again:
            self._wait(again=True)  # The reader goes first, once.
        else:
            self.flush()


def _timeout(setting: _Setting) -> tuple[str, int]:
    live, leg = setting.live, setting.leg
    return wire.findable(live.names.get(leg, ""), wire.channel_id(live.call, leg)), setting.seconds
