"""What it costs calls that a broker and a web server, away for a minute, are back, and are told all of it."""

import time
from contextlib import closing
from pathlib import Path
from statistics import median

from router.edge.store.jobs import Jobs
from tests.bench.load import Load, place
from tests.bench.peers import DIALLED, RULES, Callrouter
from tests.bench.rounds import WARM_UP, Tell
from tests.edge.sinks import ComingAndGoing
from tests.harness.broker import Broker
from tests.harness.sandbox import Sandbox

AWAY = 60.0
"""Seconds of calls of which nobody hears."""
BESIDE = 15.0
"""Seconds of calls measured before that, and after it."""
TURNS = 3
CAUGHT_UP_WITHIN = 600.0
"""Seconds after which whatever waits then has failed."""

FOLLOW_UPS = """\
follow_ups:
  - {{name: first, do: {{webhook: "{url}"}}}}
  - {{name: second, when: {{disposition: answered}}, do: {{webhook: "{url}"}}}}
"""


def measure(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> dict[str, float]:
    """back_p50: setup p50 while what waited is sent, of that before; caught_up_s: seconds until all of it is,
    with calls going on for the first BESIDE of them."""
    turns = [_turn(sandbox, folder / f"outage{number}", rate, tell) for number in range(TURNS)]
    ratios, seconds = zip(*turns, strict=True)
    return {"back_p50": median(ratios), "caught_up_s": median(seconds)}


def _turn(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> tuple[float, float]:
    broker, server = Broker(), ComingAndGoing()
    callrouter = Callrouter(
        sandbox,
        folder,
        rules=RULES + FOLLOW_UPS.format(url=server.url),
        mqtt=broker.settings(),
        webhooks={"allow": ["localhost"]},
    )
    try:
        broker.start()
        server.start()
        with callrouter:
            place(sandbox, DIALLED, WARM_UP, rate)
            before = place(sandbox, DIALLED, round(rate * BESIDE), rate)
            broker.stop()
            server.stop()
            away = place(sandbox, DIALLED, round(rate * AWAY), rate)
            load = Load(sandbox, DIALLED, round(rate * BESIDE), rate)
            broker.start()
            server.start()
            callrouter.router.send_again()
            begun = time.monotonic()
            back = load.wait()
            waited = _waiting(callrouter)
            caught_up = _caught_up(callrouter) - begun
    finally:
        server.stop()
        broker.remove()
    assert not before.failures + away.failures + back.failures, "calls failed"
    tell(
        f"outage: p50 {before.p50:.2f} ms before, {away.p50:.2f} while away, {back.p50:.2f} while"
        f" what waited was sent (p95 {before.p95:.1f}, {away.p95:.1f}, {back.p95:.1f});"
        f" {waited} waited still at the end of the calls, all was sent after {caught_up:.1f} s"
    )
    return back.p50 / before.p50, caught_up


def _waiting(callrouter: Callrouter) -> int:
    with closing(Jobs(callrouter.router.database)) as jobs:
        posts = jobs.figures()[0]
    return posts + round(callrouter.router.metrics()["callrouter_outbox_waiting"])


def _caught_up(callrouter: Callrouter) -> float:
    """When nothing waits any more."""
    until = time.monotonic() + CAUGHT_UP_WITHIN
    while _waiting(callrouter):
        assert time.monotonic() < until, "what waited is never sent"
        time.sleep(0.5)
    return time.monotonic()
