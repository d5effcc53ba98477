"""callrouter with many calls up: what they weigh, and how soon a new process has them again."""

import time

from tests.bench.load import Load, place
from tests.bench.peers import Callrouter
from tests.bench.proc import rss_mb
from tests.bench.rounds import WARM_UP, Tell
from tests.harness.sandbox import Sandbox

RATE = 50.0
"""Calls a second at which they are placed."""

SETTLING = 2.0
"""Seconds between the last call that was placed and a look."""

READY_WITHIN = 30.0


def measure(sandbox: Sandbox, callrouter: Callrouter, half: int, tell: Tell) -> dict[str, float]:
    """With twice `half` calls up: rss_mb and kb_per_call; restart_s with `half` live calls.

    The first half ends by itself, a while after the second is up.
    """
    placing = half / RATE
    first_talk = 2 * (placing + SETTLING) + 3.0
    with callrouter:
        place(sandbox, callrouter.number, WARM_UP, RATE)
        idle_mb = _when_up(callrouter, 0, SETTLING)
        first = Load(sandbox, callrouter.number, half, RATE, talk=first_talk)
        try:
            _when_up(callrouter, half, placing + SETTLING)
            second = Load(sandbox, callrouter.number, half, RATE, talk=first_talk * 2 + READY_WITHIN)
            try:
                full_mb = _when_up(callrouter, 2 * half, placing + SETTLING)
                tell(f"{2 * half} calls up: {full_mb:.1f} MB")
                assert first.wait().failures == 0
                restart = _restart(callrouter, half)
                tell(f"{half} calls taken over in {restart:.2f} s")
                sandbox.cli("channel request hangup all")
            finally:
                second.stop()
        finally:
            first.stop()
    return {"rss_mb": full_mb, "kb_per_call": (full_mb - idle_mb) * 1000 / (2 * half), "restart_s": restart}


def _live(callrouter: Callrouter) -> int:
    found = callrouter.router.metrics()
    return round(sum(value for name, value in found.items() if name.startswith("callrouter_live_calls")))


def _when_up(callrouter: Callrouter, calls: int, seconds: float) -> float:
    """Resident MB after so long, when so many calls must be up."""
    time.sleep(seconds)
    live = _live(callrouter)
    assert live == calls, f"{live} of {calls} calls are up"
    assert callrouter.pid
    return rss_mb(callrouter.pid)


def _restart(callrouter: Callrouter, calls: int) -> float:
    """Seconds from SIGKILL until a new process is ready, with so many calls taken over."""
    callrouter.router.kill()
    begun = time.monotonic()
    callrouter.router.start(READY_WITHIN)
    seconds = time.monotonic() - begun
    callrouter.process = callrouter.router.process
    live = _live(callrouter)
    assert live == calls, f"{live} of {calls} calls were taken over"
    return seconds
