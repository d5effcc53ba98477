"""What it costs calls that a broker and a web server are away for a minute, come back, and are told all;
and whether they are: each call's events and posts, in order."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

from router.edge.store.jobs import Jobs
from router.edge.store.outbox import Outbox
from tests.bench.load import Load, place
from tests.bench.peers import DIALLED, FOLLOW_UPS, RULES, STORY, Callrouter
from tests.bench.rounds import WARM_UP, Tell
from tests.edge.sinks import ComingAndGoing
from tests.harness.broker import Broker, Reader
from tests.harness.sandbox import Sandbox

AWAY = 60.0
"""Seconds of calls of which nobody hears."""
BESIDE = 15.0
"""Seconds of calls measured before that, and after it."""
TURNS = 3
CAUGHT_UP_WITHIN = 600.0
"""Seconds after which whatever waits then has failed."""


class Turn(NamedTuple):
    """What one outage cost."""

    away: float
    """Setup p50 in it, of that before; and after it, while what waited is sent."""
    back: float
    caught_up: float
    """Seconds until all of that was sent, in the first BESIDE of which calls went on."""


class _Waiting(NamedTuple):
    """So many posts, and notices."""

    posts: int
    notices: int


def measure(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> dict[str, float]:
    """away_p50, back_p50, caught_up_s: medians of several turns. Fails where anything is lost."""
    turns = [_turn(sandbox, folder / f"outage{number}", rate, tell) for number in range(TURNS)]
    away, back, caught_up = map(median, zip(*turns, strict=True))
    return {"away_p50": away, "back_p50": back, "caught_up_s": caught_up}


def _turn(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> Turn:
    broker, server = Broker(), ComingAndGoing()
    reader = Reader(broker, "events/#")
    rules = RULES + FOLLOW_UPS.format(url=server.url)
    callrouter = Callrouter(sandbox, folder, rules, mqtt=broker.settings(), webhooks={"allow": ["localhost"]})
    try:
        broker.start()
        server.start()
        with reader:
            pass  # From now on the broker keeps all for it, and it takes no processor from calls.
        with callrouter:
            place(sandbox, DIALLED, WARM_UP, rate)
            before = place(sandbox, DIALLED, round(rate * BESIDE), rate)
            broker.stop()
            server.stop()
            away = place(sandbox, DIALLED, round(rate * AWAY), rate)
            first = _waiting(callrouter)
            load = Load(sandbox, DIALLED, round(rate * BESIDE), rate)
            broker.start()
            server.start()
            callrouter.router.send_again()
            begun = time.monotonic()
            back = load.wait()
            left = _waiting(callrouter)
            placed = WARM_UP + before.calls + away.calls + back.calls
            _until(lambda: _waiting(callrouter) == (0, 0))
            caught_up = time.monotonic() - begun
        with reader:
            _until(lambda: len(reader.stories()) == placed)
            wrong = [story for story in reader.stories().values() if story != STORY]
            posted = server.by_call()
            wrong += [posts for posts in posted.values() if posts != ["first", "second"]]
    finally:
        server.stop()
        broker.remove()
    assert not before.failures + away.failures + back.failures, "calls failed"
    assert not wrong, f"not told in order, or not all: {wrong[:3]}"
    assert len(posted) == placed, f"of {placed - len(posted)} calls nothing was posted"
    # All waited, and the calls afterwards met it being sent.
    assert first.posts >= 2 * away.calls > 0, first
    assert first.notices >= 4 * away.calls, first
    assert 0 < left.posts < first.posts, left
    assert 0 < left.notices < first.notices, left
    tell(
        f"outage: p50 {before.p50:.2f} ms before, {away.p50:.2f} while away, {back.p50:.2f} while"
        f" what waited was sent (p95 {before.p95:.1f}, {away.p95:.1f}, {back.p95:.1f}); {first} waited,"
        f" {left} at the end of the calls, nothing after {caught_up:.1f} s; {placed} calls told, in order"
    )
    return Turn(away.p50 / before.p50, back.p50 / before.p50, caught_up)


def _waiting(callrouter: Callrouter) -> _Waiting:
    url = callrouter.router.database
    with closing(Jobs(url)) as jobs, closing(Outbox(url)) as outbox:
        return _Waiting(jobs.figures()[0], outbox.waiting_for_all()[0])


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + CAUGHT_UP_WITHIN
    while not true():
        assert time.monotonic() < until, "what waited is never sent"
        time.sleep(0.5)
