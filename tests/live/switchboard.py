"""A sandbox with its router, agents who answer their phones, and callers who wait for them."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from router.core.record import CallRecord
from tests.harness.router import RouterProcess
from tests.harness.sandbox import ROOT, Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    RINGING,
    Callee,
    Caller,
    Move,
    hang_up,
    pause,
    register,
)
from tests.harness.waiting import wait_until
from tests.live.room import Room

WAITS = (INVITE, ANSWERED, HUNG_UP_ON)
"""A caller who waits for whatever comes, and is hung up on."""


def talks(seconds: float, rings: float = 0.3) -> tuple[Move, ...]:
    """A phone that rings, is answered, and hung up by its owner."""
    return (CALLED, RINGING, pause(rings), PICK_UP, pause(seconds), hang_up())


class Switchboard(Room):
    """A sandbox with its router, agents and callers."""

    def __init__(
        self, sandbox: Sandbox, router: RouterProcess, stack: ExitStack, numbers: Mapping[str, int]
    ) -> None:
        """`numbers` are those of who has a phone that is registered."""
        super().__init__(sandbox, router, stack)
        self._numbers = numbers

    def agent(self, name: str, *moves: Move, calls: int | None = None) -> Callee:
        """What an agent's phone does to each call."""
        phone = Callee(*moves, calls=calls)
        self._stack.callback(phone.stop)
        phone.listening()
        number = self._numbers[name]
        register(self.sandbox, [(self.sandbox.phones[number - 100], phone.port)])
        return phone

    def caller(self, did: str, *moves: Move, **more: Any) -> Caller:
        caller = Caller(self.sandbox, did, *(moves or WAITS), **more)
        self._stack.callback(caller.stop)
        return caller

    def typed(self, *words: str) -> str:
        """What a command prints."""
        program = str(Path(sys.executable).with_name("callrouter"))
        command = [program, *words, "--config", str(self.router.config)]
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=30, check=True)
        return done.stdout

    def queue(self, name: str) -> Any:
        """How a queue stands."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.router.port}/queues", timeout=5) as reply:
            return next(row for row in json.load(reply) if row["queue"] == name)

    def waiting(self, name: str, count: int) -> None:
        wait_until(lambda: len(self.queue(name)["callers"]) == count, f"{count} callers wait")

    def records_of(self, did: str, count: int, within: float = 30.0) -> list[CallRecord]:
        """The latest so many, in the order in which the calls arrived."""
        records = self.router.records(did, within, count)[:count]
        return sorted(records, key=lambda record: record.info.arrived_at)
