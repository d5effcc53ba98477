"""The load: one SIPp calls another through Asterisk; the other answers at once. What the caller saw."""

import csv
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from tests.harness.ports import free_port
from tests.harness.sandbox import Sandbox

HERE = Path(__file__).parent

TALK = 0.9
"""Seconds at least; with caller.xml's moment more it is one on the average."""

LATE = 500.0
"""Milliseconds of setup beyond which a call is late: SIP's T1, when a caller begins to repeat itself."""

GRACE = 15.0
"""Seconds that a run may take beyond its last call's planned end, before it is cut off."""

CALLEE_LIMIT = 3600
"""Seconds after which the callee ends by itself, should nobody end it."""


@dataclass(frozen=True)
class Placed:
    """What the caller's SIPp says of the calls it placed."""

    calls: int
    failures: int
    """Calls that did not go as written, and those that were never placed."""
    retransmissions: int
    late: int
    """Calls set up in more than LATE ms."""
    p50: float
    """Setup in ms, INVITE to 200."""
    p95: float
    trouble: str
    """What SIPp says of the first call that did not go as written; empty where all did."""

    @property
    def clean(self) -> bool:
        return not (self.failures or self.retransmissions or self.late)


class _Sipp:
    """A running SIPp, in a folder of its own."""

    def __init__(self, scenario: str, port: int, *arguments: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self._folder.name)
        media = ("-mi", "127.0.0.1", "-mp", str(free_port()))
        command = [
            "sipp",
            "-sf",
            str(HERE / scenario),
            "-i",
            "127.0.0.1",
            "-p",
            str(port),
            *media,
            "-nostdin",
        ]
        self.process = subprocess.Popen(
            [*command, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """End it as it is; calls that are up stay with Asterisk."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        self._folder.cleanup()


class Callee(_Sipp):
    """The phone, reached by every dial string of the trunk; it runs until stopped."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__("callee.xml", sandbox.trunk_port, "-timeout", f"{CALLEE_LIMIT}s")


class Load(_Sipp):
    """A caller that places `calls` calls to `number`, `rate` a second, each of `talk` seconds or a
    moment more."""

    def __init__(self, sandbox: Sandbox, number: str, calls: int, rate: float, talk: float = TALK) -> None:
        self._calls = calls
        self._limit = calls / rate + talk + GRACE
        host, port = sandbox.sip
        super().__init__(
            "caller.xml", free_port(), f"{host}:{port}", "-s", number,
            "-m", str(calls), "-r", f"{rate:g}", "-l", str(calls), "-d", str(round(talk * 1000)),
            "-trace_shortmsg", "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_err",
            "-timeout", f"{round(self._limit)}s",
        )  # fmt: skip

    def wait(self) -> Placed:
        """Wait until every call is over, or the time is; calls that are not over by then have failed."""
        try:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self._limit + 5)
            return self._read()
        finally:
            self.stop()

    def _read(self) -> Placed:
        with (self.folder / "stat.csv").open() as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        traced = (trace.read_text() for trace in self.folder.glob("*_shortmessages.log"))
        setups = [setup for trace in traced for setup in _setups(trace)]
        return Placed(
            calls=self._calls,
            failures=self._calls - int(last["SuccessfulCall(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
            late=sum(setup > LATE for setup in setups),
            p50=median(setups) if setups else float("inf"),
            p95=quantiles(setups, n=20)[-1] if len(setups) > 1 else float("inf"),
            trouble="".join(file.read_text()[:1000] for file in self.folder.glob("*_errors.log")),
        )


def _setups(trace: str) -> Iterator[float]:
    """Milliseconds from each call's first INVITE to its 200.

    Of SIPp's trace of messages, whose clock has microseconds: that of its response times ticks every 4 ms
    (CLOCK_MONOTONIC_COARSE at 250 Hz), which is as long as what is measured.
    """
    invited: dict[str, float] = {}
    for row in trace.splitlines():
        _, _, seconds, _, call, sequence, message = row.split("\t")
        if message.startswith("INVITE "):
            invited.setdefault(call, float(seconds))
        elif sequence.endswith(" INVITE") and message.startswith("SIP/2.0 200") and call in invited:
            yield (float(seconds) - invited.pop(call)) * 1000


def place(sandbox: Sandbox, number: str, calls: int, rate: float) -> Placed:
    """Place calls and wait for the end of the last; then a moment more, for what follows a call."""
    placed = Load(sandbox, number, calls, rate).wait()
    time.sleep(0.4)
    return placed
