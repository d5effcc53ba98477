"""The call figures: peers take turns in short rounds, so that a machine that drifts drifts for all.

The order changes from round to round, so that nobody always comes after the same one; but those that the
budget compares most closely follow each other directly, now one first and now the other: a shared machine may
be half as fast again half a minute later. Figures are medians over the rounds, and ratios medians of the
ratios within each round: of equal peers, two single rounds differ by a tenth and more.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

from tests.bench.load import place
from tests.bench.peers import Peer
from tests.bench.proc import cpu_ms, rss_mb
from tests.harness.sandbox import Sandbox

WARM_UP = 20
"""Calls placed before a peer is measured."""

LADDER = range(60, 401, 10)
"""Calls a second."""

CLIMBS = 3
"""Each peer climbs the ladder so often; the median counts."""

RUNG_SECONDS = 3.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """What one peer needed for the calls of one round."""

    router_ms: float
    """CPU of its own process a call; 0 for the dialplan, which has none."""
    asterisk_ms: float
    p50_ms: float
    p95_ms: float
    failures: int
    rss_mb: float
    trouble: str


def cost(
    sandbox: Sandbox,
    peers: Sequence[Peer],
    close: Sequence[Peer],
    rate: float,
    seconds: float,
    rounds: int,
    tell: Tell,
) -> Mapping[str, list[Figures]]:
    """Each peer's figures in each round; those of `close` are measured next to each other."""
    found: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
    order = random.Random(0)
    for number in range(rounds):
        groups: list[list[Peer]] = [[peer] for peer in peers if peer not in close]
        groups.append(list(close) if number % 2 else list(reversed(close)))
        for peer in chain.from_iterable(order.sample(groups, len(groups))):
            figures = _one_round(sandbox, peer, rate, seconds)
            found[peer.name].append(figures)
            tell(
                f"round {number + 1} of {rounds}, {peer.name}: router {figures.router_ms:.2f} ms/call,"
                f" Asterisk {figures.asterisk_ms:.2f}, p50 {figures.p50_ms:.1f} ms, {figures.failures} failed"
            )
            if figures.failures:
                tell(f"{figures.trouble}{peer.odd_lines()}")
    return found


def _one_round(sandbox: Sandbox, peer: Peer, rate: float, seconds: float) -> Figures:
    calls = round(rate * seconds)
    asterisk = int(sandbox.facts["pid"])
    with peer:
        place(sandbox, peer.number, WARM_UP, rate)
        before = cpu_ms(asterisk), cpu_ms(peer.pid) if peer.pid else 0.0
        placed = place(sandbox, peer.number, calls, rate)
        after = cpu_ms(asterisk), cpu_ms(peer.pid) if peer.pid else 0.0
        return Figures(
            router_ms=(after[1] - before[1]) / calls,
            asterisk_ms=(after[0] - before[0]) / calls,
            p50_ms=placed.p50,
            p95_ms=placed.p95,
            failures=placed.failures,
            rss_mb=rss_mb(peer.pid) if peer.pid else 0.0,
            trouble=placed.trouble,
        )


def clean_rates(sandbox: Sandbox, peers: Sequence[Peer], tell: Tell) -> Mapping[str, float]:
    """By peer, the highest rate of the ladder up to which no call failed, was repeated or was late; 0 if even
    the first was not clean. A second and third climb begins a little below where the first ended."""
    found: dict[str, list[int]] = {peer.name: [] for peer in peers}
    order = random.Random(0)
    for number in range(CLIMBS):
        for peer in order.sample(peers, len(peers)):
            start = min(found[peer.name], default=0) - 3 * LADDER.step
            clean = _climb(sandbox, peer, start)
            found[peer.name].append(clean)
            tell(f"climb {number + 1} of {CLIMBS}, {peer.name}: clean up to {clean} calls a second")
    return {name: median(rates) for name, rates in found.items()}


def _climb(sandbox: Sandbox, peer: Peer, start: int) -> int:
    """From `start` or the first rung on. A rung that was not clean gets one second try: a machine has
    hiccups."""

    def is_clean(rate: int) -> bool:
        calls = round(rate * RUNG_SECONDS)
        return any(place(sandbox, peer.number, calls, rate).clean for _ in range(2))

    with peer:
        place(sandbox, peer.number, WARM_UP, LADDER[0])
        rungs = [rate for rate in LADDER if rate >= start]
        below = [rate for rate in reversed(LADDER) if rate < start]
        clean = 0
        for rate in rungs:
            if not is_clean(rate):
                break
            clean = rate
        return clean or next((rate for rate in below if is_clean(rate)), 0)


def middle(rounds: Sequence[Figures], name: str) -> float:
    """The median of a figure over the rounds."""
    return median(float(getattr(figures, name)) for figures in rounds)


def middle_ratio(ours: Sequence[Figures], theirs: Sequence[Figures], name: str) -> float:
    """The median of the ratios within each round: what slows the machine for a while slows both."""
    pairs = zip(ours, theirs, strict=True)
    return median(float(getattr(a, name)) / float(getattr(b, name)) for a, b in pairs)
