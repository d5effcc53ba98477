"""What it costs calls that a broker and a web server are away, come back, and are told all; and whether they
are: each call's events and posts, in order.

In rounds, so that a machine that drifts drifts for all: calls while both are there, while they are away, and
while what waited is sent. In each round the last two are compared with the first of this round and of the
next; the figures are medians over the rounds.
"""

import time
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple

from router.edge.store.jobs import Jobs
from router.edge.store.outbox import Outbox
from tests.bench.load import Placed, place
from tests.bench.peers import DIALLED, FOLLOW_UPS, RULES, STORY, Callrouter
from tests.bench.rounds import WARM_UP, Tell
from tests.edge.sinks import ComingAndGoing
from tests.harness.broker import Broker, Reader
from tests.harness.sandbox import Sandbox

AWAY = (60.0, *[24.0] * 7)
"""Seconds of calls of which nobody hears, in each round: a minute once, and often what is just enough."""
BESIDE = 12.0
"""Seconds of calls measured before that, and after it."""
SENT_WITHIN = 600.0
"""Seconds after which whatever waits then has failed."""


class _Waiting(NamedTuple):
    """So many posts, and notices."""

    posts: int
    notices: int


class _Round(NamedTuple):
    """Calls of one outage."""

    there: Placed
    """Before it,"""
    away: Placed
    """in it,"""
    back: Placed
    """and after it, from the first notice that was sent late, and less long than there were some."""
    caught_up: float
    """Seconds until all was sent."""


def measure(sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> dict[str, float]:
    """away_p50, back_p50, caught_up_s. Fails where anything is lost."""
    return _Outages(sandbox, folder / "outage", rate, tell).measure()


class _Outages:
    """One router and those that it tells."""

    def __init__(self, sandbox: Sandbox, folder: Path, rate: float, tell: Tell) -> None:
        self._sandbox = sandbox
        self._rate = rate
        self._tell = tell
        self._broker, self._server = Broker(), ComingAndGoing()
        self._reader = Reader(self._broker, "events/#")
        rules = RULES + FOLLOW_UPS.format(url=self._server.url)
        there = {"mqtt": self._broker.settings(), "webhooks": {"allow": ["localhost"]}}
        self._callrouter = Callrouter(sandbox, folder, rules, **there)
        self._placed = 0

    def measure(self) -> dict[str, float]:
        """What the function of that name gives."""
        try:
            self._broker.start()
            self._server.start()
            with self._reader:
                pass  # From now on the broker keeps all for it.
            with self._callrouter:
                self._place(WARM_UP / self._rate)
                rounds = [self._round(away) for away in AWAY]
                last = self._place(BESIDE)
                self._all_is_told()
        finally:
            self._server.stop()
            self._broker.remove()
        beside = [(a.p50 + b.p50) / 2 for a, b in pairwise([*(one.there for one in rounds), last])]
        return {
            "away_p50": median(one.away.p50 / p50 for one, p50 in zip(rounds, beside, strict=True)),
            "back_p50": median(one.back.p50 / p50 for one, p50 in zip(rounds, beside, strict=True)),
            "caught_up_s": rounds[0].caught_up,
        }

    def _round(self, seconds: float) -> _Round:
        there = self._place(BESIDE)
        self._broker.stop()
        self._server.stop()
        away = self._place(seconds)
        waited = self._waiting()
        assert waited.posts >= 2 * away.calls > 0, waited
        assert waited.notices >= len(STORY) * away.calls, waited
        began = time.monotonic()
        self._broker.start()
        self._until(lambda: self._waiting().notices < waited.notices)
        self._server.start()
        self._callrouter.router.send_again()
        back = self._place(BESIDE)
        left = self._waiting()
        assert 0 < left.posts < waited.posts, left
        assert 0 < left.notices < waited.notices, left
        self._until(lambda: self._waiting() == (0, 0))
        found = _Round(there, away, back, time.monotonic() - began)
        self._all_is_told()
        self._tell(
            f"away for {seconds:g} s: p50 {there.p50:.2f} ms before, {away.p50:.2f} in it, {back.p50:.2f} as"
            f" what waited was sent (p95 {there.p95:.1f}, {away.p95:.1f}, {back.p95:.1f}); {waited}, then"
            f" {left}, nothing after {found.caught_up:.1f} s; {self._placed} calls told, in order"
        )
        return found

    def _place(self, seconds: float) -> Placed:
        placed = place(self._sandbox, DIALLED, round(self._rate * seconds), self._rate)
        self._placed += placed.calls
        assert not placed.failures, f"{placed.failures} calls failed: {placed.trouble}"
        return placed

    def _waiting(self) -> _Waiting:
        url = self._callrouter.router.database
        with closing(Jobs(url)) as jobs, closing(Outbox(url)) as outbox:
            return _Waiting(jobs.figures()[0], outbox.waiting_for_all()[0])

    def _all_is_told(self) -> None:
        """Of all calls placed until now. Else the broker keeps what the reader is to hear, so that this takes
        no processor from calls."""
        self._until(lambda: self._waiting() == (0, 0))
        with self._reader:
            self._until(lambda: len(self._reader.stories()) == self._placed)
        wrong = [story for story in self._reader.stories().values() if story != STORY]
        posted = self._server.by_call()
        wrong += [posts for posts in posted.values() if posts != ["first", "second"]]
        assert not wrong, f"not told in order, or not all: {wrong[:3]}"
        assert len(posted) == self._placed, f"of {self._placed - len(posted)} calls nothing was posted"

    def _until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + SENT_WITHIN
        while not true():
            assert time.monotonic() < until, "what waited is never sent"
            time.sleep(0.2)
